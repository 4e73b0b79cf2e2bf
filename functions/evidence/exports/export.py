"""What an export is: a request, how far it has come, and what came of it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from functions.evidence.selection.selection import Selection, stored_selection


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
class Counts:
    """What an export holds.

    Attributes:
        traces: Traces with at least one row.
        spans: Requests and dependencies.
        rows: Spans, and the logs, exceptions and events on them.
        complete: Whether the source counted the same rows, every trace asked for has some, and none that was
            sealed has vanished.
    """

    traces: int
    spans: int
    rows: int
    complete: bool


@dataclass(frozen=True, slots=True)
class BundleFacts:
    """A built bundle.

    Attributes:
        object_name: Where it lies in the store of evidence.
        size: In bytes.
        sha256: Of the zip's bytes, hex.
        queries_hmac_sha256: The keyed HMAC over the exact queries, hex; in the bundle's request.json too.
        tag_manifest_sha256: Of the tag manifest, hex: the same for the same files, whoever signed when.
        key_id: Of the key that signed it; None where nobody did.
    """

    object_name: str
    size: int
    sha256: str
    queries_hmac_sha256: str
    tag_manifest_sha256: str = ""
    key_id: str | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What a second person said to an export that needs one.

    Attributes:
        by: The directory's object id of who decided.
        at: UTC.
        approved: Whether it may be made.
        reason: Why, in their words.
    """

    by: str
    at: datetime
    approved: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Export:
    """One export.

    Attributes:
        id: 32 hex digits.
        state: How far it has come.
        selection: What was asked for.
        requester: The directory's object id of who asked.
        requested_at: UTC; rows that are received later are not in it.
        decision: What a second person said; None where nobody has.
        finished_at: UTC; None until its state is final.
        failure: Why it ended without a bundle, for the requester to read; None unless it did.
        bundle: Known from when it is built, to be relied on once the export is done.
        counts: What the bundle holds; known together with it.
        late_rows: Rows of its traces that were received after it was asked for; known likewise.
        missing: What the bundle lacks, as sentences; empty where it is complete, or older than they are.
    """

    id: str
    state: State
    selection: Selection
    requester: str
    requested_at: datetime
    decision: Decision | None = None
    finished_at: datetime | None = None
    failure: str | None = None
    bundle: BundleFacts | None = None
    counts: Counts | None = None
    late_rows: int | None = None
    missing: tuple[str, ...] = ()

    @property
    def finished(self) -> bool:
        """Whether its state is final."""
        return self.state in FINAL

    @property
    def waits_since(self) -> datetime:
        """Since when it waits for its job, or for a decision."""
        return self.decision.at if self.decision else self.requested_at

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
            "decision": asdict(self.decision) if self.decision else None,
            "finished_at": self.finished_at,
            "failure": self.failure,
            "bundle": asdict(self.bundle) if self.bundle else None,
            "counts": asdict(self.counts) if self.counts else None,
            "late_rows": self.late_rows,
            "missing": list(self.missing),
        }


def bundle_name(profile: str, *, complete: bool) -> str:
    """Return the name of a bundle's file; an incomplete one says so."""
    return f"bundle-{profile}{'' if complete else '-INCOMPLETE'}.zip"


def stored_export(body: Mapping[str, Any]) -> Export:
    """Read back what `Export.stored` gave, after its way through JSON."""
    finished_at, bundle, counts = body["finished_at"], body["bundle"], body["counts"]
    decision = body.get("decision")
    return Export(
        id=body["id"],
        state=State(body["state"]),
        selection=stored_selection(body),
        requester=body["requester"],
        requested_at=datetime.fromisoformat(body["requested_at"]),
        decision=Decision(**decision | {"at": datetime.fromisoformat(decision["at"])}) if decision else None,
        finished_at=datetime.fromisoformat(finished_at) if finished_at else None,
        failure=body["failure"],
        bundle=BundleFacts(**bundle) if bundle else None,
        counts=Counts(**counts) if counts else None,
        late_rows=body.get("late_rows"),
        missing=tuple(body.get("missing", ())),
    )
