"""Controls over telemetry of a real agent framework: every verdict is what the labels of the capture say.

Then facts are withheld: a control is not evaluable exactly where what it needs is gone.
"""

import copy
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

import pytest

from functions.evidence.controls.verdicts import Control, Result, RunVerdicts
from tests.captures import (
    APPROVED,
    CAPTURES,
    WITHDRAWN,
    Label,
    all_labels,
    documents_found,
    envelopes,
    exposed,
    took_ms,
)
from tests.unit.evidence.judged import dispatcher, judged, of

pytestmark = pytest.mark.skipif(
    not CAPTURES.is_dir(), reason="the captures lie outside the repository; test_run_facts.py has its own"
)

LIMIT_MS = 250
AGENTS = dispatcher(approved_documents=APPROVED, content_allowed=False, run_p95_ms=LIMIT_MS)


@cache
def labels() -> Mapping[str, Label]:
    return {label["trace_id"]: label for label in all_labels()}


def result(*, failed: bool) -> Result:
    return Result.FAIL if failed else Result.PASS


EXPECTED: Mapping[Control, Callable[[Label], Result]] = {
    Control.APPROVED_TOOLS: lambda label: result(failed=label["unapproved_tool"]),
    Control.REQUIRED_LOOKUPS: lambda label: result(failed=label["skipped_lookup"]),
    Control.DATA_FRESH: lambda label: result(failed=label["stale_tool_data"]),
    Control.APPROVED_DOCUMENTS: lambda label: result(failed=bool(documents_found(label) & WITHDRAWN)),
    Control.LATENCY: lambda label: result(failed=took_ms()[label["trace_id"]] > LIMIT_MS),
    Control.NOTHING_EXPOSED: lambda label: result(failed=label["trace_id"] in exposed()),
    Control.CORRELATION: lambda label: result(failed=label["missing_correlation"]),
}


@cache
def recorded(routing: str) -> list[RunVerdicts]:
    return judged(envelopes(), AGENTS, routing=routing)


@pytest.mark.parametrize("routing", ["table", "inline"])
@pytest.mark.parametrize("control", Control)
def test_every_verdict_is_what_the_labels_say(control: Control, routing: str) -> None:
    found = of(recorded(routing), control)
    assert {trace: verdict.result for trace, verdict in found.items()} == {
        trace: EXPECTED[control](label) for trace, label in labels().items()
    }


@pytest.mark.parametrize("control", Control)
def test_the_capture_has_runs_that_pass_and_runs_that_fail(control: Control) -> None:
    counts = Counter(EXPECTED[control](label) for label in labels().values())
    assert min(counts[Result.PASS], counts[Result.FAIL]) > 0


def test_a_slow_step_of_the_labels_makes_its_run_slow() -> None:
    slow = {trace for trace, label in labels().items() if label["slow_step"]}
    found = of(recorded("table"), Control.LATENCY)
    assert {found[trace].result for trace in slow} == {Result.FAIL}


def test_each_run_is_judged_once() -> None:
    assert Counter(run.trace_id for run in recorded("table")) == Counter(iter(labels()))


# What is withheld from the envelopes, and whether a control then lacks what it needs. What was recorded and
# speaks against a run still fails it.


def calls(label: Label, tool: str) -> list[Mapping[str, Any]]:
    return [call for call in label["tool_calls"] if call["name"] == tool and call["ok"]]


def without(*names: str) -> Callable[[dict[str, Any]], None]:
    def withhold(envelope: dict[str, Any]) -> None:
        properties = envelope["data"]["baseData"].get("properties") or {}
        for name in names:
            properties.pop(name, None)

    return withhold


def sampled(envelope: dict[str, Any]) -> None:
    envelope["sampleRate"] = 50.0


def ended_otherwise(label: Label) -> bool:
    return bool(label["request_failed_with"])


def needs_intent(label: Label) -> bool:
    return not ended_otherwise(label) and not calls(label, "get_shipment_status")


Lacks = Callable[[Label], bool]

WITHHELD: Mapping[str, tuple[Callable[[dict[str, Any]], None], Mapping[Control, Lacks]]] = {
    "the age of data": (
        without("tool.data_as_of"),
        {Control.DATA_FRESH: lambda label: bool(calls(label, "get_shipment_status"))},
    ),
    "ids of documents": (
        without("retrieval.document_ids"),
        {Control.APPROVED_DOCUMENTS: lambda label: any(label["retrievals"])},
    ),
    "the intent": (without("app.intent"), {Control.REQUIRED_LOOKUPS: needs_intent}),
    "names of tools": (
        without("gen_ai.tool.name"),
        {
            Control.APPROVED_TOOLS: lambda label: bool(label["tools"]),
            Control.DATA_FRESH: lambda label: bool(label["tools"]),
            Control.REQUIRED_LOOKUPS: lambda label: (
                not ended_otherwise(label) and label["about_shipment"] and bool(label["tools"])
            ),
        },
    ),
    "the agent's name": (
        without("gen_ai.agent.name"),
        dict.fromkeys(Control, lambda _: True),
    ),
    "rows, by sampling": (
        sampled,
        {control: lambda _: True for control in Control if control is not Control.LATENCY},
    ),
}
FAILS_STAY = {
    # Content and ids that were recorded can be held against a run; that no call is recorded, not where the
    # names are gone, or rows may be.
    "rows, by sampling": set(Control) - {Control.REQUIRED_LOOKUPS},
}


@cache
def withheld(what: str) -> list[RunVerdicts]:
    changed = copy.deepcopy(envelopes())
    for envelope in changed:
        WITHHELD[what][0](envelope)
    return judged(changed, AGENTS)


def expected_without(what: str, control: Control) -> Iterator[tuple[str, Result]]:
    lacks = WITHHELD[what][1].get(control, lambda _: False)
    for trace, label in labels().items():
        truth = EXPECTED[control](label)
        stays = truth is Result.FAIL and control in FAILS_STAY.get(what, set())
        yield trace, Result.NOT_EVALUABLE if lacks(label) and not stays else truth


@pytest.mark.parametrize("what", WITHHELD)
@pytest.mark.parametrize("control", Control)
def test_not_evaluable_is_said_exactly_where_the_fact_is_not_recorded(control: Control, what: str) -> None:
    found = of(withheld(what), control)
    assert {trace: verdict.result for trace, verdict in found.items()} == dict(
        expected_without(what, control)
    )


@pytest.mark.parametrize("what", WITHHELD)
def test_each_thing_withheld_makes_something_not_evaluable(what: str) -> None:
    lacking = [control for control, lacks in WITHHELD[what][1].items() if any(map(lacks, labels().values()))]
    assert lacking
    for control in lacking:
        assert Result.NOT_EVALUABLE in {verdict.result for verdict in of(withheld(what), control).values()}


def table() -> str:
    """Return the table of control, result, expected and got, over the capture and all that was withheld."""
    lines = [f"{'telemetry':18} {'control':20} {'expected p/f/n':>15} {'got p/f/n':>13}"]
    for what in ("as captured", *WITHHELD):
        runs = recorded("table") if what == "as captured" else withheld(what)
        for control in Control:
            truth = (
                [EXPECTED[control](label) for label in labels().values()]
                if what == "as captured"
                else [one for _, one in expected_without(what, control)]
            )
            got = [verdict.result for verdict in of(runs, control).values()]
            shown = ["/".join(str(Counter(each)[one]) for one in Result) for each in (truth, got)]
            lines.append(f"{what:18} {control.value:20} {shown[0]:>15} {shown[1]:>13}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(f"{table()}\n")
