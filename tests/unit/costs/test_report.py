"""Hand-made traces go through the real query on the local engine; their costs were worked out by hand."""

import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from functions.costs.costs import Costs
from functions.costs.prices import Prices, Provisioned, prices
from functions.costs.question import Period, Question
from functions.costs.report import Report
from functions.errors import SourceThrottled
from functions.traces.agents import Agents, agents
from functions.traces.lateness import TIME_MARGIN
from functions.traces.source import Rows, TraceSource
from local.azure_monitor.ingestion import Telemetry
from tests.checks.bench import EngineSource
from tests.checks.telemetry import Trace
from tests.fakes.source import ScriptedSource

START, END = datetime(2026, 11, 18, tzinfo=UTC), datetime(2026, 11, 21, tzinfo=UTC)
NOW = datetime(2026, 12, 1, tzinfo=UTC)
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
INPUT, OUTPUT = "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"
CACHED = "gen_ai.usage.cache_read.input_tokens"
PRICES = prices(
    {
        "currency": "EUR",
        "as_of": "2026-11-01",
        "source": "list",
        "models": [
            {
                "model": "large",
                "input": 10,
                "cached_input": 1,
                "output": 100,
                "batch": {"input": 5, "cached_input": 0.5, "output": 50},
            },
            {"model": "risen", "input": 1, "cached_input": 1, "output": 1, "valid_from": "2026-11-19"},
            {"model": "risen", "input": 2, "cached_input": 2, "output": 2, "valid_from": "2026-11-20"},
        ],
        "batch_deployments": ["nightly"],
    }
)
ATTRIBUTES = {
    "tenant": ["tenant.id"],
    "intent": [],
    "prompt_version": [],
    "environment": ["deployment.environment"],
    "data_as_of": [],
    "document_count": [],
    "document_ids": [],
    "dimensions": {"carrier": ["app.carrier"]},
}


def fleet(**owners: str) -> Agents:
    groups = {"triage": "desk"}
    entries = {name: {"owner": of, "group": groups.get(name, "")} for name, of in owners.items()}
    return agents({"attributes": ATTRIBUTES, "agents": entries})


def costs_of(source: TraceSource, of: Agents, at: Prices = PRICES) -> Costs:
    return Costs(source, of, at, tenant_pseudonym=lambda tenant: f"~{tenant}", clock=lambda: NOW)


def ask(
    telemetry: Telemetry, by: str, *, of: Agents | None = None, at: Prices = PRICES, end: datetime = END
) -> Report:
    costs = Costs(
        EngineSource(telemetry),
        of or fleet(),
        at,
        tenant_pseudonym=lambda tenant: f"~{tenant}",
        clock=lambda: NOW,
    )
    return costs.report(Question(Period(START, end), by))


@dataclass(frozen=True)
class Case:
    """A trace of one agent and its figures: 1 call, 1 run, else 0 where left out; none: no group at all."""

    build: Callable[[Trace, str], None]
    expect: Mapping[str, float | None]
    start: datetime = NOON
    sample_rate: float = 100.0
    delay: timedelta = timedelta(seconds=1)
    times: int = 1


def chat(tokens: tuple[int, int] | None, model: str = "large", **more: str) -> Callable[[Trace, str], None]:
    def build(trace: Trace, agent: str) -> None:
        trace.chat(trace.agent(agent), tokens, model=model, **more)

    return build


def span(operation: str, **properties: str) -> Callable[[Trace, str], None]:
    def build(trace: Trace, agent: str) -> None:
        trace.span(operation, trace.agent(agent), **{"gen_ai.response.model": "large", **properties})

    return build


def repeated(trace: Trace, agent: str) -> None:
    run = trace.agent(agent, **{INPUT: "1000", OUTPUT: "10", "gen_ai.response.model": "large"})
    outer = trace.chat(run, (1000, 10), model="large")
    trace.chat(outer, (1000, 10), model="large")


def two_runs(trace: Trace, agent: str) -> None:
    request = trace.request()
    for _ in range(2):
        run = trace.agent(agent, request)
        trace.chat(run, (100, 0), model="large")
        trace.chat(run, (100, 0), model="large")


def without_a_run(trace: Trace, agent: str) -> None:
    for _ in range(2):
        trace.span("chat", "", **{"gen_ai.agent.name": agent, "gen_ai.response.model": "large"})


TIERS = {"request.service_tier": "batch", "response.service_tier": "default"}
UNMETERED = {"without_usage": 1.0}
SHORT = {"input_tokens": 1000, "output_tokens": 10}
CASES = {
    "a call": Case(chat((1000, 10)), {**SHORT, "cost": 0.011}),
    "cached tokens have their own price": Case(
        chat((1000, 10), **{CACHED: "400"}), {**SHORT, "cached_tokens": 400, "cost": 0.0074}
    ),
    "more cached than input tokens don't make a call cheaper": Case(
        chat((100, 10), **{CACHED: "400"}),
        {"input_tokens": 100, "cached_tokens": 400, "output_tokens": 10, "cost": 0.0014},
    ),
    "sums on the agent and model spans around a call are the same call": Case(
        repeated, {**SHORT, "cost": 0.011}
    ),
    "a row received twice is one call": Case(chat((1000, 10)), {**SHORT, "cost": 0.011}, times=2),
    "a dated model has its family's price": Case(
        chat((1000, 10), "large-2026-05-13"), {**SHORT, "cost": 0.011}
    ),
    "an embedding has no output": Case(
        span("embeddings", **{INPUT: "1000"}), {"input_tokens": 1000, "cost": 0.01}
    ),
    "a tool call costs nothing": Case(span("execute_tool", **{INPUT: "1000", OUTPUT: "10"}), {}),
    "the last day of a price": Case(
        chat((1000, 0), "risen"),
        {"input_tokens": 1000, "cost": 0.001},
        start=datetime(2026, 11, 19, 23, 59, 59, tzinfo=UTC),
    ),
    "the first day of a price": Case(
        chat((1000, 0), "risen"),
        {"input_tokens": 1000, "cost": 0.002},
        start=datetime(2026, 11, 20, tzinfo=UTC),
    ),
    "a batch has its own price": Case(
        chat((1000, 10), **{CACHED: "400", "openai.response.service_tier": "batch"}),
        {**SHORT, "cached_tokens": 400, "cost": 0.0037},
    ),
    "the tier that was asked for, where none was told": Case(
        chat((1000, 10), **{"gen_ai.openai.request.service_tier": "batch"}), {**SHORT, "cost": 0.0055}
    ),
    "the tier that was given, not that asked for": Case(
        chat(
            (1000, 10), **{"openai.request.service_tier": "batch", "openai.response.service_tier": "default"}
        ),
        {**SHORT, "cost": 0.011},
    ),
    "a deployment for batches": Case(
        chat((1000, 10), **{"gen_ai.request.model": "nightly"}), {**SHORT, "cost": 0.0055}
    ),
    "a batch of a model without a price for it": Case(
        chat((1000, 10), "risen", **{"gen_ai.request.model": "nightly"}), {**SHORT, "without_price": 1.0}
    ),
    "before the first price": Case(
        chat((1000, 0), "risen"),
        {"input_tokens": 1000, "without_price": 1.0},
        start=datetime(2026, 11, 18, 23, tzinfo=UTC),
    ),
    "a model without a price": Case(chat((1000, 10), "unheard-of"), {**SHORT, "without_price": 1.0}),
    "no usage": Case(chat(None), UNMETERED),
    "half of the usage": Case(span("chat", **{INPUT: "1000"}), UNMETERED),
    "usage that can't be: negative input": Case(chat((-1000, 10)), UNMETERED),
    "usage that can't be: negative output": Case(chat((1000, -10)), UNMETERED),
    "usage that can't be: negative cache": Case(chat((1000, 10), **{CACHED: "-1"}), UNMETERED),
    "usage that can't be: endless": Case(chat((9_000_000_000_000_000_000, 10)), UNMETERED),
    "usage that is no number": Case(span("chat", **{INPUT: "many", OUTPUT: "10"}), UNMETERED),
    "a sampled call stands for others": Case(
        chat((1000, 10)),
        {
            "calls": 4,
            "runs": 4,
            "input_tokens": 4000,
            "output_tokens": 40,
            "cost": 0.044,
            "sampled": 0.75,
        },
        sample_rate=25.0,
    ),
    "two runs of two calls": Case(two_runs, {"calls": 4, "runs": 2, "input_tokens": 400, "cost": 0.004}),
    "calls outside any run count as one": Case(without_a_run, {"calls": 2, "without_usage": 1.0}),
    "received two days late": Case(
        chat((1000, 10)), {**SHORT, "cost": 0.011}, delay=timedelta(days=2) - timedelta(minutes=1)
    ),
    "made when the period begins": Case(
        chat((1000, 10)), {**SHORT, "cost": 0.011}, start=START - timedelta(seconds=0.1)
    ),
    "made just before": Case(chat((1000, 10)), {}, start=START - timedelta(seconds=0.2)),
    "made when the period ends": Case(chat((1000, 10)), {}, start=END - timedelta(seconds=0.1)),
}  # a call is made 0.1 s after its trace starts
NOTHING = {"input_tokens": 0, "cached_tokens": 0, "output_tokens": 0, "cost": 0.0, "provisioned_cost": 0.0}
SURE = {"without_usage": 0.0, "without_price": 0.0, "sampled": 0.0}


@pytest.fixture(scope="module")
def by_case() -> dict[str, dict[str, Any]]:
    telemetry = Telemetry()
    for number, (name, case) in enumerate(CASES.items(), start=1):
        trace = Trace(number, start=case.start, sample_rate=case.sample_rate)
        case.build(trace, name)
        for time in range(case.times):
            telemetry.ingest(trace.envelopes, delay=case.delay + timedelta(minutes=time))
    return {group.pop("group"): group for group in ask(telemetry, "agent").body()["groups"]}


@pytest.mark.parametrize("name", CASES)
def test_the_calls_of_a_trace_cost(by_case: dict[str, dict[str, Any]], name: str) -> None:
    expect = CASES[name].expect
    if not expect:
        assert name not in by_case
    else:
        assert by_case[name] == {"calls": 1, "runs": 1, **NOTHING, **SURE, **expect}


@pytest.fixture(scope="module")
def fleet_s_day() -> Telemetry:
    """Three runs: triage in production for two tenants, and a run of billing that hands over to triage."""
    telemetry = Telemetry()
    for number, tenant in enumerate(("acme", "umbrella"), start=1):
        trace = Trace(number, start=NOON)
        place = {"tenant.id": tenant, "deployment.environment": "production"}
        place |= {"app.carrier": "ups"} if tenant == "acme" else {}
        trace.chat(trace.agent("triage", trace.request(**place)), (1000, 0), model="large")
        telemetry.ingest(trace.envelopes, delay=timedelta(seconds=1))
    trace = Trace(3, start=NOON)
    run = trace.agent("billing", trace.request())
    trace.chat(run, (5000, 0), model="large")
    trace.chat(run, (1000, 0), model="unheard-of")
    trace.chat(run, (1000, 0), model="risen", **{"gen_ai.agent.name": "triage"})
    telemetry.ingest(trace.envelopes, delay=timedelta(seconds=1))
    return telemetry


OWNERS = {"triage": "service desk", "billing": "finance"}


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ("agent", {"billing": (2, 1, 0.05), "triage": (3, 3, 0.022)}),
        ("owner", {"finance": (2, 1, 0.05), "service desk": (3, 3, 0.022)}),
        ("environment", {None: (3, 1, 0.052), "production": (2, 2, 0.02)}),
        ("group", {None: (2, 1, 0.05), "desk": (3, 3, 0.022)}),
        ("dimension:carrier", {None: (4, 2, 0.062), "ups": (1, 1, 0.01)}),
        ("release", {"1.0.0": (5, 3, 0.072)}),
        ("tenant", {None: (3, 1, 0.052), "~acme": (1, 1, 0.01), "~umbrella": (1, 1, 0.01)}),
        ("model", {"large": (3, 3, 0.07), "risen": (1, 1, 0.002), "unheard-of": (1, 1, 0.0)}),
    ],
)
def test_costs_are_broken_down(
    fleet_s_day: Telemetry, by: str, expected: dict[str | None, tuple[int, int, float]]
) -> None:
    body = ask(fleet_s_day, by, of=fleet(**OWNERS)).body()
    found = {one["group"]: (one["calls"], one["runs"], one["cost"]) for one in body["groups"]}
    assert list(found.items()) == list(expected.items())  # the costliest first
    assert by in body["breakdowns"]
    total = body["total"]
    assert (total["calls"], total["runs"], total["cost"]) == (5, 3, 0.072)
    assert (total["without_usage"], total["without_price"], total["sampled"]) == (0.0, 0.2, 0.0)


def test_agents_that_nobody_declared_have_no_owner(fleet_s_day: Telemetry) -> None:
    ((owner, amount),) = ask(fleet_s_day, "owner").groups
    assert (owner, amount.calls, amount.runs) == (None, 5, 3)


def test_no_calls_is_not_the_same_as_sure() -> None:
    body = ask(Telemetry(), "agent").body()
    shares = dict.fromkeys(SURE)
    assert body["total"] == {"calls": 0, "runs": 0, **NOTHING, **shares}
    assert body["groups"] == []


def test_csv_has_a_line_for_each_group_and_no_formula() -> None:
    telemetry = Telemetry()
    trace = Trace(1, start=NOON)
    trace.chat(trace.agent("=cmd|'/c calc'!A1"), (1000, 10), model="large")
    telemetry.ingest(trace.envelopes, delay=timedelta(seconds=1))
    (line,) = csv.DictReader(io.StringIO(ask(telemetry, "agent").csv().decode(), newline=""), strict=True)
    assert line == {
        "agent": "'=cmd|'/c calc'!A1",
        "calls": "1",
        "runs": "1",
        "input_tokens": "1000",
        "cached_tokens": "0",
        "output_tokens": "10",
        "cost": "0.011",
        "provisioned_cost": "0.0",
        "without_usage": "0.0",
        "without_price": "0.0",
        "sampled": "0.0",
        "currency": "EUR",
    }


def test_a_source_that_fails_makes_no_report() -> None:
    source = ScriptedSource([SourceThrottled("Busy.", next_step="Wait.")])
    with pytest.raises(SourceThrottled):
        costs_of(source, fleet()).report(Question(Period(START, END), "agent"))


def test_one_query_is_asked_about_calls_and_what_came_in_late_with_them() -> None:
    source = ScriptedSource([Rows((), ())])
    costs_of(source, fleet()).report(Question(Period(START, END), "agent"))
    (asked,) = source.asked
    assert (asked.since, asked.until) == (START - timedelta(hours=1), END + timedelta(hours=1))
    assert (
        f"ReceivedTo = datetime({(END + TIME_MARGIN).isoformat(timespec='microseconds')[:-6]}Z)" in asked.kql
    )


def test_calls_to_a_provisioned_deployment_cost_its_hours_and_not_their_tokens() -> None:
    telemetry = Telemetry()
    trace = Trace(1, start=NOON)
    run = trace.agent("triage")
    for asked in ("reserved", "large"):
        trace.chat(run, (1000, 10), model="large", **{"gen_ai.request.model": asked})
    telemetry.ingest(trace.envelopes, delay=timedelta(seconds=1))
    at = replace(PRICES, provisioned=(Provisioned("reserved", 2.0, date(2026, 11, 20)),))
    report = ask(telemetry, "agent", at=at)
    ((_, its),) = report.groups
    assert (its.calls, its.cost, its.provisioned_cost) == (2, Decimal("0.011"), Decimal(48))
    assert its.without_price == 0.0
    assert report.body()["provisioned"] == [
        {
            "deployment": "reserved",
            "hours": 24.0,
            "cost": 48.0,
            "unused_cost": 0.0,
            "calls": 1,
            "tokens": 1010,
            "share_used": None,
        }
    ]


def test_budgets_are_measured_by_the_costliest_day_and_by_month() -> None:
    telemetry = Telemetry()
    for number, (day, tokens) in enumerate(((18, 1000), (20, 3000)), start=1):
        trace = Trace(number, start=datetime(2026, 11, day, 12, tzinfo=UTC))
        trace.chat(trace.agent("triage"), (tokens, 0), model="large")
        telemetry.ingest(trace.envelopes, delay=timedelta(seconds=1))
    entry = {"owner": "desk", "budgets": {"daily_usd": 0.02, "monthly_usd": 0.4}, "review_by": "2026-11-30"}
    of = agents({"attributes": ATTRIBUTES, "agents": {"triage": entry}})
    body = ask(telemetry, "agent", of=of).body()
    assert body["budgets"] == [
        {"agent": "triage", "period": "2026-11-20", "spent": 0.03, "limit": 0.02, "used": 1.5},
        {"agent": "triage", "period": "2026-11", "spent": 0.04, "limit": 0.4, "used": 0.1},
    ]
    assert body["overdue_reviews"] == [
        {"agent": "triage", "owner": "desk", "review_by": date(2026, 11, 30), "days": 1}
    ]
    assert ask(telemetry, "model", of=of).body()["budgets"] is None
