"""A part: what one slice gave, sanitized, in the order of a bundle, packed for its way to the merge.

The first line is the account, each further line a row (or what controls say of a run) as JSON whose bytes
sort as the rows do: parts are merged by comparing lines. All of it is deflated.
"""

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, BinaryIO

import orjson
from zlib_ng import zlib_ng

from functions.evidence.controls.verdicts import RunVerdicts
from functions.traces.model import TABLES, TraceRow

_LEVEL = 1
_LINES_AT_ONCE = 512
_BEHIND_TRACE = len('["') + 32 + len('","')


@dataclass(frozen=True, slots=True)
class Read:
    """One query's account: the slice as it was read in the end, and how many rows came.

    Attributes:
        kql: The query.
        shown_kql: The same with pseudonyms in place of what is personal.
        table: Of the slice, as the others.
        rows_at_source: How many rows the source counted.
        rows_here: How many it gave.
    """

    kql: str
    shown_kql: str
    table: str
    since: datetime
    until: datetime
    received_from: datetime
    received_until: datetime
    rows_at_source: int
    rows_here: int


@dataclass(frozen=True, slots=True)
class Account:
    """What is known of a part beside its lines.

    Attributes:
        reads: The queries, in order.
        redactions: `Redactions.account` of its rows.
        sampled: Rows that stand for more than themselves.
        before_sampling: How many rows there were before sampling.
        pointing: Rows whose content was moved to a table of its own.
        moved: Rows of that table.
    """

    reads: tuple[Read, ...]
    redactions: Mapping[str, Any]
    sampled: int
    before_sampling: int
    pointing: int = 0
    moved: int = 0


def row_line(row: TraceRow) -> bytes:
    """Return a sanitized row as a line (without its end): trace, time, table, ids, received, the rest.

    All but the rest is of fixed length, or an id that is empty or of fixed length: lines sort as rows do.
    """
    head = (
        f'["{row.trace_id}","{_instant(row.time)}",{TABLES.index(row.table)},"{row.span_id}",'
        f'"{row.parent_id}","{_instant(row.received)}",'
    )
    rest = orjson.dumps([dict(row.columns), dict(row.properties)], option=orjson.OPT_SORT_KEYS)
    return head.encode() + rest[1:]


def row_of(line: bytes) -> TraceRow:
    """Read back what `row_line` gave."""
    trace_id, time, table, span_id, parent_id, received, columns, properties = orjson.loads(line)
    return TraceRow(
        table=TABLES[table],
        trace_id=trace_id,
        span_id=span_id,
        parent_id=parent_id,
        time=datetime.fromisoformat(time),
        received=datetime.fromisoformat(received),
        columns=columns,
        properties=properties,
    )


def run_line(run: RunVerdicts) -> bytes:
    """Return what controls say of a run as a line (without its end)."""
    head = f'["{run.trace_id}","{_instant(run.time)}","{run.run_id}",'
    return head.encode() + orjson.dumps(run.body(), option=orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z) + b"]"


def run_of(line: bytes) -> RunVerdicts:
    """Read back what `run_line` gave."""
    return RunVerdicts.from_body(orjson.loads(line)[3])


def is_content(line: bytes) -> bool:
    """Tell a line of content from one of a row."""
    return line[_BEHIND_TRACE : _BEHIND_TRACE + 1] == b"~"


def trace_of(line: bytes) -> str:
    """Return the trace id that a line begins with."""
    return line[2:34].decode()


def encode_part(account: Account, lines: Sequence[bytes]) -> BinaryIO:
    """Return the part's bytes; `lines` are sorted. Equal arguments give equal bytes."""
    packed = io.BytesIO()
    deflate = zlib_ng.compressobj(_LEVEL)
    packed.write(deflate.compress(_account_line(account)))
    for start in range(0, len(lines), _LINES_AT_ONCE):
        packed.write(deflate.compress(b"\n".join(lines[start : start + _LINES_AT_ONCE]) + b"\n"))
    packed.write(deflate.flush())
    packed.seek(0)
    return packed


def account_of(line: bytes) -> Account:
    """Read a part's first line."""
    body = orjson.loads(line)
    counts = {name: body[name] for name in ("sampled", "before_sampling", "pointing", "moved")}
    reads = [one | {name: datetime.fromisoformat(one[name]) for name in _INSTANTS} for one in body["reads"]]
    return Account(tuple(Read(**one) for one in reads), body["redactions"], **counts)


def weigh(rows: Iterable[TraceRow]) -> tuple[int, int]:
    """Return how many rows stand for more than themselves, and how many there were before sampling."""
    weights = [_weight(row) for row in rows]
    return sum(weight > 1 for weight in weights), sum(weights)


_INSTANTS = ("since", "until", "received_from", "received_until")


def _account_line(account: Account) -> bytes:
    body = {
        "reads": [asdict(one) for one in account.reads],
        "redactions": account.redactions,
        "sampled": account.sampled,
        "before_sampling": account.before_sampling,
        "pointing": account.pointing,
        "moved": account.moved,
    }
    return orjson.dumps(body, option=orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE)


def _weight(row: TraceRow) -> int:
    count = row.columns.get("ItemCount", 1)
    return count if isinstance(count, int) else 1


def _instant(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds")
