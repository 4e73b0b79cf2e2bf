from datetime import UTC, datetime
from typing import Any, NoReturn

import orjson
import pytest

from functions.errors import InvalidRequest, NotFound
from functions.evidence.selection.selection import (
    AlertTraces,
    TimeWindow,
    TraceIds,
    parse_selection,
    parse_trace_id,
    stored_selection,
)
from tests.unit.evidence.material import OTHER, SOUND, TRACE

WINDOW = {"start": "2026-11-01T00:00:00Z", "end": "2026-11-02T00:00:00Z"}
ALERT = {"alert_id": "00aa11bb22cc33dd"}
INJECTION = '" or true | union AppTraces //'


def parsed(selector: object, **changes: object) -> Any:
    return parse_selection(
        SOUND | {"selector": selector} | changes, resolve_alert=lambda _: [OTHER, TRACE, TRACE]
    )


def no_alert(_: str) -> NoReturn:
    raise NotFound("There is no such alert.", next_step="Look at the list.")


def test_trace_ids_are_sorted_once_each_and_in_lower_case() -> None:
    assert parsed({"trace_ids": [TRACE.upper(), OTHER, TRACE]}).selector == TraceIds((OTHER, TRACE))


def test_a_window_is_read_as_utc() -> None:
    window = {"start": "2026-11-01T02:00:00+02:00", "end": "2026-11-02T00:00:00Z", "agent": "dispatcher"}
    start, end = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 2, tzinfo=UTC)
    assert parsed({"window": window}).selector == TimeWindow(start, end, "dispatcher", None)


def test_an_alert_stands_for_its_traces() -> None:
    assert parsed(ALERT).selector == AlertTraces("00aa11bb22cc33dd", (OTHER, TRACE))


def test_an_unknown_alert_is_not_found() -> None:
    with pytest.raises(NotFound):
        parse_selection(SOUND | {"selector": ALERT}, resolve_alert=no_alert)


@pytest.mark.parametrize("found", [[], ["not a trace id", "1" * 31]])
def test_an_alert_without_usable_traces_is_refused(found: list[str]) -> None:
    with pytest.raises(InvalidRequest, match="alert_id"):
        parse_selection(SOUND | {"selector": ALERT}, resolve_alert=lambda _: found)


@pytest.mark.parametrize(
    "selector", [{"trace_ids": [TRACE]}, {"window": WINDOW}, {"window": WINDOW | {"release": "2"}}]
)
def test_a_stored_selection_reads_back_equal(selector: dict[str, Any]) -> None:
    selection = parsed(selector)
    assert stored_selection(orjson.loads(orjson.dumps(selection.stored()))) == selection


def test_a_stored_alert_keeps_the_traces_it_had() -> None:
    selection = parsed(ALERT)
    assert stored_selection(orjson.loads(orjson.dumps(selection.stored()))) == selection


@pytest.mark.parametrize(
    ("selector", "field"),
    [
        (None, "selector"),
        ([], "selector"),
        ({}, "selector"),
        ({"trace_ids": [TRACE], "window": WINDOW}, "selector"),
        ({"everything": True}, "selector"),
        ({"trace_ids": []}, "selector.trace_ids"),
        ({"trace_ids": TRACE}, "selector.trace_ids"),
        ({"trace_ids": [7]}, "selector.trace_ids"),
        ({"trace_ids": [TRACE[:-1]]}, "selector.trace_ids"),
        ({"trace_ids": [TRACE + "\n"]}, "selector.trace_ids"),
        ({"trace_ids": ["0" * 32]}, "selector.trace_ids"),
        ({"trace_ids": ["a" * 10_000]}, "selector.trace_ids"),
        ({"trace_ids": [INJECTION]}, "selector.trace_ids"),
        ({"trace_ids": [f"{number:032x}" for number in range(1, 1002)]}, "selector.trace_ids"),
        ({"window": "today"}, "selector.window"),
        ({"window": {"start": WINDOW["start"]}}, "selector.window"),
        ({"window": WINDOW | {"tenant": "x"}}, "selector.window.tenant"),
        ({"window": WINDOW | {"user": "x"}}, "selector.window"),
        ({"window": WINDOW | {"end": WINDOW["start"]}}, "selector.window"),
        ({"window": WINDOW | {"end": "2026-12-02T00:00:01Z"}}, "selector.window"),
        ({"window": WINDOW | {"start": "2026-11-01T00:00:00"}}, "selector.window.start"),
        ({"window": WINDOW | {"start": INJECTION}}, "selector.window.start"),
        ({"window": WINDOW | {"start": 1}}, "selector.window.start"),
        ({"window": WINDOW | {"start": "0001-01-01T00:00:00+14:00"}}, "selector.window.start"),
        ({"window": WINDOW | {"end": "9999-12-31T23:59:59-14:00"}}, "selector.window.end"),
        ({"window": WINDOW | {"end": "x" * 10_000}}, "selector.window.end"),
        ({"window": WINDOW | {"agent": INJECTION}}, "selector.window.agent"),
        ({"window": WINDOW | {"agent": "a" * 129}}, "selector.window.agent"),
        ({"window": WINDOW | {"agent": ""}}, "selector.window.agent"),
        ({"window": WINDOW | {"release": INJECTION}}, "selector.window.release"),
        ({"window": WINDOW | {"release": 2}}, "selector.window.release"),
        ({"alert_id": INJECTION}, "selector.alert_id"),
        ({"alert_id": "../checks/x"}, "selector.alert_id"),
        ({"alert_id": None}, "selector.alert_id"),
    ],
)
def test_a_bad_selector_is_refused_by_its_field_and_never_quoted(selector: object, field: str) -> None:
    with pytest.raises(InvalidRequest, match=rf"The field {field} ") as refused:
        parsed(selector)
    assert "union" not in str(refused.value)
    assert len(str(refused.value)) < 300


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"profile": "content"}, "profile"),
        ({"profile": INJECTION}, "profile"),
        ({"profile": ["metadata"]}, "profile"),
        ({"reason": ""}, "reason"),
        ({"reason": " "}, "reason"),
        ({"reason": 5}, "reason"),
        ({"reason": "a" * 501}, "reason"),
        ({"reason": "two\nlines"}, "reason"),
        ({"reason": "<img src=x>"}, "reason"),
        ({"reason": INJECTION}, "reason"),
        ({"ticket": "a" * 101}, "ticket"),
        ({"ticket": INJECTION}, "ticket"),
        ({"ticket": None}, "ticket"),
        ({"format": "zip"}, "body"),
    ],
)
def test_a_bad_field_is_refused(changes: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidRequest, match=rf"The field {field} "):
        parsed({"trace_ids": [TRACE]}, **changes)


@pytest.mark.parametrize("body", [None, [], "text", {}, {"selector": {"trace_ids": [TRACE]}}])
def test_a_body_that_is_no_request_is_refused(body: object) -> None:
    with pytest.raises(InvalidRequest, match="body"):
        parse_selection(body, resolve_alert=no_alert)


@pytest.mark.parametrize("value", [None, 5, "", "g" * 32, TRACE + " ", "a" * 10_000, "0" * 32, "\u0661" * 32])
def test_what_is_no_trace_id_is_refused(value: object) -> None:
    with pytest.raises(InvalidRequest):
        parse_trace_id(value)
