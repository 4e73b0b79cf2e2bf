"""Each run is judged by the configuration that was valid when it began, and read as that one says."""

from dataclasses import replace
from datetime import datetime, timedelta

from functions.evidence.controls.sentences import finding_sentences
from functions.evidence.controls.verdicts import Basis, Control, Result, RunVerdicts, encode_controls
from functions.evidence.redaction.rescan import rescan
from functions.overlay.history import Period
from functions.traces.agents import Agent, Agents, Freshness
from tests.checks.bench import BEGINS
from tests.unit.evidence.judged import DAY, SHIPPED_AGENTS, controls, dispatcher, of, played, trace_id
from tests.unit.evidence.material import protection

HALF_PAST = BEGINS + timedelta(minutes=30)
EARLY = {"agent": "desk", "at": "5m", "spans": [{"tool": "old", "tool.data_as_of": "2026-11-20T10:00:00Z"}]}
LATE = {**EARLY, "at": "40m", "spans": [{"tool": "old", "seen.at": "2026-11-20T08:00:00Z"}]}

OLD = Agents(
    SHIPPED_AGENTS.attributes,
    {"desk": Agent("desk", owner="desk", approved_tools=("old",), freshness=(Freshness("old", 60),))},
)
NEW = Agents(
    replace(SHIPPED_AGENTS.attributes, data_as_of=("seen.at",)),
    {"desk": Agent("desk", owner="desk", approved_tools=("new",), freshness=(Freshness("old", 60),))},
)


def period(
    begins: datetime | None,
    ends: datetime | None,
    name: str,
    agents: Agents | None,
    basis: Basis = Basis.OBSERVED,
) -> Period:
    return Period(begins, ends, name, basis, agents)


def judged(*periods: Period) -> list[RunVerdicts]:
    return controls(played(EARLY, LATE), OLD, periods).judge(DAY, cutoff=DAY.received_until)


def test_a_run_is_judged_and_read_by_the_configuration_of_its_time() -> None:
    runs = judged(period(None, HALF_PAST, "old", OLD), period(HALF_PAST, None, "new", NEW))
    assert [(run.configuration, run.basis) for run in runs] == [
        ("old", Basis.OBSERVED),
        ("new", Basis.OBSERVED),
    ]
    tools, data = of(runs, Control.APPROVED_TOOLS), of(runs, Control.DATA_FRESH)
    assert [tools[trace_id(n)].result for n in (1, 2)] == [Result.PASS, Result.FAIL]
    assert [data[trace_id(n)].reason for n in (1, 2)] == [
        "data of tool old 5 min old",
        "data of tool old 2.7 h old (at most 60 min)",
    ]


def test_a_run_before_any_configuration_known_is_not_evaluable() -> None:
    runs = judged(period(None, HALF_PAST, "", None, Basis.UNKNOWN), period(HALF_PAST, None, "old", OLD))
    (early, late) = runs
    assert (early.configuration, early.basis, late.basis) == ("", Basis.UNKNOWN, Basis.OBSERVED)
    assert {one.result for one in early.verdicts} == {Result.NOT_EVALUABLE}
    assert early.agent == "desk"
    assert Result.PASS in {one.result for one in late.verdicts}


def test_what_is_stated_is_said_to_be() -> None:
    runs = judged(period(None, HALF_PAST, "old", OLD, Basis.STATED), period(HALF_PAST, None, "old", OLD))
    assert [run.basis for run in runs] == [Basis.STATED, Basis.OBSERVED]


def test_a_configuration_that_is_not_what_was_in_force_judges_nothing() -> None:
    (early, late) = judged(period(None, HALF_PAST, "forged", None), period(HALF_PAST, None, "old", OLD))
    assert {one.reason for one in early.verdicts} == {
        "what is kept of that time's configuration is not what was in force"
    }
    assert (early.configuration, late.configuration) == ("forged", "old")


def test_without_any_configuration_runs_are_named_all_the_same() -> None:
    runs = judged(period(None, None, "", None, Basis.UNKNOWN))
    assert [run.trace_id for run in runs] == [trace_id(1), trace_id(2)]


def test_one_trace_is_judged_by_itself() -> None:
    asked = controls(played(EARLY, LATE), OLD)
    (run,) = asked.judge_trace(
        trace_id(2), since=DAY.since, until=DAY.until, cutoff=BEGINS + timedelta(hours=2)
    )
    assert run.trace_id == trace_id(2)


def test_an_agent_whose_name_may_not_be_shown_is_judged_under_a_pseudonym() -> None:
    odd = "Ada Lovelace"
    known = Agents(SHIPPED_AGENTS.attributes, {odd: Agent(odd, owner="desk", approved_tools=())})
    (run,) = controls(played({**EARLY, "agent": odd}), known).judge(DAY, cutoff=DAY.received_until)
    assert len(run.agent) == 24
    assert of([run], Control.APPROVED_TOOLS)[trace_id(1)].result is Result.FAIL


SECRET = "Ada Lovelace, ada@example.com, 4111111111111111"


def test_nothing_that_a_trace_brings_is_shown_but_what_the_policy_keeps() -> None:
    body = {
        "agent": "dispatcher",
        "conversation": SECRET,
        "release": SECRET,
        "user": SECRET,
        "tenant.id": SECRET,
        "prompt.version": SECRET,
        "app.warehouse": SECRET,
        "request": {"app.intent": SECRET},
        "spans": [
            {"tool": SECRET, "arguments": SECRET, "data_age": "5m"},
            {"tool": "get_shipment_status", "tool.data_as_of": SECRET},
            {
                "retrieval": SECRET,
                "documents": 3,
                "retrieval.document_ids": SECRET,
                SECRET.replace(" ", "."): "x",
            },
            {"chat": SECRET, "finish": SECRET},
            {"log": f'{{"content": "{SECRET}"}}', "gen_ai.system": "openai"},
            {"exception": SECRET, "message": SECRET},
        ],
    }
    known = dispatcher(approved_documents=("POL-1",), content_allowed=False)
    runs = controls(played(body), known).judge(DAY, cutoff=DAY.received_until)
    failed = {one.control for run in runs for one in run.verdicts if one.result is Result.FAIL}
    assert failed >= {
        Control.APPROVED_TOOLS,
        Control.APPROVED_DOCUMENTS,
        Control.NOTHING_EXPOSED,
        Control.CORRELATION,
    }
    data = b"".join(encode_controls(runs)) + "\n".join(finding_sentences(runs)).encode()
    assert not [word for word in ("Ada", "Lovelace", "ada@example", "4111") if word.encode() in data]
    rescan(data, protection().detectors)
