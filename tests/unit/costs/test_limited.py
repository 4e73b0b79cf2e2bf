"""Who sees some agents or tenants sees their costs, and nobody else's."""

from dataclasses import replace
from datetime import date, timedelta
from functools import cache

import pytest

from functions.access.scope import Scope
from functions.costs.prices import Provisioned
from functions.costs.question import Period, Question
from functions.errors import Forbidden
from local.azure_monitor.ingestion import Telemetry
from tests.checks.bench import EngineSource
from tests.checks.telemetry import Trace
from tests.unit.costs.test_report import END, NOON, PRICES, START, costs_of, fleet

TRIAGE, ACME = Scope(frozenset({"triage"})), Scope(None, frozenset({"acme"}))
PERIOD = Period(START, END)
PROVISIONED = replace(PRICES, provisioned=(Provisioned("ptu", 24.0, date(2026, 11, 1)),))


@cache
def telemetry() -> Telemetry:
    """Return a call of 100 tokens for each agent and tenant, and one that names no tenant."""
    made = Telemetry()
    pairs = (("triage", "acme"), ("triage", "globex"), ("billing", "acme"), ("billing", ""))
    for number, (agent, tenant) in enumerate(pairs, start=1):
        trace = Trace(number, start=NOON + timedelta(minutes=number))
        run = trace.agent(agent, **({"tenant.id": tenant} if tenant else {}))
        trace.chat(run, (100, 0), model="large", **{"gen_ai.request.model": "ptu"})
        trace.tool("search", run, success=False)
        trace.tool("search", run, after=0.4)
        made.ingest(trace.envelopes, delay=timedelta(seconds=1))
    return made


@pytest.mark.parametrize(
    ("scope", "by", "groups"),
    [
        (Scope(), "agent", {"triage": 2, "billing": 2}),
        (TRIAGE, "agent", {"triage": 2}),
        (TRIAGE, "tenant", {"~acme": 1, "~globex": 1}),
        (ACME, "agent", {"triage": 1, "billing": 1}),
        (ACME, "tenant", {"~acme": 2}),
        (Scope(frozenset({"triage"}), frozenset({"acme"})), "model", {"large": 1}),
        (Scope(frozenset(), None), "agent", {}),
        (Scope(None, frozenset()), "tenant", {}),
    ],
)
def test_costs_are_of_the_calls_within_the_scope(scope: Scope, by: str, groups: dict[str, int]) -> None:
    report = costs_of(EngineSource(telemetry()), fleet(triage="a", billing="b")).report(
        Question(PERIOD, by), scope
    )
    assert {group: its.calls for group, its in report.groups} == groups
    assert report.total.calls == sum(groups.values())


def test_a_share_of_what_is_provisioned_is_that_of_all_who_use_it_and_the_rest_is_not_told() -> None:
    costs = costs_of(EngineSource(telemetry()), fleet(triage="a", billing="b"), PROVISIONED)
    whole, part = (costs.report(Question(PERIOD, "agent"), scope) for scope in (Scope(), TRIAGE))
    shares = [dict(report.groups)["triage"].provisioned_cost for report in (whole, part)]
    assert shares[0] == shares[1] > 0
    assert (len(whole.provisioned), part.provisioned) == (1, ())


def test_what_is_lost_and_what_telemetry_weighs_is_within_the_scope() -> None:
    costs = costs_of(EngineSource(telemetry()), fleet(triage="a", billing="b"))
    assert {loss.agent for loss in costs.waste(PERIOD, TRIAGE).losses["retries"]} == {"triage"}
    assert {loss.agent for loss in costs.waste(PERIOD).losses["retries"]} == {"triage", "billing"}
    assert [agent for agent, _ in costs.telemetry(PERIOD, TRIAGE).agents] == ["triage"]
    assert len(costs.telemetry(PERIOD).agents) == 2


def test_telemetry_is_not_told_by_tenant() -> None:
    with pytest.raises(Forbidden):
        costs_of(EngineSource(telemetry()), fleet()).telemetry(PERIOD, ACME)
