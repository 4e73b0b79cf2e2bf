"""What an export is: a request, how far it has come, and what came of it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from functions.evidence.assembly import Counts
from functions.evidence.selection import Selection, stored_selection


class State(StrEnum):
    """How far an export has come; see `FINAL`."""

    AWAITING_APPROVAL = "awaiting_approval"
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    REFUSED = "refused"
    EXPIRED = "expired"


FINAL = frozenset({State.DONE, State.FAILED, State.CANCELLED, State.REFUSED, State.EXPIRED})


@dataclass(frozen=True, slots=True)
class BundleFacts:
    """A built bundle.

    Attributes:
        object_name: Where it lies in the store of evidence.
        size: In bytes.
        sha256: Of the zip's bytes, hex.
        queries_hmac_sha256: The keyed HMAC over the exact queries, hex; in the bundle's request.json too.
    """

    object_name: str
    size: int
    sha256: str
    queries_hmac_sha256: str


@dataclass(frozen=True, slots=True)
class Export:
    """One export.

    Attributes:
        id: 32 hex digits.
        state: How far it has come.
        selection: What was asked for.
        requester: The directory's object id of who asked.
        requested_at: UTC.
        attempts: How often its job has begun.
        finished_at: UTC; None until it is done or failed.
        failure: Why it failed, for the requester to read; None unless it did.
        bundle: Known from when it is built, to be relied on once the export is done.
        counts: What the bundle holds; known together with it.
    """

    id: str
    state: State
    selection: Selection
    requester: str
    requested_at: datetime
    attempts: int = 0
    finished_at: datetime | None = None
    failure: str | None = None
    bundle: BundleFacts | None = None
    counts: Counts | None = None

    @property
    def finished(self) -> bool:
        """Whether its state is final."""
        return self.state in FINAL

    def stored(self) -> dict[str, Any]:
        """Return it as a JSON object, as it is stored; `stored_export` reads it back. Not to be shown."""
        return self.body() | self.selection.stored()

    def body(self) -> dict[str, Any]:
        """Return it as a JSON object, as it is shown."""
        return {
            "id": self.id,
            "state": self.state.value,
            **self.selection.body(),
            "requester": self.requester,
            "requested_at": self.requested_at,
            "attempts": self.attempts,
            "finished_at": self.finished_at,
            "failure": self.failure,
            "bundle": asdict(self.bundle) if self.bundle else None,
            "counts": asdict(self.counts) if self.counts else None,
        }


def stored_export(body: Mapping[str, Any]) -> Export:
    """Read back what `Export.stored` gave, after its way through JSON."""
    finished_at, bundle, counts = body["finished_at"], body["bundle"], body["counts"]
    return Export(
        id=body["id"],
        state=State(body["state"]),
        selection=stored_selection(body),
        requester=body["requester"],
        requested_at=datetime.fromisoformat(body["requested_at"]),
        attempts=body["attempts"],
        finished_at=datetime.fromisoformat(finished_at) if finished_at else None,
        failure=body["failure"],
        bundle=BundleFacts(**bundle) if bundle else None,
        counts=Counts(**counts) if counts else None,
    )
