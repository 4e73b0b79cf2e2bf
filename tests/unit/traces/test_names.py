"""Names under which frameworks send an agent become its one name, in both views."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

import pytest

from functions.configuration import SHIPPED, load_configuration
from functions.traces.agents import agents
from functions.traces.kql import compose
from local.azure_monitor.ingestion import Telemetry
from tests.checks.telemetry import START, Trace
from tests.fakes.telemetry import TelemetrySource

ATTRIBUTES = load_configuration(SHIPPED).agents.attributes
HOSTILE = ('"; spans | take 0 //', "a\\b\"c'd", "$tenant", "line\nend", "%_", "[broker]")


def asked(query: str, names: dict[str, str], sent: Iterable[str]) -> list[tuple[object, ...]]:
    """Return the rows of a query over one run of each agent that is sent, which calls one tool."""
    telemetry = Telemetry()
    for number, name in enumerate(sent, start=1):
        trace = Trace(number)
        trace.tool("lookup", trace.agent(name, trace.request()))
        telemetry.ingest(trace.envelopes, delay=timedelta(seconds=1))
    kql = compose(
        query,
        attributes=replace(ATTRIBUTES, names=names),
        tables=(),
        received_from=START,
        received_to=START + timedelta(hours=1),
        every=timedelta(minutes=5),
        lookback=timedelta(0),
        settle=timedelta(0),
    )
    day = timedelta(days=1)
    return list(TelemetrySource(telemetry).query(kql, since=START - day, until=START + day).rows)


def meant(names: dict[str, str], *sent: str) -> list[object]:
    """Return which agents the runs are of, in the order in which they were sent."""
    return [name for (name,) in asked("runs | order by TraceId asc | project Agent", names, sent)]


def test_a_further_name_stands_for_its_agent_and_others_stay() -> None:
    names = {"broker-v2": "broker", "asst_abc": "broker"}
    sent = ("broker", "broker-v2", "asst_abc", "broker-v22", "Broker-v2", "")
    assert meant(names, *sent) == ["broker", "broker", "broker", "broker-v22", "Broker-v2", ""]


def test_a_star_at_the_end_stands_for_any_ending() -> None:
    sent = ("broker-", "broker-2:7", "Broker-2", "a broker-2", "broker")
    assert meant({"broker-*": "broker"}, *sent) == ["broker", "broker", "Broker-2", "a broker-2", "broker"]


def test_a_star_elsewhere_stands_for_itself() -> None:
    assert meant({"a*b": "broker"}, "a*b", "axb") == ["broker", "axb"]


def test_a_whole_name_wins_over_a_beginning_and_a_longer_beginning_over_a_shorter() -> None:
    names = {"a*": "one", "ab*": "two", "abc": "three"}
    assert meant(names, "a", "ab", "abc", "abcd") == ["one", "two", "three", "two"]


def test_what_lies_below_a_run_has_its_one_name_too() -> None:
    query = "spans | where Operation == 'execute_tool' | project Agent, Tool"
    assert asked(query, {"broker-v2": "broker"}, ["broker-v2"]) == [("broker", "lookup")]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_a_name_like_any_other(name: str) -> None:
    assert meant({name: "broker", f"{name}-*": name}, name, f"{name}-2", "other") == ["broker", name, "other"]


def test_where_no_agent_has_further_names_the_views_do_not_look_for_any() -> None:
    composed = asked_text({})
    assert "named" not in composed
    assert "named" in asked_text({"broker-v2": "broker"})


def asked_text(names: dict[str, str]) -> str:
    return compose(
        "spans",
        attributes=replace(ATTRIBUTES, names=names),
        tables=(),
        received_from=START,
        received_to=START,
        every=timedelta(minutes=5),
        lookback=timedelta(0),
        settle=timedelta(0),
    )


def test_an_agent_keeps_its_own_name_where_the_beginning_of_another_fits_it() -> None:
    entries = {"broker": {"owner": "desk", "names": ["b*"]}, "bailiff": {"owner": "court"}}
    body = {
        "attributes": {
            **dict.fromkeys(
                ("tenant", "intent", "prompt_version", "environment", "data_as_of", "document_count"), ()
            ),
            "document_ids": (),
            "dimensions": {},
        },
        "agents": entries,
    }
    assert agents(body).attributes.names == {"b*": "broker", "broker": "broker", "bailiff": "bailiff"}
