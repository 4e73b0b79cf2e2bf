"""Who is told of an alert, who is told further, and what keeps what quiet."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType

import pytest

from functions.alerts.alert import Alert
from functions.alerts.routing import (
    DELIVERY_FAILED,
    Inhibitors,
    destinations_for,
    escalation_for,
    inhibited_by,
    inhibiting,
    inhibiting_first,
    inhibitors_among,
)
from functions.alerts.rules import DestinationRule, Inhibition, Route
from functions.checks.definition import Severity
from tests.unit.alerts.building import RULES, advanced, found

DESTINATIONS = tuple(DestinationRule(name, "teams", name.upper()) for name in ("teams", "desk", "pager"))
AT_HAND = replace(
    RULES,
    destinations=DESTINATIONS,
    agent_owners={"broker": "trading"},
    environment="production",
)
(OPEN,) = advanced({}, found(0, of=1)).alerts.values()
BROKER = MappingProxyType({"Agent": "broker"})


def alert(
    check_id: str = "slow_run",
    *,
    severity: Severity = "medium",
    key: Mapping[str, str] = BROKER,
    environment: str | None = None,
) -> Alert:
    """Return an open alert of a check whose owner is "platform"."""
    shows = {"Environment": environment} if environment else {}
    return replace(OPEN, check_id=check_id, severity=severity, owner="platform", key=key, shows=shows)


def told(one: Alert, *routes: Route) -> tuple[str, ...]:
    return destinations_for(one, replace(AT_HAND, routes=routes))


ALL = Route({}, ("teams",))


@pytest.mark.parametrize(
    ("fact", "patterns", "fits"),
    [
        ("severity", ("medium",), True),
        ("severity", ("critical", "high"), False),
        ("owner", ("platform",), True),
        ("owner", ("trading",), True),
        ("owner", ("finops",), False),
        ("agent", ("brok*",), True),
        ("agent", ("Broker",), False),
        ("environment", ("production",), True),
        ("environment", ("staging",), False),
        ("check", ("slow_step", "slow_?un"), True),
        ("check", ("slow",), False),
    ],
)
def test_a_route_takes_the_alert_whose_facts_fit_a_pattern(
    fact: str, patterns: tuple[str, ...], fits: bool
) -> None:
    assert told(alert(), Route({fact: patterns}, ("desk",)), ALL) == (("desk",) if fits else ("teams",))


def test_every_fact_that_a_route_names_must_fit() -> None:
    route = Route({"agent": ("broker",), "severity": ("high",)}, ("desk",))
    assert told(alert(severity="high"), route, ALL) == ("desk",)
    assert told(alert(), route, ALL) == ("teams",)


def test_an_alert_without_an_agent_fits_no_pattern_of_agents() -> None:
    blind = alert("source_blind", key={"Path": "AppDependencies"})
    assert told(blind, Route({"agent": ("*",)}, ("desk",)), ALL) == ("teams",)


def test_the_environment_that_the_finding_shows_goes_before_the_deployments() -> None:
    staging = Route({"environment": ("staging",)}, ("desk",))
    assert told(alert(environment="staging"), staging, ALL) == ("desk",)


def test_the_first_route_that_fits_ends_the_search_unless_it_goes_on() -> None:
    first = Route({}, ("desk", "pager"))
    assert told(alert(), first, ALL) == ("desk", "pager")
    assert told(alert(), replace(first, goes_on=True), Route({}, ("teams", "desk"))) == (
        "desk",
        "pager",
        "teams",
    )


def test_without_a_route_or_one_that_fits_all_are_told() -> None:
    assert told(alert()) == ("teams", "desk", "pager")
    assert told(alert(), Route({"severity": ("low",)}, ("desk",))) == ("teams", "desk", "pager")


def test_a_destination_that_fails_is_not_told_of_it() -> None:
    failing = alert(DELIVERY_FAILED, key={"Destination": "teams"})
    assert told(failing, Route({}, ("teams", "desk"))) == ("desk",)
    assert told(failing, ALL) == ("desk", "pager")
    assert told(alert(key={"Destination": "teams"}), ALL) == ("teams",)


def test_an_alert_is_told_further_by_the_routes_that_took_it() -> None:
    after = timedelta(minutes=30)
    late = Route({}, ("teams",), goes_on=True, escalate_after=2 * after, escalate_to=("desk",))
    soon = Route({"agent": ("broker",)}, ("teams",), escalate_after=after, escalate_to=("pager", "desk"))
    routes = replace(AT_HAND, routes=(late, soon, replace(soon, escalate_to=("teams",))))
    assert escalation_for(alert(), routes) == (after, ("desk", "pager"))
    assert escalation_for(alert(key={"Agent": "other"}), replace(routes, routes=(soon, ALL))) is None


def test_a_failing_destination_is_no_escalation_either() -> None:
    failing = alert(DELIVERY_FAILED, key={"Destination": "desk"})
    route = replace(ALL, escalate_after=timedelta(hours=1), escalate_to=("desk",))
    assert escalation_for(failing, replace(AT_HAND, routes=(route,))) is None


SILENT_AGENT = Inhibition("silent-agent", ("telemetry_silence",), ("Agent",), ("incomplete_telemetry",))
BLIND = Inhibition(
    "blind",
    ("source_blind",),
    (),
    ("check_failed", "telemetry_silence"),
    where={"Path": "AppDependencies"},
)
QUIETING = replace(AT_HAND, inhibitions=(SILENT_AGENT, BLIND))


def quieted(one: Alert, *active: Alert) -> tuple[str, ...]:
    return inhibited_by(
        one, QUIETING, inhibitors_among([(other.check_id, other.key) for other in active], QUIETING)
    )


def test_an_active_alert_keeps_those_of_the_same_key_quiet() -> None:
    silence = alert("telemetry_silence")
    incomplete = alert("incomplete_telemetry", key={"Agent": "broker", "Cause": "sampling"})
    assert quieted(incomplete, silence) == ("silent-agent",)
    assert quieted(replace(incomplete, key={"Agent": "other", "Cause": "sampling"}), silence) == ()
    assert quieted(replace(incomplete, key={"Cause": "sampling"}), silence) == ()
    assert quieted(alert("slow_run"), silence) == ()


def test_an_inhibition_without_columns_needs_any_alert_of_its_checks() -> None:
    blind = alert("source_blind", key={"Path": "AppDependencies"})
    assert quieted(alert("check_failed", key={"Check": "slow_run"}), blind) == ("blind",)


def test_an_inhibition_needs_an_alert_with_the_values_that_it_names() -> None:
    blind = alert("source_blind", key={"Path": "AppGenAIContent"})
    assert quieted(alert("check_failed", key={"Check": "slow_run"}), blind) == ()


def test_a_critical_alert_is_kept_quiet_by_no_inhibition() -> None:
    blind = alert("source_blind", key={"Path": "AppDependencies"})
    assert quieted(alert("telemetry_silence"), blind) == ("blind",)
    assert quieted(alert("telemetry_silence", severity="critical"), blind) == ()


def test_nothing_is_quiet_where_nothing_is_active() -> None:
    assert inhibited_by(alert("incomplete_telemetry"), QUIETING, Inhibitors()) == ()


def test_what_may_mute_a_check_is_put_before_it_and_all_else_stays_in_order() -> None:
    late = Inhibition("late", ("ingestion_lag",), (), ("a_site_check", "incomplete_telemetry"))
    rules = replace(
        QUIETING, inhibitions=(late, replace(SILENT_AGENT, mutes=("ingestion_lag", "incomplete_telemetry")))
    )
    ids = ("a_site_check", "incomplete_telemetry", "ingestion_lag", "slow_run", "telemetry_silence")
    assert inhibiting("incomplete_telemetry", rules) == ("ingestion_lag", "telemetry_silence")
    assert inhibiting_first(ids, rules) == (
        "telemetry_silence",
        "ingestion_lag",
        "a_site_check",
        "incomplete_telemetry",
        "slow_run",
    )
    assert inhibiting_first(ids[:2], rules) == ids[:2]
