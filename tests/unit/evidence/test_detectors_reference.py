"""Recall and false hits on 1,500 synthetic texts, against what pattern recognizers elsewhere reach there."""

import json
from collections import Counter
from pathlib import Path

import pytest

from functions.evidence.detectors import standard_detectors

REFERENCE = Path(__file__).parents[3] / "../shared/reference/pii-synth-v2.json"

# Our type, the reference's, the recall to reach, the false hits allowed.
FLOORS = [
    ("email", "EMAIL_ADDRESS", 1.00, 0),
    ("us_ssn", "US_SSN", 1.00, 0),
    ("ip_address", "IP_ADDRESS", 1.00, 0),
    ("iban", "IBAN_CODE", 0.98, 0),
    ("payment_card", "CREDIT_CARD", 0.98, 1),
    ("phone", "PHONE_NUMBER", 0.85, 5),
]


@pytest.mark.skipif(not REFERENCE.exists(), reason="the reference texts lie outside the repository")
def test_recall_and_false_hits_stay_within_the_floors() -> None:
    detectors = standard_detectors()
    names = {theirs: ours for ours, theirs, _, _ in FLOORS}
    planted: Counter[str] = Counter()
    found: Counter[str] = Counter()
    false: Counter[str] = Counter()
    for text in json.loads(REFERENCE.read_bytes()):
        hits = detectors.find(text["full_text"])
        spans = [
            (names.get(span["entity_type"]), span["start_position"], span["end_position"])
            for span in text["spans"]
        ]
        for kind, start, end in spans:
            if kind is not None:
                planted[kind] += 1
                found[kind] += any(hit.type == kind and hit.start < end and hit.end > start for hit in hits)
        for hit in hits:
            false[hit.type] += not any(
                hit.type == kind and hit.start < end and hit.end > start for kind, start, end in spans
            )
    for kind, _, recall, most_false in FLOORS:
        print(f"{kind}: {found[kind]} of {planted[kind]}, {false[kind]} false hits")  # noqa: T201  measured
        assert planted[kind] > 0
        assert found[kind] / planted[kind] >= recall, kind
        assert false[kind] <= most_false, kind
