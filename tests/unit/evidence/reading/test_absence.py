"""Why a trace is not there, and what the answer rests on."""

import io
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache

import pytest

from functions.access.scope import Scope
from functions.alerts.alert import alert_id
from functions.alerts.episode import opened
from functions.alerts.state import PREFIX, CheckState, state_to_json
from functions.checks.finding import Finding, Window
from functions.configuration import SHIPPED, load_configuration
from functions.errors import (
    NotFound,
    TraceAbsent,
    TraceExpired,
    TraceNotFound,
    TraceSampledOut,
    TraceTooRecent,
    TraceUnknown,
    TraceVanished,
)
from functions.evidence.reading.absence import ARRIVING, Known, Naming, Nearby, explain
from functions.evidence.reading.reading import Asked, Reading
from functions.evidence.seals.seals import SealedRun, make_seal
from functions.evidence.seals.store import Reach, Seals
from functions.traces.source import TraceSource
from local.azure_monitor.ingestion import Telemetry
from tests.checks.telemetry import Trace
from tests.fakes.storage import MemoryDocuments, MemoryObjects
from tests.fakes.telemetry import TelemetrySource
from tests.unit.alerts.building import CHECK
from tests.unit.evidence.material import protection
from tests.unit.evidence.reporting import PRICES
from tests.unit.triggers.rig import NoControls

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
KEPT_SINCE = NOW - timedelta(days=90)
YESTERDAY, LONG_AGO = NOW - timedelta(days=1), NOW - timedelta(days=120)
GONE = "f" * 32
BASE = Known(now=NOW, kept_since=KEPT_SINCE)
ALL_KEPT, SOME_SAMPLED, NONE = Nearby(10, 0, 10), Nearby(10, 4, 40), Nearby(0, 0, 0)
NAMED = (Naming("a" * 16, YESTERDAY, YESTERDAY + timedelta(minutes=5)),)
OLD = (Naming("a" * 16, LONG_AGO, LONG_AGO + timedelta(minutes=5)),)


@pytest.mark.parametrize(
    ("known", "nearby", "kind"),
    [
        (BASE, None, TraceUnknown),
        (replace(BASE, around=YESTERDAY), ALL_KEPT, TraceNotFound),
        (replace(BASE, around=YESTERDAY), SOME_SAMPLED, TraceSampledOut),
        (replace(BASE, around=YESTERDAY), NONE, TraceUnknown),
        (replace(BASE, around=YESTERDAY), None, TraceUnknown),
        (replace(BASE, around=LONG_AGO), SOME_SAMPLED, TraceExpired),
        (replace(BASE, around=KEPT_SINCE - timedelta(seconds=1)), ALL_KEPT, TraceExpired),
        (replace(BASE, around=KEPT_SINCE), ALL_KEPT, TraceNotFound),
        (replace(BASE, around=NOW - timedelta(seconds=1)), SOME_SAMPLED, TraceTooRecent),
        (replace(BASE, around=NOW - ARRIVING), ALL_KEPT, TraceNotFound),
        (replace(BASE, around=NOW + timedelta(days=1)), ALL_KEPT, TraceTooRecent),
        (replace(BASE, sealed=date(2026, 11, 20)), SOME_SAMPLED, TraceVanished),
        (replace(BASE, sealed=date(2026, 11, 24)), None, TraceVanished),
        (replace(BASE, sealed=date(2026, 7, 20)), None, TraceExpired),
        (replace(BASE, named=NAMED), None, TraceVanished),
        (replace(BASE, named=OLD), None, TraceExpired),
        # What is written down goes before what somebody remembers.
        (replace(BASE, sealed=date(2026, 11, 20), around=LONG_AGO), None, TraceVanished),
        (replace(BASE, named=OLD, around=YESTERDAY), None, TraceExpired),
    ],
)
def test_what_is_known_tells_them_apart(known: Known, nearby: Nearby | None, kind: type[TraceAbsent]) -> None:
    assert type(explain(known, nearby)) is kind


def test_the_answer_says_what_it_rests_on() -> None:
    told = explain(replace(BASE, sealed=date(2026, 7, 20), named=NAMED, around=YESTERDAY), None)
    assert told.evidence == (
        "The seal of 2026-07-20 holds it.",
        f"The alert {'a' * 16} named it for the window from 2026-11-23T12:00:00Z to 2026-11-23T12:05:00Z.",
        "You say it was around 2026-11-23T12:00:00Z.",
        "Rows are kept since 2026-08-26T12:00:00Z.",
    )
    sampled = explain(replace(BASE, around=YESTERDAY), SOME_SAMPLED)
    assert sampled.evidence[-1] == "4 of 10 spans around then stand for more than one: there were 40."


@cache
def source() -> TraceSource:
    """Return one whole trace of the broker yesterday, and one of the dispatcher that stands for four."""
    telemetry = Telemetry()
    for number, agent, rate in ((1, "broker", 100.0), (2, "dispatcher", 25.0)):
        trace = Trace(number, start=YESTERDAY, sample_rate=rate)
        trace.agent(agent)
        telemetry.ingest(trace.envelopes, delay=timedelta(seconds=1))
    return TelemetrySource(telemetry)


def reading() -> tuple[Reading, MemoryDocuments, MemoryObjects]:
    documents, objects = MemoryDocuments(), MemoryObjects()
    attributes = load_configuration(SHIPPED).agents.attributes
    seals = Seals(objects, documents)
    made = Reading(
        source(),
        protection,
        attributes,
        PRICES,
        NoControls(),
        documents,
        seals,
        timedelta(days=90),
        lambda: NOW,
    )
    return made, documents, objects


def absence(made: Reading, around: datetime | None = None, agent: str | None = None) -> TraceAbsent:
    with pytest.raises(TraceAbsent) as absent:
        made.read(GONE, asked=Asked(around, agent))
    return absent.value


@pytest.mark.parametrize(
    ("around", "agent", "kind"),
    [
        (None, None, TraceUnknown),
        (YESTERDAY, None, TraceSampledOut),
        (YESTERDAY, "dispatcher", TraceSampledOut),
        (YESTERDAY, "broker", TraceNotFound),
        (YESTERDAY, 'x" or true //', TraceUnknown),
        (YESTERDAY + timedelta(hours=3), None, TraceUnknown),
        (LONG_AGO, None, TraceExpired),
        (NOW, None, TraceTooRecent),
    ],
)
def test_the_source_is_asked_for_what_came_around_then(
    around: datetime | None, agent: str | None, kind: type[TraceAbsent]
) -> None:
    assert type(absence(reading()[0], around, agent)) is kind


def test_an_alert_that_names_it_is_a_witness() -> None:
    made, documents, _ = reading()
    key = {"Agent": "broker"}
    window = Window(YESTERDAY, YESTERDAY + timedelta(minutes=5))
    found = Finding(CHECK.id, key, window, 9.0, 1.0, 1, (GONE.upper(),), {})
    alert = alert_id(CHECK.id, key)
    state = CheckState(alerts={alert: opened(alert, None, found, CHECK)})
    documents.write(PREFIX + CHECK.id, state_to_json(state), version=None)
    told = absence(made)
    assert type(told) is TraceVanished
    assert alert in told.evidence[0]


@pytest.mark.parametrize(
    ("day", "kind"), [(date(2026, 11, 20), TraceVanished), (date(2026, 7, 1), TraceExpired)]
)
def test_a_seal_that_holds_it_is_a_witness(day: date, kind: type[TraceAbsent]) -> None:
    made, _, _ = reading()
    started = datetime.combine(day, datetime.min.time(), UTC)
    run = SealedRun(GONE, started, "broker", "", "")
    seal, listed = make_seal([run], day=day, unusable=0, sealed_at=NOW, key_id="test")
    made.seals.put(seal, listed)
    made.seals.extend(Reach(day, day + timedelta(days=1)), None)
    told = absence(made)
    assert type(told) is kind
    assert told.evidence[0] == f"The seal of {day} holds it."


def test_a_seal_that_is_damaged_is_no_witness_and_says_so() -> None:
    made, _, objects = reading()
    day = date(2026, 11, 20)
    objects.put(f"seals/{day}/seal.json", io.BytesIO(b"{}"))
    made.seals.extend(Reach(day, day + timedelta(days=1)), None)
    told = absence(made, YESTERDAY, "broker")
    assert type(told) is TraceNotFound
    assert told.evidence[0].startswith("The seals can't be asked.")


def test_who_may_see_a_part_learns_nothing_of_it() -> None:
    made, _, _ = reading()
    answers = set()
    for trace_id in (GONE, f"{2:032x}"):
        with pytest.raises(NotFound) as refused:
            made.read(trace_id, scope=Scope(frozenset({"broker"})), asked=Asked(LONG_AGO))
        answers.add((type(refused.value), str(refused.value)))
    assert answers == {(NotFound, str(refused.value))}
