"""Captured telemetry of a real agent framework, and the truth about it; it lies beside the repository.

The truth is labels.jsonl and canaries.jsonl.gz, as the script that played the model and the tools knew it.
How long a run took, which no label says, is in the envelopes.
"""

import gzip
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

CAPTURES = Path(__file__).parents[1] / "../shared/captures/agent-framework"

Label = Mapping[str, Any]

WITHDRAWN = {"POL-46", "POL-21"}
"""Documents of the capture that the tests take for not approved; all others are."""

APPROVED = tuple(f"POL-{number}" for number in range(10, 60) if f"POL-{number}" not in WITHDRAWN)

CONTENT = {
    "system_instructions",
    "prompt",
    "prompt_tail",
    "retrieval_query",
    "retrieved_document",
    "retrieved_document_tail",
    "model_answer",
    "tool_args",
    "tool_result",
    "evaluation_explanation",
}
"""Where content_exposed and the control look: what users, models, tools and evaluators said."""


@cache
def all_labels() -> list[Label]:
    return [json.loads(line) for line in (CAPTURES / "labels.jsonl").read_text("utf-8").splitlines()]


@cache
def envelopes() -> list[dict[str, Any]]:
    with gzip.open(CAPTURES / "envelopes.jsonl.gz") as lines:
        return [json.loads(line) for line in lines]


@cache
def exposed() -> set[str]:
    """Return the traces in whose content something planted was recorded."""
    with gzip.open(CAPTURES / "canaries.jsonl.gz") as lines:
        planted = [json.loads(line) for line in lines]
    return {one["trace_id"] for one in planted if one["recorded"] and one["where"] in CONTENT}


@cache
def took_ms() -> Mapping[str, float]:
    """Return how long each trace's run took."""
    found = {}
    for envelope in envelopes():
        base = envelope["data"]["baseData"]
        if base.get("properties", {}).get("gen_ai.operation.name") == "invoke_agent" and "duration" in base:
            hours, minutes, seconds = base["duration"].partition(".")[2].split(":")
            found[envelope["tags"]["ai.operation.id"]] = (
                int(hours) * 3600 + int(minutes) * 60 + float(seconds)
            ) * 1000
    return found


def documents_found(label: Label) -> set[str]:
    return {document for ids in label["retrieval_document_ids"] for document in ids.split(",") if document}
