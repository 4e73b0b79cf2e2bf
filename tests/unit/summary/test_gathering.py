"""A summary is gathered from the real parts, and a part that fails is missed alone and by name."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from functions.alerts.alert import Notice
from functions.alerts.announcement import Announcement
from functions.alerts.announcements import NAME, announcements_to_json
from functions.alerts.outbox import Entry, Outbox
from functions.alerts.state import PREFIX, CheckState, state_to_json
from functions.configuration import SHIPPED, load_configuration
from functions.costs.costs import Costs
from functions.costs.prices import prices
from functions.errors import (
    PartialResult,
    ResultTooLarge,
    SourceRefused,
    SourceThrottled,
    SourceUnavailable,
    StorageError,
)
from functions.evidence.holds.holds import DOCUMENT, Day, Holds, holds_json
from functions.storage.documents import Document
from functions.summary.body import Week
from functions.summary.gathering import Gathering
from functions.summary.table import summary_lines
from functions.traces.agents import agents
from functions.traces.source import Rows, TraceSource
from functions.weeks import WeekBefore
from local.azure_monitor.ingestion import Telemetry
from tests.checks.bench import EngineSource
from tests.checks.telemetry import Trace
from tests.fakes.source import Asked, ScriptedSource
from tests.fakes.storage import MemoryDocuments
from tests.unit.alerts.building import CHECK, advanced, found

WEEK = WeekBefore(date(2026, 11, 30), "UTC")
NOW = datetime(2026, 11, 30, 8, tzinfo=UTC)
MONDAY, FRIDAY = datetime(2026, 11, 23, tzinfo=UTC), datetime(2026, 11, 27, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
# A call of (1000, 10) tokens costs 0.01 + 0.001.
PRICES = prices(
    {
        "currency": "EUR",
        "as_of": "2026-11-01",
        "source": "list",
        "models": [{"model": "large", "input": 10, "cached_input": 1, "output": 100}],
    }
)
FACTS = ("tenant", "intent", "prompt_version", "environment", "data_as_of", "document_count", "document_ids")
FLEET = agents(
    {
        "attributes": {fact: [] for fact in FACTS} | {"dimensions": {}},
        "agents": {
            "dispatcher": {"owner": "freight", "review_by": "2026-11-27"},
            "benefits": {"owner": "claims", "review_by": "2026-11-30"},
        },
    }
)


def gather(source: TraceSource, documents: MemoryDocuments | None = None) -> Week:
    costs = Costs(source, FLEET, PRICES, tenant_pseudonym=str, clock=lambda: NOW)
    configuration = replace(load_configuration(SHIPPED), checks=(CHECK,), agents=FLEET)
    documents = documents or MemoryDocuments()
    return Gathering(documents, source, costs, configuration, clock=lambda: NOW).gather(WEEK)


def empty() -> ScriptedSource:
    return ScriptedSource(lambda _: Rows((), ()))


def why(week: Week) -> Mapping[str, str]:
    return {one["part"]: one["why"] for one in week["unknown"]}


@pytest.fixture(scope="module")
def told() -> Week:
    """A fleet goes through the real queries on the local engine; its figures were worked out by hand."""
    telemetry = Telemetry()
    runs = [
        ("dispatcher", MONDAY - timedelta(days=7), True),
        ("dispatcher", MONDAY - SECOND, True),
        ("dispatcher", MONDAY, False),
        ("dispatcher", FRIDAY, True),
        ("benefits", WEEK.end - SECOND, True),
        ("dispatcher", WEEK.end, True),
    ]
    for number, (agent, at, success) in enumerate(runs, start=1):
        trace = Trace(number, start=at - SECOND / 10)  # a span begins a tenth of a second after its trace
        run = trace.agent(agent, success=success)
        trace.chat(run, (1000, 10), model="large")
        if at == FRIDAY:
            trace.tool("lookup", run, success=False, after=1)
            trace.span("chat", run, after=2, **{"gen_ai.response.model": "large", **USAGE})
            trace.tool("lookup", run, after=3)
        telemetry.ingest(trace.envelopes, delay=SECOND)
    return gather(EngineSource(telemetry))


USAGE = {"gen_ai.usage.input_tokens": "2000", "gen_ai.usage.output_tokens": "10"}


def test_runs_of_the_week_are_counted_beside_those_of_the_week_before(told: Week) -> None:
    assert told["runs"] == {
        "runs": 3,
        "failed": 1,
        "runs_before": 2,
        "agents": [
            {"agent": "dispatcher", "runs": 2, "failed": 1},
            {"agent": "benefits", "runs": 1, "failed": 0},
        ],
    }


def test_the_cost_of_the_week_stands_beside_that_of_the_week_before(told: Week) -> None:
    assert told["cost"] == {
        "currency": "EUR",
        "cost": pytest.approx(0.054),
        "before": pytest.approx(0.022),
        "calls": 4,
        "without_cost": 0.0,
        "agents": [
            {"agent": "dispatcher", "cost": pytest.approx(0.043), "before": pytest.approx(0.022)},
            {"agent": "benefits", "cost": pytest.approx(0.011), "before": 0.0},
        ],
    }


def test_what_was_paid_in_vain_is_named_by_agent_and_tool(told: Week) -> None:
    waste = told["waste"]
    assert waste is not None
    assert (waste["retries"], waste["duplicate_retrievals"]) == (pytest.approx(0.021), 0.0)
    assert waste["top"] == [
        {"kind": "retries", "agent": "dispatcher", "tool": "lookup", "times": 1, "lost": pytest.approx(0.021)}
    ]


def test_a_review_is_overdue_from_the_day_after_its_day_on(told: Week) -> None:
    review = {"agent": "dispatcher", "owner": "freight", "review_by": "2026-11-27", "days": 3}
    assert told["reviews"] == {"overdue": 1, "top": [review]}


def test_a_summary_of_a_watch_that_kept_nothing_yet_is_whole(told: Week) -> None:
    assert told["unknown"] == []
    assert told["coverage"] == {
        "total": 1,
        "complete": 0,
        "checks": [
            {
                "check": CHECK.id,
                "share": None,
                "gaps": 0,
                "gap_minutes": 0,
                "windows": 0,
                "blind_windows": 0,
                "late_rows": 0,
            }
        ],
    }
    assert summary_lines(told)


def test_telemetry_is_asked_four_questions_within_the_weeks_they_need() -> None:
    source = empty()
    gather(source)
    assert len(source.asked) == 4
    assert max(one.until - one.since for one in source.asked) < timedelta(days=15)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (SourceRefused("x", next_step="y"), "Log Analytics refused: a role is missing."),
        (PartialResult("x", next_step="y"), "Log Analytics answered in part only."),
        (ResultTooLarge("x", next_step="y"), "It is too much for one answer."),
        (ValueError("a text with <telemetry>"), "Something failed (ValueError); the app's log says where."),
    ],
)
@pytest.mark.parametrize(
    ("fails", "part"), [(0, "runs"), (1, "cost"), (2, "cost of the week before"), (3, "waste")]
)
def test_a_question_that_fails_costs_its_own_part_alone(
    error: Exception, words: str, fails: int, part: str
) -> None:
    # Without its report the cost of the week before is not asked for.
    count = iter(range(9))
    order = [0, 1, 3] if fails == 1 else [0, 1, 2, 3]
    week = gather(ScriptedSource(lambda _: error if order[next(count)] == fails else Rows((), ())))
    assert why(week) == {part: words}
    missing = {name for name in ("runs", "cost", "waste") if week[name] is None}
    assert missing == {part} & {"runs", "cost", "waste"}
    if fails == 2:
        assert week["cost"] is not None
        assert week["cost"]["before"] is None


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (SourceThrottled("x", next_step="y"), "Log Analytics had no room."),
        (SourceUnavailable("x", next_step="y"), "Log Analytics did not answer."),
    ],
)
def test_where_log_analytics_does_not_answer_it_is_not_asked_again_and_the_rest_is_told(
    error: Exception, words: str
) -> None:
    source = ScriptedSource([error])
    week = gather(source)
    assert why(week) == {"runs": words, "cost": words, "waste": words}
    assert week["reviews"] is not None
    assert week["alerts"] is not None
    assert f"  cost: {words}" in summary_lines(week)


def test_no_failure_brings_foreign_text_into_the_summary_or_the_log(caplog: pytest.LogCaptureFixture) -> None:
    def fall(_: Asked) -> Exception:
        return RuntimeError("a text with <telemetry>")

    week = gather(ScriptedSource(fall))
    assert len(week["unknown"]) == 3
    assert "telemetry>" not in str(week) + caplog.text
    assert "RuntimeError" in caplog.text


class Failing(MemoryDocuments):
    """Documents of which some, or the list of them, can't be read."""

    def __init__(self, *names: str) -> None:
        super().__init__()
        self._names = names

    def read(self, name: str) -> Document | None:
        if name in self._names:
            raise StorageError("It can't be read.", next_step="Wait.")
        return super().read(name)


def test_a_record_that_can_not_be_read_is_missed_and_the_others_are_counted() -> None:
    documents = Failing(f"{PREFIX}other")
    alerts = advanced({}, found(0, of=1)).alerts
    documents.write(f"{PREFIX}{CHECK.id}", state_to_json(CheckState(alerts=alerts)), version=None)
    documents.write(f"{PREFIX}other", {}, version=None)
    week = gather(empty(), documents)
    assert why(week) == {"alerts, coverage": "The records of 1 checks could not be read."}
    assert week["alerts"] is not None
    assert week["alerts"]["open"] == 1


def test_without_what_was_announced_only_that_is_not_known() -> None:
    week = gather(empty(), Failing(NAME))
    assert why(week) == {"undelivered": "Storage could not be read."}
    assert week["undelivered"] is None
    assert week["alerts"] is not None


def test_news_that_never_came_through_is_counted_wherever_it_waited() -> None:
    documents = MemoryDocuments()
    alert = next(iter(advanced({}, found(0, of=1)).alerts.values()))
    refused = [
        Entry("1", "pager", Notice(alert, "opened", 1, 0, FRIDAY, ("pager",)), 5, FRIDAY, "HTTP 500"),
        Entry("2", "pager", Notice(alert, "opened", 1, 0, WEEK.end, ("pager",)), 5, FRIDAY, "HTTP 500"),
    ]
    state = CheckState(outbox=Outbox(refused=tuple(refused)))
    documents.write(f"{PREFIX}{CHECK.id}", state_to_json(state), version=None)
    report = Announcement("3", "silence_report", FRIDAY, ("pager", "teams"), {})
    announced = [Entry("3", name, report, 1, FRIDAY, "HTTP 413") for name in ("pager", "teams")]
    body = announcements_to_json(Outbox(refused=tuple(announced), waiting=(replace(announced[0], key="4"),)))
    documents.write(NAME, body, version=None)
    assert gather(empty(), documents)["undelivered"] == [
        {"destination": "pager", "count": 2},
        {"destination": "teams", "count": 1},
    ]


def test_holds_are_counted_by_the_days_of_the_week() -> None:
    documents = MemoryDocuments()
    days = {"2026-11-22": Day(9, 9), "2026-11-23": Day(2, 1), "2026-11-29": Day(3), "2026-11-30": Day(9, 9)}
    documents.write(DOCUMENT, holds_json(Holds({}, days)), version=None)
    assert gather(empty(), documents)["holds"] == {"held": 5, "over_cap": 1}


def test_without_the_record_of_holds_only_they_are_not_known() -> None:
    week = gather(empty(), Failing(DOCUMENT))
    assert why(week) == {"evidence holds": "Storage could not be read."}
    assert week["holds"] is None
