"""Questions over the real KQL engine, and what follows for checks."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions.canary.canary import Canary
from functions.canary.looking import Looking, read_sight
from functions.canary.sight import Place
from functions.canary.telling import SIGHT_CHECK
from functions.checks.runner import Evaluated, EvaluationFailed, NothingDue, Outcome
from functions.errors import CanaryRefused, QueryRejected
from functions.traces.source import Rows
from local.azure_monitor.faults import Lasting
from local.azure_monitor.ingestion import Telemetry
from tests.checks.telemetry import Trace
from tests.fakes.source import Asked, ScriptedSource
from tests.fakes.storage import MemoryDocuments
from tests.fakes.telemetry import TelemetrySource
from tests.unit.alerts.building import CHECK

KEY = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
START = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
CONTENT_CHECK = replace(CHECK, id="duplicate_retrieval", needs=("spans", "content"))
USAGE_CHECK = replace(CHECK, id="cost_spike", needs=("usage",))


class ProtectedSource(TelemetrySource):
    """Sees no row of AppGenAIContent while the role is missing, and gets no error for it."""

    hidden = False

    def query(self, kql: str, *, since: datetime, until: datetime) -> Rows:
        answer = super().query(kql, since=since, until=until)
        gone = self.hidden and kql.startswith("AppGenAIContent")
        return Rows(answer.columns, ()) if gone else answer


class World:
    """A workspace, and a service that sends marker runs to it or not."""

    def __init__(self, *, canaries: bool, expected: Place = "table", content_apart: bool = False) -> None:
        self.now = START
        self.telemetry = Telemetry()
        self.source = ProtectedSource(self.telemetry)
        self.content = ProtectedSource(self.telemetry) if content_apart else None
        self.documents = MemoryDocuments()
        self.lasting = Lasting()
        self.lost = False
        self.refuses = False
        self.alter = False
        self.watermark: datetime | None = None
        self.canary = Canary(self.documents, self, KEY, clock=lambda: self.now)
        self.looking = Looking(
            self.documents,
            self.source,
            (CONTENT_CHECK, CHECK, USAGE_CHECK),
            canaries=canaries,
            expected=expected,
            clock=lambda: self.now,
            content=self.content,
        )

    def send(self, envelopes: Any) -> None:
        if self.refuses:
            raise CanaryRefused("No.", next_step="Ask.")
        if self.alter:
            envelopes[1]["data"]["baseData"]["properties"]["gen_ai.tool.call.arguments"] = "***"
        if not self.lost:
            self.telemetry.ingest(envelopes, delay=SECOND, lasting=self.lasting)

    def agent_calls_a_tool(self, number: int) -> None:
        trace = Trace(number, start=self.now)
        arguments = {"gen_ai.tool.call.arguments": "{}"}
        trace.tool("search", trace.agent("broker"), **arguments)  # type: ignore[arg-type] - properties
        self.telemetry.ingest(trace.envelopes, delay=SECOND, lasting=self.lasting)

    def look(self) -> Outcome:
        outcome = self.looking.judge_due(SIGHT_CHECK, watermark=self.watermark, now=self.now)
        if isinstance(outcome, Evaluated):
            self.watermark = outcome.watermark
        return outcome

    def later(self, minutes: float) -> "World":
        self.now += timedelta(minutes=minutes)
        return self

    def answers(self) -> dict[str, str]:
        sight = read_sight(self.documents)
        return {need: known.answer for need, known in sight.needs.items()} if sight else {}

    def told(self) -> list[tuple[dict[str, str], object, float]]:
        outcome = self.look()
        assert isinstance(outcome, Evaluated)
        (window,) = outcome.judged
        return [(dict(one.key), one.shows["Answer"], one.value) for one in window.findings]


def watched(**options: Any) -> World:
    """A world in which one marker run has come through."""
    world = World(canaries=True, **options)
    world.canary.send()
    world.later(1)
    return world


def test_with_a_marker_run_in_sight_no_check_is_blind() -> None:
    world = watched()
    assert world.told() == []
    assert world.answers() == {"spans": "pass", "content": "pass"}
    assert world.looking.blindness(CONTENT_CHECK) is None


def test_content_on_the_basic_plan_is_looked_for_where_it_can_be_read() -> None:
    world = watched(content_apart=True)
    assert world.told() == []
    assert world.answers() == {"spans": "pass", "content": "pass"}
    assert world.content is not None
    assert all(kql.startswith("AppGenAIContent") for kql in world.content.asked)
    assert not any("AppGenAIContent" in kql for kql in world.source.asked)
    assert world.content.asked


def test_a_protected_table_blinds_what_needs_content_and_nothing_else() -> None:
    world = watched()
    world.source.hidden = True
    assert world.told() == [({"Path": "AppGenAIContent"}, "not allowed to look", 1.0)]
    assert world.answers() == {"spans": "pass", "content": "not_allowed"}
    assert "content: not allowed to look" in str(world.looking.blindness(CONTENT_CHECK))
    assert world.looking.blindness(CHECK) is None
    world.source.hidden = False
    assert world.later(1).told() == []
    assert world.looking.blindness(CONTENT_CHECK) is None


def test_content_left_inline_has_moved_unless_that_is_expected() -> None:
    world = World(canaries=True)
    world.lasting = Lasting(content_inline=True)
    world.canary.send()
    assert world.later(1).told() == [({"Path": "AppGenAIContent"}, "content has moved", 1.0)]
    opted_out = World(canaries=True, expected="inline")
    opted_out.lasting = Lasting(content_inline=True)
    opted_out.canary.send()
    assert opted_out.later(1).told() == []


def test_a_marker_run_that_does_not_come_blinds_all_that_needs_spans_and_is_told_once() -> None:
    world = World(canaries=True)
    world.lost = True
    world.canary.send()
    assert world.later(6).told() == [({"Path": "AppDependencies"}, "pipeline late", 2.0)]
    assert "pipeline late" in str(world.looking.blindness(CHECK))
    assert world.looking.blindness(USAGE_CHECK) is None


def test_what_nobody_knows_blinds_what_needs_content_at_once_and_is_told_after_twenty_minutes() -> None:
    world = World(canaries=True)
    world.refuses = True
    with pytest.raises(CanaryRefused):
        world.canary.send()
    assert world.told() == []
    assert world.answers() == {"spans": "unknown", "content": "unknown"}
    assert world.looking.blindness(CONTENT_CHECK) is not None
    assert world.looking.blindness(CHECK) is None
    outcome = world.later(19).look()
    assert isinstance(outcome, Evaluated)
    assert outcome.judged[0].unjudged  # an alert of before neither goes on nor ends
    assert world.later(2).told() == [({"Path": "AppDependencies"}, "nobody knows", 2.0)]


def test_an_answer_that_is_old_blinds_what_needs_content() -> None:
    world = watched()
    assert world.looking.blindness(CONTENT_CHECK) is not None
    world.look()
    assert world.later(14).looking.blindness(CONTENT_CHECK) is None
    assert world.later(2).looking.blindness(CONTENT_CHECK) is not None
    assert world.looking.blindness(CHECK) is None


def test_good_sight_is_asked_for_every_five_minutes_and_bad_sight_at_each_tick() -> None:
    world = watched()
    assert isinstance(world.look(), Evaluated)
    assert isinstance(world.later(1).look(), NothingDue)
    world.canary.send()
    world.source.hidden = True
    assert isinstance(world.later(3).look(), Evaluated)
    assert isinstance(world.look(), NothingDue)
    assert isinstance(world.later(1).look(), Evaluated)


def test_without_canaries_agents_own_content_tells_and_spans_are_not_judged() -> None:
    world = World(canaries=False)
    assert world.told() == []
    assert world.answers() == {"content": "pass"}
    world.source.hidden = True
    world.later(10).agent_calls_a_tool(1)
    assert world.later(20).told() == [({"Path": "AppGenAIContent"}, "not allowed to look", 1.0)]
    assert world.later(600).told() == [({"Path": "AppGenAIContent"}, "not allowed to look", 1.0)]
    world.source.hidden = False
    assert world.later(1).told() == []


def test_without_canaries_content_has_five_minutes_to_come() -> None:
    world = World(canaries=False)
    world.source.hidden = True
    world.agent_calls_a_tool(1)
    assert world.later(4).told() == []
    assert world.later(5).told() == [({"Path": "AppGenAIContent"}, "pipeline late", 1.0)]


def test_content_that_is_not_the_marker_runs_own_is_not_seen() -> None:
    world = World(canaries=True)
    world.alter = True
    world.canary.send()
    assert world.later(1).told() == [({"Path": "AppGenAIContent"}, "not allowed to look", 1.0)]


def test_without_canaries_inline_content_needs_no_other_table() -> None:
    world = World(canaries=False)
    world.lasting = Lasting(content_inline=True)
    world.agent_calls_a_tool(1)
    world.source.hidden = True
    assert world.later(30).told() == []


def test_after_an_outage_all_of_it_is_looked_at_before_its_windows_are_judged() -> None:
    world = World(canaries=False)
    world.look()
    world.source.hidden = True
    world.later(20).agent_calls_a_tool(1)
    assert world.later(600).told() == [({"Path": "AppGenAIContent"}, "not allowed to look", 1.0)]


def test_where_only_content_can_not_be_asked_only_that_is_unknown() -> None:
    def answer(asked: Asked) -> Rows | Exception:
        if asked.kql.startswith("AppGenAIContent"):
            return QueryRejected("No such table.", next_step="Look.")
        return Rows(("TraceId", "SpanId", "Received"), (("a", "b", START),))

    looking = Looking(
        documents := MemoryDocuments(),
        ScriptedSource(answer),
        (CONTENT_CHECK,),
        canaries=False,
        expected="table",
        clock=lambda: START,
    )
    assert isinstance(looking.judge_due(SIGHT_CHECK, watermark=None, now=START), Evaluated)
    sight = read_sight(documents)
    assert sight is not None
    assert sight.needs["content"].answer == "unknown"


def test_a_question_that_fails_is_a_failed_evaluation() -> None:
    failing = ScriptedSource([QueryRejected("Wrong.", next_step="Look.")])
    looking = Looking(MemoryDocuments(), failing, (), canaries=False, expected="table", clock=lambda: START)
    assert isinstance(looking.judge_due(SIGHT_CHECK, watermark=None, now=START), EvaluationFailed)
