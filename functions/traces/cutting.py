"""Cuts traces into slices that the service answers whole and a small worker can hold.

Rows are counted by table and hour of ingestion time; an hour that holds too much is counted by the second
and by the millisecond, and a millisecond by the time of its rows. Neighbours are joined up to the limits. The
bounds are the first and the last row's own, so that equal telemetry is cut equally at any time.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from functions.errors import AskedTooMuch, ResultTooLarge
from functions.traces.kql import instant, text
from functions.traces.membership import Membership
from functions.traces.model import TABLES
from functions.traces.slices import Slice, ask, between, moment, named, received, unexpected
from functions.traces.source import Cell, TraceSource

LONG_AGO = datetime.fromisoformat("2000-01-01T00:00:00Z")
"""Before any row was received."""

_WIDTHS = ("1h", "1s", "1ms")  # an answer has some thousand bins at most
_TICK = timedelta(microseconds=1)  # the service counts in tenths of it


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a slice may hold. The service stops at 500,000 rows or about 100 MB; a worker can hold less.

    Attributes:
        rows: Most rows.
        size: Most bytes, by the service's own measure of its rows (`_BilledSize`).
        slices: How many of them an export may have at most: ten million rows, or 12 GB.
    """

    rows: int = 10_000
    size: int = 12 << 20
    slices: int = 1_000

    def hold(self, slices: int, rows: int = 0) -> None:
        """Raise AskedTooMuch where an export has more slices, or so many rows that it must."""
        if max(slices, rows // self.rows) > self.slices:
            raise AskedTooMuch(
                f"An export has at most {self.slices} slices of {self.rows} rows.",
                next_step="Ask for a shorter window or fewer traces.",
            )


LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Counted:
    """A slice, and how many rows and bytes the source counts in it."""

    slice: Slice
    rows: int
    size: int

    def fits(self, limits: Limits) -> bool:
        """Whether it can be read at once."""
        return self.rows <= limits.rows and self.size <= limits.size


def cut(
    source: TraceSource, whole: Slice, limits: Limits = LIMITS, tables: Sequence[str] = TABLES
) -> Iterator[Counted]:
    """Yield the slices of all tables, in the order of tables and of ingestion time; those with rows only.

    Args:
        source: Where to ask.
        whole: What to cut; its table does not count.
        limits: How much a slice may hold.
        tables: Which tables.

    Raises:
        AskedTooMuch: It is more than an export may have.
        ResultTooLarge: A millisecond still holds too much.
        SourceError: The source did not answer completely.
    """
    counted = list(_count(source, whole, tables, "ingestion_time()", _WIDTHS[0]))
    limits.hold(0, sum(one.rows for one in counted))
    for table in tables:
        mine = [one for one in counted if one.slice.table == table]
        refined = (fine for one in mine for fine in _refined(source, one, limits, 1, by_time=False))
        yield from _joined(refined, limits)


def _refined(
    source: TraceSource, one: Counted, limits: Limits, width: int, *, by_time: bool
) -> Iterator[Counted]:
    if one.fits(limits):
        yield one
        return
    if width == len(_WIDTHS) and by_time:
        raise ResultTooLarge(
            f"One millisecond of {one.slice.table} holds too much to read.", next_step="Ask for fewer traces."
        )
    if width == len(_WIDTHS):
        width, by_time = 0, True
    column = "TimeGenerated" if by_time else "ingestion_time()"
    for fine in _count(source, one.slice, (one.slice.table,), column, _WIDTHS[width]):
        yield from _refined(source, fine, limits, width + 1, by_time=by_time)


def _count(
    source: TraceSource, whole: Slice, tables: Sequence[str], column: str, width: str
) -> Iterator[Counted]:
    """Count the rows of a stretch by table and by `width` of `column`, in the order of both."""
    steps = (
        between(whole.since, whole.until),
        received(whole.received_from, whole.received_until),
        whole.membership.condition,
        f"project _BilledSize, Of = {column}",
    )
    legs = [" | ".join((named(table), *steps, f"extend Among = {text(table)}")) for table in tables]
    # Of a table on the Basic plan nothing but a query of that table alone is taken.
    all_of_them = legs[0] if len(legs) == 1 else "union\n" + ",\n".join(f"  ({leg})" for leg in legs)
    kql = (
        f"{whole.membership.lets}{all_of_them}\n| summarize Rows = count(), Bytes = sum(_BilledSize), "
        f"First = min(Of), Last = max(Of) by Among, Bin = bin(Of, {width})"
    )
    records = ask(source, kql, whole.since, whole.until).records()
    for record in sorted(records, key=lambda record: moment(record["First"], "First")):
        first, last = moment(record["First"], "First"), moment(record["Last"], "Last") + _TICK
        bounds = (whole.since, whole.until, first, last)
        if column == "TimeGenerated":
            bounds = (first, last, whole.received_from, whole.received_until)
        part = Slice(str(record["Among"]), whole.membership, *bounds)
        yield Counted(part, int(_number(record["Rows"])), int(_number(record["Bytes"])))


def _joined(parts: Iterable[Counted], limits: Limits) -> Iterator[Counted]:
    waiting: Counted | None = None
    for part in parts:
        both = None if waiting is None else _join(waiting, part)
        if both is not None and both.fits(limits):
            waiting = both
            continue
        if waiting is not None:
            yield waiting
        waiting = part
    if waiting is not None:
        yield waiting


def _join(one: Counted, two: Counted) -> Counted | None:
    """Return both as one slice where that holds no other rows: they follow each other in one of the times."""
    a, b = one.slice, two.slice
    rows, size = one.rows + two.rows, one.size + two.size
    if (a.since, a.until) == (b.since, b.until) and a.received_until <= b.received_from:
        return Counted(
            Slice(a.table, a.membership, a.since, a.until, a.received_from, b.received_until), rows, size
        )
    if (a.received_from, a.received_until) == (b.received_from, b.received_until) and a.until <= b.since:
        return Counted(
            Slice(a.table, a.membership, a.since, b.until, a.received_from, a.received_until), rows, size
        )
    return None


def count_late(
    source: TraceSource, membership: Membership, since: datetime, until: datetime, after: datetime
) -> int:
    """Return how many rows of the traces were received from `after` on. Raises SourceError."""
    steps = (
        between(since, until),
        f"where ingestion_time() >= {instant(after)}",
        membership.condition,
        "project OperationId",
    )
    legs = ",\n".join(f"  ({' | '.join((table, *steps))})" for table in TABLES)
    kql = f"{membership.lets}union\n{legs}\n| summarize Rows = count()"
    return int(_number(ask(source, kql, since, until).rows[0][0]))


def _number(cell: Cell) -> float:
    if isinstance(cell, int | float):
        return cell
    raise unexpected("Rows")
