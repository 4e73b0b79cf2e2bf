import copy
from typing import Any

import pytest

from local.azure_monitor.envelopes import EnvelopeError, duration_ms, row_of

CONTEXT = {
    "OperationId": "0000000000000000000000000000000a",
    "IKey": "11111111-2222-3333-4444-555555555555",
}


@pytest.mark.parametrize(
    ("index", "table", "columns"),
    [
        (
            0,
            "AppRequests",
            {
                **CONTEXT,
                "Id": "00000000000000a1",
                "Name": "POST /ask",
                "OperationName": "POST /ask",
                "DurationMs": 1250.0,
                "ResultCode": "500",
                "Success": False,
                "Url": "https://shop.example/ask?x=1",
                "AppRoleName": "shop.assistant",
                "AppRoleInstance": "pod-1",
                "AppVersion": "2.0.0",
                "SDKVersion": "py3.13:otel1:ext1",
                "SessionId": "session-1",
                "UserAuthenticatedId": "user-1",
                "ClientIP": "192.0.2.10",
                "ItemCount": 4,
                "Properties": {"app.intent": "order"},
            },
        ),
        (
            1,
            "AppDependencies",
            {
                **CONTEXT,
                "Id": "00000000000000a2",
                "ParentId": "00000000000000a1",
                "DependencyType": "InProc",
                "Target": "model.example",
                "Data": "https://model.example/chat",
                "DurationMs": 93_784_005.0,
                "ResultCode": "0",
                "Success": True,
                "ItemCount": 1,
                "Measurements": {"wait": 1.5},
            },
        ),
        (2, "AppTraces", {**CONTEXT, "Message": "looked it up", "SeverityLevel": 1}),
        (
            3,
            "AppExceptions",
            {
                **CONTEXT,
                "SeverityLevel": 3,
                "ExceptionType": "OrderError",
                "ProblemId": "OrderError",
                "OuterType": "OrderError",
                "OuterMessage": "no such order",
                "InnermostType": "KeyError",
                "InnermostMessage": "'order'",
            },
        ),
        (4, "AppEvents", {**CONTEXT, "Name": "gen_ai.evaluation.result", "ParentId": "00000000000000a2"}),
    ],
)
def test_an_envelope_becomes_a_row_of_its_table(
    envelopes: list[dict[str, Any]], index: int, table: str, columns: dict[str, object]
) -> None:
    row = row_of(envelopes[index])
    assert row is not None
    assert row.table == table
    assert {name: row.values[name] for name in columns} == columns


def test_an_exceptions_details_keep_the_stack_of_each_link(envelopes: list[dict[str, Any]]) -> None:
    row = row_of(envelopes[3])
    assert row is not None
    assert [(one["type"], one["rawStack"], one["outerId"]) for one in row.values["Details"]] == [
        ("OrderError", "Traceback: OrderError", "0"),
        ("KeyError", "Traceback: KeyError", "0"),
    ]


def test_a_metric_becomes_no_row(envelopes: list[dict[str, Any]]) -> None:
    assert row_of(envelopes[5]) is None


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["time"], "yesterday"),
        (["tags"], "none"),
        (["sampleRate"], "all"),
        (["data"], 5),
        (["data", "baseType"], "PageViewData"),
        (["data", "baseData"], []),
        (["data", "baseData", "properties"], [1]),
        (["data", "baseData", "duration"], "soon"),
    ],
)
def test_a_malformed_envelope_is_rejected(
    envelopes: list[dict[str, Any]], path: list[str], value: object
) -> None:
    broken = copy.deepcopy(envelopes[0])
    place = broken
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(EnvelopeError):
        row_of(broken)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("0.00:00:00.064", 64.0), ("00:00:01.5000000", 1500.0), ("2.00:00:00", 172_800_000.0)],
)
def test_durations_are_read_in_milliseconds(text: str, expected: float) -> None:
    assert duration_ms(text) == expected
