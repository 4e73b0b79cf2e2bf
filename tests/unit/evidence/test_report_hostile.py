"""Whatever stands in a trace, a verdict or an account is inert in the report: text, one short line of it."""

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.evidence.controls.verdicts import Verdict
from functions.evidence.report.html import LONGEST
from functions.evidence.report.report import Account
from functions.traces.model import TraceRow
from tests.unit.evidence.reporting import NOON, SOUND_ACCOUNT, TRACE, Page, chat, judged, report

HOSTILE = {
    "markup": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "end of the picture": "</text></svg></title></desc><script>alert(1)</script>",
    "attributes": '" onload="alert(1)" x=\'',
    "entities": "&lt;b&gt; &amp;amp; &#x202e;",
    "a comment": "<!-- --><![CDATA[ ]]>-->",
    "right to left": "\u202egnorw\u2066 \u05d0\u05d1 \u200f",
    "control characters": "a\x00b\x1b[31m\x08\x85\u2028c",
    "lone surrogates": "a\ud800b\udfffc",
    "very long": "long " * 20_000,
    "a style": "</style><style>*{background:url(http://x)}",
}

PROPERTIES = (
    "gen_ai.operation.name",
    "gen_ai.tool.name",
    "gen_ai.agent.name",
    "gen_ai.response.model",
    "gen_ai.request.model",
    "gen_ai.data_source.id",
    "error.type",
    "tool.data_as_of",
    "retrieval.document_count",
    "retrieval.document_ids",
    "tenant.id",
    "app.intent",
    "app.warehouse",
    "prompt.version",
    "gen_ai.evaluation.name",
    "gen_ai.evaluation.score.label",
    "gen_ai.usage.input_tokens",
    "gen_ai.conversation.id",
    "gen_ai.response.finish_reasons",
    "traceloop.entity.name",
)


def a_row(value: str, operation: str, table: str = "AppDependencies") -> TraceRow:
    columns: dict[str, Any] = dict.fromkeys(
        ("AppVersion", "DependencyType", "ExceptionType", "ResultCode"), value
    )
    return TraceRow(
        table, TRACE, value if table != "AppTraces" else "", value, NOON, NOON,
        columns | {"Success": False, "DurationMs": value},
        dict.fromkeys(PROPERTIES, value) | ({"gen_ai.operation.name": operation} if operation else {}),
    )  # fmt: skip


def resolving(value: str) -> dict[str, Any]:
    drawn = {"trace_id": value}
    return {
        "sample": {
            "seed": value,
            "ledger_head": value,
            "population": {"runs": value, "sha256": value},
            "strata": [{"name": value, "runs": value, "drawn": [drawn, value]}, value],
        },
        "cases": {"asked": value, "matched": [value], "missing": [{"place": value, "case": value}]},
    }


def hostile_report(value: str) -> bytes:
    rows = [
        a_row(value, operation)
        for operation in ("", "chat", "execute_tool", "invoke_agent", "retrieval", "embeddings", value)
    ]
    rows += [a_row(value, "", "AppExceptions"), a_row(value, "", "AppTraces"), chat(1)]
    run = judged(data_fresh="fail", latency="not evaluable")
    run = replace(
        run,
        agent=value,
        release=value,
        configuration=value,
        verdicts=tuple(Verdict(one.control, one.result, value) for one in run.verdicts),
    )
    many: dict[str, Any] = {value: value, "a": [value] * 30, "b": {value: [value]}, "c": None}
    account = Account(
        request=many
        | {
            "selector": {value: {value: value}},
            "reason": value,
            "ticket": value,
            "profile": value,
            "queries": [1],
            "resolved": resolving(value),
        },
        completeness={
            "complete": False,
            "missing_trace_ids": [value] * 30,
            "slices": [{"table": value, "complete": False, "rows_here": value}, value],
            "sampling": {"rows_standing_for_more": value},
            "content": {"complete": value, "rows_pointing_there": value, "slices": [value]},
            "seals": {
                "complete": value,
                "basis": value,
                "days": [{"day": value, "compared": value, "ledger_hash": value}],
                "vanished": {"traces": 2, "named": [{"trace_id": value}, value]},
                "not_sealed": [{"day": value, "why": value}],
                "damaged": [value],
                "never_sealed": [value],
            },
        },
        redactions={
            "policy_sha256": value,
            "removed": {f"drop:{value}": 1, value: 2, "unknown": value},
            "unknown_attributes": {"names": [value]},
            "rescan": {"found": 0, "files": [value]},
            "content": {"parts": 1, "masked": {value: 1}, "notice": value},
        },
        coverage={
            "since": value,
            "until": value,
            "checks": [
                {
                    "check": value,
                    "record": "kept",
                    "share": 0.5,
                    "gaps": [{"from": value, "to": value}],
                    "interruptions": [{"from": value, "to": value, "cause": value}],
                }
            ],
        },
        key_id=value,
        published=value,
    )
    return report((TRACE, rows, (run,)), account=account)


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_text_is_inert_and_cut_wherever_it_stands(value: str) -> None:
    page = Page(hostile_report(value))  # refuses elements, attributes and links that a report does not have
    assert len(page.source) < 150_000


def test_a_value_is_cut_where_a_line_would_end() -> None:
    page = Page(hostile_report("x" * 100_000))
    assert max(map(len, re.findall(r"x+", page.text))) <= 1_000
    assert f"{'x' * (LONGEST - 1)}…" in page.text


def test_the_reader_of_these_tests_refuses_what_runs() -> None:
    sound = report((TRACE, (chat(1),), ())).decode()
    for bad in (
        "<script></script>",
        "<img>",
        '<p onclick="x">a</p>',
        '<a href="javascript:x">a</a>',
        "<p>",
        "\u202e",
    ):
        with pytest.raises(AssertionError):
            Page(sound.replace("</main>", f"{bad}</main>").encode())


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.one_of(
        st.text(st.characters(exclude_categories=[]), max_size=60),
        st.text("<>&\"'/=-![]() aZ0\n\t\u202e;:#", max_size=60),
    )
)
def test_any_text_is_inert(value: str) -> None:
    Page(hostile_report(value))


def test_a_sound_account_is_read_as_it_is() -> None:
    assert "OPS-1" in Page(report(account=SOUND_ACCOUNT)).text
