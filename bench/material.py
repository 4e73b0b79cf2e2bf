"""Where material lies that is not the project's own: beside the repository, or where the environment says.

BENCH_CAPTURES is a file of envelopes (.jsonl or .jsonl.gz), BENCH_LABELLED one of labelled texts, in the form
of Presidio's evaluation sets. Where one is missing, the figures that need it are not measured, and say so.
"""

import os
from pathlib import Path

_SHARED = Path(__file__).parents[2] / "shared"

CAPTURES = Path(
    os.environ.get("BENCH_CAPTURES", _SHARED / "captures" / "agent-framework" / "envelopes.jsonl.gz")
)
LABELLED = Path(os.environ.get("BENCH_LABELLED", _SHARED / "reference" / "pii-synth-v2.json"))
