"""Does an export's job, step by step; each step is a message of the queue and may be repeated at any time.

`plan` counts and cuts, `slice` reads one slice into a part, `assemble` merges the parts into a bundle. What a
step stores is written once under a name that is its own, so that whoever comes second finds it there.
"""

from dataclasses import dataclass
from typing import Any

import orjson

from functions.errors import InvalidRequest

PLAN, SLICE, ASSEMBLE = "plan", "slice", "assemble"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of one export's job.

    Attributes:
        export_id: The export.
        step: plan, slice or assemble.
        number: Of the slice; 0 for the others.
    """

    export_id: str
    step: str = PLAN
    number: int = 0

    @property
    def name(self) -> str:
        """Its name within the export."""
        return f"{self.step}-{self.number}" if self.step == SLICE else self.step

    def message(self) -> str:
        """Return the message of the queue."""
        slice_ = {"slice": self.number} if self.step == SLICE else {}
        return orjson.dumps({"export_id": self.export_id, "step": self.step, **slice_}).decode()


def read_step(message: bytes | str) -> Step:
    """Read a message of the queue.

    Raises:
        InvalidRequest: It is not a message of ours.
    """
    try:
        body: Any = orjson.loads(message)
    except orjson.JSONDecodeError:
        body = None
    match body:
        case {"export_id": str(export_id), "step": "slice", "slice": int(number)} if number >= 0:
            return Step(export_id, SLICE, number)
        case {"export_id": str(export_id), "step": "assemble"}:
            return Step(export_id, ASSEMBLE)
        case {"export_id": str(export_id)} if body.get("step", PLAN) == PLAN:
            return Step(export_id)
    raise InvalidRequest(
        "A message in the queue of exports names no step of an export.",
        next_step="Find out who else can write to the queue.",
    )
