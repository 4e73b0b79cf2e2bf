"""What an export's job has to read: the traces as KQL, and the slices that they are cut into."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from functions.evidence.exports.export import Export
from functions.evidence.selection.membership import Membership, Resolved
from functions.storage.versioned import understood
from functions.traces.cutting import LIMITS, LONG_AGO, Counted, Limits, cut
from functions.traces.kql import instant
from functions.traces.model import TABLES
from functions.traces.slices import CONTENT_TABLE, Slice
from functions.traces.source import TraceSource

RUNS = "runs"
"""The pseudo-table of a slice of runs to be judged, by the ingestion time of the runs' own spans."""

_ROWS_OF_A_RUNS_SLICE = 40_000
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Planned:
    """One slice of a plan, and how many rows the source counted in it (of runs: 0)."""

    slice: Slice
    rows: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What an export's job has to read. Equal telemetry gives an equal plan, whenever it is made.

    Attributes:
        resolved: Which traces.
        slices: What to read, in a fixed order; the parts of an export are numbered by it.
        seals: How the export stands beside the seals; a JSON object for completeness.json.
        coverage: The body of coverage.json. Both are asked for once, since what they say may go on.
    """

    resolved: Resolved
    slices: tuple[Planned, ...]
    seals: Mapping[str, Any] = field(default_factory=dict)
    coverage: Mapping[str, Any] = field(default_factory=dict)

    @property
    def received(self) -> tuple[datetime, datetime]:
        """From when until when its rows were received; where there are none, some time long ago."""
        slices = [one.slice for one in self.slices]
        begin = min((part.received_from for part in slices), default=LONG_AGO)
        return begin, max((part.received_until for part in slices), default=LONG_AGO + timedelta(days=1))

    def body(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        resolved = self.resolved
        numbers = {membership: number for number, membership in enumerate(resolved.memberships)}
        return {
            "format": _FORMAT,
            "memberships": [asdict(one) for one in resolved.memberships],
            "since": resolved.since,
            "until": resolved.until,
            "missing": list(resolved.missing),
            "unusable": resolved.unusable,
            "account": resolved.account,
            "files": resolved.files,
            "seals": self.seals,
            "coverage": self.coverage,
            "slices": [
                {
                    "table": one.slice.table,
                    "membership": numbers[one.slice.membership],
                    "since": one.slice.since,
                    "until": one.slice.until,
                    "received_from": one.slice.received_from,
                    "received_until": one.slice.received_until,
                    "rows": one.rows,
                }
                for one in self.slices
            ],
        }


def make_plan(
    source: TraceSource,
    content: TraceSource,
    export: Export,
    resolved: Resolved,
    *,
    limits: Limits = LIMITS,
) -> Plan:
    """Count and cut what an export is about: rows that were received before it was asked for.

    Args:
        source: Where to ask.
        content: Where to ask about content that was moved; of exports of the profile `content` only.
        export: The export.
        resolved: Which traces.
        limits: How much a slice may hold.

    Raises:
        AskedTooMuch: There is too much of it.
        SourceError: The source did not answer completely.
    """
    memberships, slices = [], []
    for membership in resolved.memberships:
        bounds = (resolved.since, resolved.until, LONG_AGO, export.requested_at)
        counted = list(cut(source, Slice(TABLES[0], membership, *bounds), limits))
        if not counted:
            continue
        # The same words whenever it is asked: up to the last row, and not up to when it was asked for.
        last = max(one.slice.received_until for one in counted)
        lasting = _lasting(membership, export.requested_at, last)
        memberships.append(lasting)
        slices += [Planned(_of(one.slice, lasting), one.rows) for one in counted]
        slices += [Planned(_of(part, lasting), 0) for part in _runs_slices(counted)]
        if export.selection.profile == "content":
            moved = cut(content, Slice(CONTENT_TABLE, membership, *bounds), limits, (CONTENT_TABLE,))
            slices += [Planned(_of(one.slice, lasting), one.rows) for one in moved]
        limits.hold(len(slices))
    return Plan(replace(resolved, memberships=tuple(memberships)), tuple(slices))


def _lasting(membership: Membership, cutoff: datetime, last: datetime) -> Membership:
    lets, shown = (
        text.replace(instant(cutoff), instant(last)) for text in (membership.lets, membership.shown_lets)
    )
    return Membership(lets, membership.condition, shown)


def stored_plan(name: str, body: Mapping[str, Any]) -> Plan:
    """Read back what `Plan.body` gave, after its way through JSON. Raises StorageError."""
    return understood(
        name, body, _read, newest=_FORMAT, holds="an export's plan", next_step="Ask for the export again."
    )


def _read(body: Mapping[str, Any]) -> Plan:
    memberships = tuple(Membership(**one) for one in body["memberships"])
    resolved = Resolved(
        memberships=memberships,
        since=datetime.fromisoformat(body["since"]),
        until=datetime.fromisoformat(body["until"]),
        missing=tuple(body["missing"]),
        unusable=body["unusable"],
        account=body["account"],
        files=body["files"],
    )
    names = ("since", "until", "received_from", "received_until")
    return Plan(
        resolved,
        tuple(
            Planned(
                Slice(
                    one["table"],
                    memberships[one["membership"]],
                    *(datetime.fromisoformat(one[name]) for name in names),
                ),
                one["rows"],
            )
            for one in body["slices"]
        ),
        body["seals"],
        body["coverage"],
    )


def _of(part: Slice, membership: Membership) -> Slice:
    bounds = (part.since, part.until, part.received_from, part.received_until)
    return Slice(part.table, membership, *bounds)


def _runs_slices(counted: list[Counted]) -> Iterator[Slice]:
    """Cut the time in which rows were received so that about so many rows of all tables lie in a slice."""
    waiting: list[Slice] = []
    rows = 0
    for one in sorted(counted, key=lambda one: (one.slice.received_from, TABLES.index(one.slice.table))):
        if waiting and rows + one.rows > _ROWS_OF_A_RUNS_SLICE:
            yield _runs(waiting, one.slice.received_from)
            waiting, rows = [], 0
        waiting.append(one.slice)
        rows += one.rows
    if waiting:
        yield _runs(waiting, max(part.received_until for part in waiting))


def _runs(parts: list[Slice], until: datetime) -> Slice:
    first = parts[0]
    return Slice(RUNS, first.membership, first.since, first.until, first.received_from, until)
