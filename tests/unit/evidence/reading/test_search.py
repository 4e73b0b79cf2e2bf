"""Traces found by a conversation, a user or an agent, over telemetry in the tables of Azure Monitor."""

from datetime import timedelta
from functools import cache
from typing import Any

import orjson
import pytest

from functions.access.scope import EVERYTHING, Scope
from functions.configuration import SHIPPED, load_configuration
from functions.errors import InvalidRequest, NotFound
from functions.evidence.reading.reading import Reading
from functions.evidence.reading.search import MOST_TRACES, Searching
from functions.evidence.reading.search_request import parse_search
from functions.evidence.seals.store import Seals
from functions.traces.agents import Agents
from local.azure_monitor.ingestion import Telemetry
from tests.checks.telemetry import START, Trace, Way
from tests.fakes.storage import MemoryDocuments, MemoryObjects
from tests.fakes.telemetry import TelemetrySource
from tests.unit.evidence.material import protection
from tests.unit.evidence.reporting import PRICES
from tests.unit.evidence.rig import RememberingSource
from tests.unit.triggers.rig import NoControls

NOW = START + timedelta(hours=3)
WHY = {"reason": "a claim is disputed", "ticket": "CASE-7"}
TIMES = {"start": "2026-11-20T00:00:00Z", "end": "2026-11-20T23:00:00Z"}
PERSON = "ada.lovelace@example.com"


def trace(number: int, agent: str, tenant: str = "", conversation: str = "", **properties: str) -> Trace:
    made = Trace(number, start=START + timedelta(minutes=number))
    facts = {"tenant.id": tenant, "gen_ai.conversation.id": conversation} | properties
    top = made.request()
    run = made.agent(agent, top, **{name: value for name, value in facts.items() if value})
    made.chat(run, (100 * number, 10), model="gpt-4o")
    return made


def traces() -> list[Trace]:
    one, two, both = (
        trace(1, "dispatcher", "acme", "c-1"),
        trace(2, "broker", "acme", "c-2"),
        trace(3, "dispatcher", "acme", "c-1"),
    )
    both.agent("broker", "", **{"tenant.id": "acme"})
    other = trace(4, "dispatcher", "globex", "c-4")
    nobody = trace(5, "dispatcher", "", "c-5")
    logged = trace(6, "dispatcher", "acme", "c-6")
    logged.row(
        "MessageData",
        {"message": "x", "properties": {"tenant.id": "globex"}},
        "",
        time=logged.start,
    )
    failed = trace(7, "dispatcher-v2", "acme", "c-7")
    failed.agent("dispatcher", "", success=False, **{"tenant.id": "acme"})
    person = Trace(8, start=START + timedelta(minutes=8))
    person.row(
        "RemoteDependencyData",
        {"name": "x", "duration": "0.00:00:01.500", "success": True, "type": "InProc", "resultCode": "0",
         "properties": {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": PERSON}},
        "", time=person.start, way=Way(tags={"ai.user.authUserId": PERSON}),
    )  # fmt: skip
    loop = Trace(9, start=START + timedelta(minutes=9))
    session = {"traceloop.association.properties.session_id": "c-9"}
    loop.span("", "", **{"traceloop.span.kind": "agent", "traceloop.entity.name": "broker", **session})
    return [one, two, both, other, nobody, logged, failed, person, loop]


@cache
def source() -> RememberingSource:
    telemetry = Telemetry()
    for made in traces():
        telemetry.ingest(made.envelopes, delay=timedelta(seconds=1))
    return RememberingSource(TelemetrySource(telemetry))


def agents() -> Agents:
    return load_configuration(SHIPPED).agents


@cache
def searching() -> Searching:
    return Searching(source(), protection, agents(), lambda: NOW)


def found(scope: Scope = EVERYTHING, **by: str) -> list[int]:
    search = searching().parse(WHY | TIMES | by)
    return [int(one["trace_id"], 16) for one in searching().find(search, scope)["traces"]]


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ({"conversation_id": "c-1"}, [3, 1]),
        ({"conversation_id": "c-9"}, [9]),
        ({"conversation_id": "nope"}, []),
        ({"user_id": PERSON}, [8]),
        ({"agent": "broker"}, [9, 3, 2]),
        ({"agent": "dispatcher", "end": "2026-11-20T10:03:00Z"}, [1]),
        ({"conversation_id": 'c-1" or true //'}, []),
    ],
)
def test_traces_are_found_by_what_they_belong_to_whatever_the_dialect(
    by: dict[str, str], expected: list[int]
) -> None:
    assert found(**by) == expected


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        (EVERYTHING, [7, 6, 5, 4, 3, 1]),
        (Scope(frozenset({"dispatcher"})), [6, 5, 4, 1]),
        (Scope(frozenset({"dispatcher", "broker"})), [6, 5, 4, 3, 1]),
        (Scope(None, frozenset({"acme"})), [7, 3, 1]),
        (Scope(frozenset({"dispatcher"}), frozenset({"acme"})), [1]),
        (Scope(None, frozenset()), []),
    ],
)
def test_beyond_the_scope_there_is_nothing(scope: Scope, expected: list[int]) -> None:
    assert found(scope, agent="dispatcher") == expected


@pytest.mark.parametrize(
    ("scope", "seen", "hidden"),
    [(Scope(frozenset({"dispatcher"})), 1, (2, 3)), (Scope(None, frozenset({"acme"})), 1, (5, 6))],
)
def test_who_may_find_a_trace_may_read_it_and_nobody_else(
    scope: Scope, seen: int, hidden: tuple[int, ...]
) -> None:
    documents = MemoryDocuments()
    reading = Reading(
        source(),
        protection,
        agents().attributes,
        PRICES,
        NoControls(),
        documents,
        Seals(MemoryObjects(), documents),
        timedelta(days=90),
        lambda: NOW,
    )
    assert reading.read(f"{seen:032x}", scope=scope)["spans"]
    answers = set()
    for trace_id in ("f" * 32, *(f"{number:032x}" for number in hidden)):
        with pytest.raises(NotFound) as refused:
            reading.read(trace_id, scope=scope)
        answers.add((type(refused.value), str(refused.value)))
    assert len(answers) == 1


def test_what_is_told_of_a_trace_is_sanitized_and_adds_up() -> None:
    told = searching().find(searching().parse(WHY | TIMES | {"conversation_id": "c-7"}), EVERYTHING)
    (one,) = told["traces"]
    assert (one["agents"], one["releases"], one["runs"]) == (["dispatcher", "dispatcher-v2"], ["1.0.0"], 2)
    assert (one["input_tokens"], one["output_tokens"], one["success"]) == (700, 10, False)
    assert one["duration_ms"] == 200
    assert told["cut"] is False
    by_person = searching().find(searching().parse(WHY | TIMES | {"user_id": PERSON}), EVERYTHING)
    assert by_person["traces"][0]["agents"] == []
    assert by_person["traces"][0]["duration_ms"] == 1500
    assert PERSON not in orjson.dumps(by_person).decode()


def test_of_too_many_the_latest_are_told_and_that_there_are_more() -> None:
    telemetry = Telemetry()
    for number in range(1, MOST_TRACES + 6):
        telemetry.ingest(trace(number, "broker", "", "c").envelopes, delay=timedelta(seconds=1))
    many = Searching(TelemetrySource(telemetry), protection, agents(), lambda: NOW)
    told = many.find(many.parse(WHY | TIMES | {"conversation_id": "c"}), EVERYTHING)
    numbers = [int(one["trace_id"], 16) for one in told["traces"]]
    assert numbers == list(range(MOST_TRACES + 5, 5, -1))
    assert told["cut"] is True


def test_the_ledger_gets_no_id_and_no_word_of_the_reason() -> None:
    for by in ({"conversation_id": "c-1"}, {"user_id": PERSON}, {"agent": "nobody"}, {"agent": "dispatcher"}):
        note = searching().note(searching().parse(WHY | TIMES | by))
        text = orjson.dumps(note).decode()
        assert note["ticket"] == "CASE-7"
        assert not [word for word in ("c-1", PERSON, "disputed", '"nobody"') if word in text]
    pseudonym = protection().pseudonyms.of("conversation", "c-1")
    assert searching().note(searching().parse(WHY | {"conversation_id": "c-1"}))["conversation"] == pseudonym


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"conversation_id": "c", "user_id": "u"},
        {"conversation_id": ""},
        {"conversation_id": "x" * 257},
        {"conversation_id": "a\nb"},
        {"conversation_id": 7},
        {"user_id": None},
        {"agent": "broker", "start": None, "end": None},
        {"agent": "a'b", **TIMES},
        {"agent": "broker", "start": "2026-11-01", "end": "2026-11-02"},
        {"agent": "broker", "start": "2026-11-02T00:00:00Z", "end": "2026-11-01T00:00:00Z"},
        {"agent": "broker", "start": "2026-10-02T00:00:00Z", "end": "2026-11-20T00:00:00Z"},
        {"agent": "broker", "start": "0001-01-01T00:00:00+23:59", "end": "2026-11-20T00:00:00Z"},
        {"conversation_id": "c", "start": "2026-11-01T00:00:00Z"},
        {"conversation_id": "c", "query": "AppTraces"},
        {"conversation_id": "c", "reason": ""},
        {"conversation_id": "c", "ticket": None},
        {"conversation_id": "c", "reason": "for ada@example.com"},
        {"conversation_id": "c", "ticket": "123-45-6789"},
    ],
)
def test_a_search_that_says_too_little_or_too_much_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest):
        searching().parse(WHY | changes)


@pytest.mark.parametrize("body", [None, [], "x", 7])
def test_what_is_no_object_is_refused(body: object) -> None:
    with pytest.raises(InvalidRequest):
        parse_search(body, now=NOW)
