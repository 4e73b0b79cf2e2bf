"""Writes coverage.json: what each check has evaluated of the time of an export, and what it could not see.

Of a time that lies behind the watermarks of all checks and behind their sweeps for late rows it is always the
same, as long as the watch remembers that time (`KEPT`). Of a later time it changes as the watch goes on: an
export reads it once and keeps it, so that a repeated job says the same.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from functions.alerts.state import PREFIX, CheckState, state_from_json
from functions.checks.coverage import KEPT
from functions.checks.definition import CheckDefinition
from functions.checks.finding import Window
from functions.checks.tally import CountedDay
from functions.errors import StorageError
from functions.storage.documents import Documents

_COUNTS = tuple(field.name for field in fields(CountedDay) if field.name != "day")
_SHORTEST = timedelta(microseconds=1)
_JSON = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE


def coverage_file(
    documents: Documents, checks: Iterable[CheckDefinition], since: datetime, until: datetime
) -> bytes:
    """Return the bytes of coverage.json; see `coverage_body`."""
    return encode_coverage(coverage_body(documents, checks, since, until))


def encode_coverage(body: Mapping[str, Any]) -> bytes:
    """Return the bytes of coverage.json for what `coverage_body` gave, also after its way through JSON."""
    return orjson.dumps(body, option=_JSON)


def coverage_body(
    documents: Documents, checks: Iterable[CheckDefinition], since: datetime, until: datetime
) -> dict[str, Any]:
    """Return the JSON object of coverage.json.

    Args:
        documents: Where the watch keeps what it remembers.
        checks: Those in force.
        since: Ingestion time, UTC.
        until: Exclusive, UTC, later than `since`.

    Raises:
        StorageError: Storage did not answer. A record that can't be understood is told as such, and no error.
    """
    between = Window(since, until)
    told = [_check(documents, check, between) for check in sorted(checks, key=lambda one: one.id)]
    return {
        "since": _text(since),
        "until": _text(until),
        "remembered_days": KEPT.days,
        "complete": bool(told) and all(one["share"] == 1 for one in told),
        "checks": told,
    }


def _check(documents: Documents, check: CheckDefinition, between: Window) -> dict[str, Any]:
    about = {"check": check.id, "title": check.title, "severity": check.severity}
    name = PREFIX + check.id
    document = documents.read(name)
    if document is None:
        return about | {"record": "never evaluated"} | _seen(CheckState(), between)
    try:
        state = state_from_json(name, document.body)
    except StorageError:
        return about | {"record": "can't be understood"} | _seen(CheckState(), between)
    return about | {"record": "kept"} | _seen(state, between)


def _seen(state: CheckState, between: Window) -> dict[str, Any]:
    known = (Window(each.start, each.end) for each in state.coverage.intervals)
    evaluated = list(_joined(_clipped(known, between)))
    remembered = _remembered(state, between)
    gaps = state.coverage.gaps(remembered) if remembered else ()
    length = sum((each.end - each.start for each in evaluated), timedelta())
    return {
        "share": length / (between.end - between.start),
        "evaluated": list(map(_stretch, evaluated)),
        "gaps": list(map(_stretch, gaps)),
        "not_remembered": _rest(between.start, remembered.start if remembered else between.end),
        "not_yet_judged": _rest(remembered.end if remembered else between.end, between.end),
        "interruptions": [
            _stretch(Window(each.start, each.end)) | {"cause": each.cause}
            for each in state.interruptions.stretches
            if each.start < between.end and each.end > between.start
        ],
        "failed_attempts": [
            _stretch(Window(each.start, each.end)) | {"kind": each.kind, "count": each.count}
            for each in state.interruptions.errors
            if each.start < between.end and each.end >= between.start
        ],
        "days": [
            {"day": each.day.isoformat()} | {one: getattr(each, one) for one in _COUNTS}
            for each in state.tally.days
            if between.start.astimezone(UTC).date()
            <= each.day
            <= (between.end - _SHORTEST).astimezone(UTC).date()
        ],
    }


def _remembered(state: CheckState, between: Window) -> Window | None:
    """Return the part of the time from the first window that is remembered to the last that was judged."""
    intervals = state.coverage.intervals
    if not intervals:
        return None
    start, end = max(between.start, intervals[0].start), min(between.end, intervals[-1].end)
    if start >= end:
        edge = between.start if intervals[-1].end <= between.start else between.end
        return Window(edge, edge)
    return Window(start, end)


def _clipped(windows: Iterable[Window], between: Window) -> Iterator[Window]:
    for each in windows:
        start, end = max(each.start, between.start), min(each.end, between.end)
        if start < end:
            yield Window(start, end)


def _joined(windows: Iterable[Window]) -> Iterator[Window]:
    """Join what adjoins: the record keeps a stretch for each day."""
    held: Window | None = None
    for each in windows:
        if held is not None and held.end == each.start:
            held = Window(held.start, each.end)
            continue
        if held is not None:
            yield held
        held = each
    if held is not None:
        yield held


def _rest(start: datetime, end: datetime) -> dict[str, str] | None:
    return _stretch(Window(start, end)) if start < end else None


def _stretch(window: Window) -> dict[str, str]:
    return {"from": _text(window.start), "to": _text(window.end)}


def _text(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
