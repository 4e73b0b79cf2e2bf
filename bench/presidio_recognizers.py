"""Runs Presidio's pattern recognizers over texts: the peer of bench/detectors.py.

    python presidio_recognizers.py TEXTS REPEATS

TEXTS is JSON: a list of strings. Prints JSON: `hits`, for each text a list of [entity type, start, end], and
`seconds`, the processor's, the best of REPEATS passes. In an environment of its own, without an NLP
engine, so that only patterns count, on
one core; hits below the score that Presidio calls "weak" for these types are left out.
"""

import json
import sys
import time
from pathlib import Path

from presidio_analyzer import predefined_recognizers as predefined  # type: ignore[import-not-found]  # not in .venv

NAMES = (
    "CreditCardRecognizer",
    "CryptoRecognizer",
    "DateRecognizer",
    "EmailRecognizer",
    "IbanRecognizer",
    "IpRecognizer",
    "MacAddressRecognizer",
    "MedicalLicenseRecognizer",
    "NhsRecognizer",
    "PhoneRecognizer",
    "UkNinoRecognizer",
    "UrlRecognizer",
    "UsBankRecognizer",
    "UsItinRecognizer",
    "UsLicenseRecognizer",
    "UsPassportRecognizer",
    "UsSsnRecognizer",
)
LEAST_SCORE = 0.3


def main(file: str, repeats: str) -> None:
    """Print what the recognizers find, and how long they take."""
    texts = json.loads(Path(file).read_text("utf-8"))
    recognizers = [getattr(predefined, name)() for name in NAMES]
    seconds = []
    for _ in range(int(repeats)):
        began = time.process_time()
        hits = [
            [
                (result.entity_type, result.start, result.end)
                for recognizer in recognizers
                for result in recognizer.analyze(text, recognizer.supported_entities, None) or ()
                if result.score >= LEAST_SCORE
            ]
            for text in texts
        ]
        seconds.append(time.process_time() - began)
    json.dump({"hits": hits, "seconds": min(seconds), "recognizers": len(recognizers)}, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
