"""Moves captured telemetry in time: traces stretched evenly over a period, everything inside a trace kept.

A check that looks back for hours can then be watched on telemetry that was made in seconds.
"""

import gzip
import re
import zlib
from bisect import bisect_right
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

Envelope = dict[str, Any]
"""One Application Insights envelope, as posted to `/v2.1/track`."""

_SECOND = 1_000_000_000  # nanoseconds, the unit of every bare number here
_MICROSECOND = 1_000
_QUANTA = (_SECOND, 1_000_000, _MICROSECOND)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_INSTANT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)")
_DURATION = re.compile(r"(?:(\d+)\.)?(\d+):(\d\d):(\d\d)(?:\.(\d{1,9}))?")


class UnreadableEnvelopesError(Exception):
    """A file is not envelopes, one a line; the message names file and line, never what is in it."""


@dataclass(frozen=True, slots=True)
class _Extent:
    """From a trace's earliest envelope to the end of its longest-lasting one."""

    start: int
    end: int


def read_envelopes(path: Path) -> list[Envelope]:
    """Read a .jsonl or .jsonl.gz file with one envelope a line; empty lines are skipped.

    Raises:
        UnreadableEnvelopesError: A line is not a JSON object with a readable `time`, or the gzip is broken.
        OSError: The file can't be opened.
    """
    envelopes = []
    number = 0
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    envelopes.append(_parse(line, f"{path}, line {number}"))
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise UnreadableEnvelopesError(f"{path}, after line {number}: the gzip stream is broken") from error
    return envelopes


def retime(
    envelopes: Sequence[Mapping[str, Any]], *, end: datetime, over: timedelta, data_as_of: Collection[str]
) -> list[Envelope]:
    """Stretch the starts of traces evenly over the period of length `over` that ends at `end`.

    Args:
        envelopes: In any order, with a readable `time`. They are not changed.
        end: By then the last trace has ended, its longest span included.
        over: Every envelope comes after `end - over`.
        data_as_of: Names of properties that hold the age of data; moved with their trace.

    Returns:
        The envelopes in the order given, equal but for `time` and those properties. An envelope outside any
        trace moves with the trace that started last before it, and not out of the period.

    Raises:
        ValueError: The period is too short for the longest trace and a microsecond between starts, or a
            `time` is not readable.
    """
    times = [_instant(envelope["time"]) for envelope in envelopes]
    traces = _extents(envelopes, times)
    last, before = _nanoseconds(end), _nanoseconds(end - over)
    shifts = _shifts(traces, end=last, over=last - before)
    untraced = last - max(times, default=last)
    starts = sorted((extent.start, shifts[trace]) for trace, extent in traces.items())
    moved = []
    for envelope, time in zip(envelopes, times, strict=True):
        trace = _trace(envelope)
        if trace:
            moved.append(_move(envelope, shifts[trace], data_as_of))
        else:
            shift = _shift_of_the_trace_before(starts, time, otherwise=untraced)
            held = min(max(time + shift, before + _MICROSECOND), last)
            moved.append(_move(envelope, held - time, data_as_of))
    return moved


def _extents(envelopes: Sequence[Mapping[str, Any]], times: Sequence[int]) -> dict[str, _Extent]:
    extents: dict[str, _Extent] = {}
    for envelope, time in zip(envelopes, times, strict=True):
        if trace := _trace(envelope):
            known = extents.get(trace, _Extent(time, time))
            extents[trace] = _Extent(min(known.start, time), max(known.end, time + _duration(envelope)))
    return extents


def _shifts(traces: Mapping[str, _Extent], *, end: int, over: int) -> dict[str, int]:
    """How far each trace moves, in whole seconds wherever starts are at least one apart.

    Whole seconds keep the fractions of all instants, so that an age told in seconds stays exact.
    """
    if not traces:
        return {}
    longest = max(extent.end - extent.start for extent in traces.values())
    room = over - longest
    step = room // len(traces)
    quantum = next((quantum for quantum in _QUANTA if quantum <= step), None)
    if quantum is None:
        raise ValueError(f"{len(traces)} traces do not fit into that time: give them more")
    shifts = {}
    ordered = sorted(traces.items(), key=lambda item: item[1].start)
    for after, (trace, extent) in enumerate(reversed(ordered)):
        target = end - longest - after * room // len(traces)
        shifts[trace] = (target - extent.start) // quantum * quantum
    return shifts


def _shift_of_the_trace_before(starts: Sequence[tuple[int, int]], time: int, *, otherwise: int) -> int:
    """The shift of the trace that started last before `time`, else of the first."""
    if not starts:
        return otherwise
    return starts[max(bisect_right(starts, time, key=lambda start: start[0]) - 1, 0)][1]


def _move(envelope: Mapping[str, Any], shift: int, data_as_of: Collection[str]) -> Envelope:
    moved = {**envelope, "time": _shifted(envelope["time"], shift)}
    properties = _base_data(envelope).get("properties")
    if not isinstance(properties, Mapping):
        return moved
    aged = {name: _aged(properties[name], shift) for name in data_as_of if name in properties}
    if aged:
        base_data = {**_base_data(envelope), "properties": {**properties, **aged}}
        moved["data"] = {**envelope["data"], "baseData": base_data}
    return moved


def _aged(value: object, shift: int) -> object:
    """The value moved, or as it is where it is not an instant: what an app wrote there may be anything."""
    try:
        return _shifted(value, shift) if isinstance(value, str) else value
    except (ValueError, OverflowError):
        return value


def _trace(envelope: Mapping[str, Any]) -> str:
    tags = envelope.get("tags")
    return str(tags.get("ai.operation.id") or "") if isinstance(tags, Mapping) else ""


def _base_data(envelope: Mapping[str, Any]) -> Mapping[str, Any]:
    data = envelope.get("data")
    base_data = data.get("baseData") if isinstance(data, Mapping) else None
    return base_data if isinstance(base_data, Mapping) else {}


def _parse(line: bytes, place: str) -> Envelope:
    try:
        envelope = orjson.loads(line)
    except orjson.JSONDecodeError:
        raise UnreadableEnvelopesError(f"{place}: not JSON") from None  # the error would quote the line
    if not isinstance(envelope, dict):
        raise UnreadableEnvelopesError(f"{place}: not a JSON object")
    try:
        _instant(envelope.get("time"))
    except ValueError:
        raise UnreadableEnvelopesError(f"{place}: its `time` is not an ISO 8601 instant") from None
    return envelope


def _duration(envelope: Mapping[str, Any]) -> int:
    """A span's duration, written `d.hh:mm:ss.fff`; 0 where there is none."""
    written = _base_data(envelope).get("duration")
    match = _DURATION.fullmatch(written) if isinstance(written, str) else None
    if match is None:
        return 0
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups()[:4])
    return (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * _SECOND + _fraction(match[5])


def _instant(written: object) -> int:
    """Nanoseconds since 1970, of an ISO 8601 instant with a zone.

    Raises:
        ValueError: It is not one.
    """
    match = _INSTANT.fullmatch(written) if isinstance(written, str) else None
    if match is None:
        raise ValueError("no readable time")
    whole = datetime.fromisoformat(match[1] + match[3])
    return _nanoseconds(whole) + _fraction(match[2])


def _shifted(written: str, shift: int) -> str:
    """The instant moved by `shift`, in the same zone and with as many digits, or more where they are needed.

    Raises:
        ValueError: It is not an instant.
        OverflowError: It would leave the calendar.
    """
    match = _INSTANT.fullmatch(written)
    if match is None:
        raise ValueError("no readable time")
    nanoseconds = _fraction(match[2]) + shift
    whole = datetime.fromisoformat(match[1]) + timedelta(seconds=nanoseconds // _SECOND)
    digits = f"{nanoseconds % _SECOND:09d}".rstrip("0").ljust(len(match[2] or ""), "0")
    return f"{whole.isoformat()}{'.' if digits else ''}{digits}{match[3]}"


def _fraction(digits: str | None) -> int:
    return int((digits or "").ljust(9, "0"))


def _nanoseconds(instant: datetime) -> int:
    return (instant - _EPOCH) // timedelta(microseconds=1) * _MICROSECOND
