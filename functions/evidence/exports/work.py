"""What an export's job puts aside until it is over: a mark that it is open, its plan, and its parts.

All lie under the export's id. Nothing of it is evidence, and all of it is removed in the end.
"""

import io
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import orjson

from functions.errors import DocumentConflict
from functions.evidence.exports.plan import Plan, stored_plan
from functions.storage.documents import encode
from functions.storage.objects import WorkObjects

_OPEN = "open/"


@dataclass(frozen=True, slots=True)
class Work:
    """The work of all exports.

    Attributes:
        objects: Where it lies.

    Every method raises StorageError when storage fails.
    """

    objects: WorkObjects

    def open(self, export_id: str) -> None:
        """Mark an export as open, before it is recorded: what is marked is found again if it stalls."""
        with suppress(DocumentConflict):
            self.objects.put(_OPEN + export_id, io.BytesIO())

    def open_ids(self) -> Iterator[str]:
        """Yield the ids of exports that are marked as open."""
        return (name.removeprefix(_OPEN) for name in self.objects.names(_OPEN))

    def plan(self, export_id: str) -> Plan | None:
        """Return the plan, or None where there is none yet."""
        name = _plan_name(export_id)
        if self.objects.size(name) is None:
            return None
        return stored_plan(name, orjson.loads(b"".join(self.objects.read(name))))

    def keep_plan(self, export_id: str, plan: Plan) -> Plan:
        """Keep a plan and return the one that is kept: the first."""
        with suppress(DocumentConflict):
            self.objects.put(_plan_name(export_id), io.BytesIO(encode(plan.body())))
        return self.plan(export_id) or plan

    def missing(self, export_id: str, fingerprint: str, count: int) -> list[int]:
        """Return the numbers of the parts that are not there, of `count` under this protection."""
        there = set(self.objects.names(f"{export_id}/{fingerprint}/"))
        return [n for n in range(count) if part_name(export_id, fingerprint, n) not in there]

    def clear(self, export_id: str) -> None:
        """Remove all of an export's work, its mark last."""
        for name in [*self.objects.names(f"{export_id}/")]:
            self.objects.delete(name)
        self.objects.delete(_OPEN + export_id)


def part_name(export_id: str, fingerprint: str, number: int) -> str:
    """Return the name of a part; parts of another policy or key are other parts."""
    return f"{export_id}/{fingerprint}/{number:05d}"


def _plan_name(export_id: str) -> str:
    return f"{export_id}/plan.json"
