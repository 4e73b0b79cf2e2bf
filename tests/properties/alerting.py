"""Any weather: findings come and go, checks fail, hosts die and meet, clocks jump, destinations refuse."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from functions.alerts.acknowledging import Acknowledging
from functions.alerts.alert import Alert
from functions.alerts.answer import Rejected
from functions.alerts.rules import AlertRules, DestinationRule, Route
from functions.alerts.state import PREFIX, CheckState, state_from_json
from functions.checks.definition import Condition
from functions.delivery.interface import Channel
from functions.watch.watch import Watch
from tests.properties.chronicle import Chronicle
from tests.properties.stage import (
    AtOnce,
    Clock,
    Host,
    HostsDestination,
    HostsDocuments,
    Killed,
    Kind,
    NewsItself,
    Place,
    WatchedDocuments,
)
from tests.properties.truth import THRESHOLD, Expected, Key, Truth
from tests.unit.alerts.building import CHECK, START

MINUTE = timedelta(minutes=1)
ABOVE = Condition("above", {"threshold": THRESHOLD})
CHECKS = (
    replace(CHECK, id="one", key=("Agent",), settle=MINUTE, condition=ABOVE),
    replace(CHECK, id="two", key=("Agent",), settle=MINUTE, condition=ABOVE, windows_in_a_row=2),
)
NAMES = tuple(check.id for check in CHECKS)
KEYS = ((("Agent", "a"),), (("Agent", "b"),))
RULES = AlertRules(
    repeat_after=timedelta(minutes=30),
    resolve_after_quiet=2,
    report_failure_after=2,
    destinations=(
        DestinationRule("teams", "teams", "TEAMS_WEBHOOK_URL"),
        DestinationRule("pager", "webhook", "PAGER_WEBHOOK_URL"),
    ),
    routes=(Route({}, ("teams", "pager"), escalate_after=timedelta(minutes=45), escalate_to=("pager",)),),
    digest_above=2,
)
PLACES = ("teams", "pager")
ANSWERS = (
    Rejected(retryable=True, retry_after_seconds=None, reason="HTTP 500"),
    Rejected(retryable=True, retry_after_seconds=700.0, reason="HTTP 429"),
    Rejected(retryable=True, retry_after_seconds=None, reason="ReadTimeout"),
    Rejected(retryable=False, retry_after_seconds=None, reason="HTTP 400"),
)
KINDS: tuple[Kind, ...] = ("crash", "storage breaks", "rival")
DISTURBED = st.lists(st.tuples(st.integers(1, 12), st.sampled_from(KINDS)), max_size=3).map(dict)
LONGEST_SETTLING = 60
"""Ticks, of 20 minutes each: longer than all clocks were ever turned back and any destination asks for."""


class Alerting(RuleBasedStateMachine):
    """Two checks with two keys each, two destinations, two hosts."""

    seen: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock(START)
        self.truth = Truth(START)
        self.places = {name: Place(name, self.clock) for name in PLACES}
        expected = [Expected(check, START, RULES.resolve_after_quiet) for check in CHECKS]
        self.chronicle = Chronicle(self.truth, expected, self.places, RULES.repeat_after)
        self.documents = WatchedDocuments(self.chronicle.written)
        self.latest = START
        self.seen["examples"] += 1

    @rule(minutes=st.sampled_from((0, 1, 5, 5, 10, 35)), disturbed=DISTURBED)
    def tick(self, minutes: int, disturbed: dict[int, Kind]) -> None:
        self.seen["steps"] += 1
        self.move(minutes)
        self.run(disturbed)

    @rule(
        check=st.sampled_from(NAMES),
        key=st.sampled_from(KEYS),
        value=st.sampled_from((0.0, 50.0, 95.0, 400.0)),
        disturbed=DISTURBED,
    )
    def change(self, check: str, key: Key, value: float, disturbed: dict[int, Kind]) -> None:
        self.truth.wrong[check, key] = value
        self.tick(5, disturbed)

    @rule(check=st.sampled_from(NAMES), key=st.sampled_from(KEYS))
    def pass_by(self, check: str, key: Key) -> None:
        """Let something begin and end before the next tick."""
        self.truth.wrong[check, key] = 95.0
        self.move(10)
        self.truth.wrong[check, key] = 0.0
        self.tick(15, {})

    @rule(check=st.sampled_from(NAMES), down=st.booleans())
    def fail(self, check: str, down: bool) -> None:
        (self.truth.down.add if down else self.truth.down.discard)(check)
        self.tick(5, {})

    @rule(place=st.sampled_from(PLACES), answers=st.lists(st.sampled_from(ANSWERS), min_size=1, max_size=4))
    def refuse(self, place: str, answers: list[Rejected]) -> None:
        self.places[place].answers.extend(answers)
        self.tick(5, {})

    @rule(agent=st.sampled_from(("a", "b")), silenced=st.booleans())
    def silence(self, agent: str, silenced: bool) -> None:
        (self.chronicle.silenced.add if silenced else self.chronicle.silenced.discard)(agent)
        self.seen["silences changed"] += 1
        self.tick(5, {})

    @rule(number=st.integers(0, 3))
    def acknowledge(self, number: int) -> None:
        active = [one for state in self.states().values() for one in state.alerts.values() if one.active]
        if not active:
            return
        alert = active[number % len(active)]
        self.chronicle.acknowledged.add((alert.id, alert.episode))
        Acknowledging(self.documents, clock=self.clock).acknowledge(alert.id, "somebody")
        self.seen["acknowledged"] += 1
        self.tick(5, {})

    def quieted(self, alert: Alert) -> tuple[str, ...]:
        return ("a silence",) if alert.key.get("Agent") in self.chronicle.silenced else ()

    @rule(minutes=st.sampled_from((-40, -7, 7, 40)))
    def turn_the_clock(self, minutes: int) -> None:
        self.seen["clock steps"] += 1
        self.move(minutes)
        self.tick(0, {})

    @invariant()
    def nothing_is_wrong(self) -> None:
        self.chronicle.check_deliveries()
        assert not self.chronicle.faults, "\n".join(self.chronicle.faults)

    def teardown(self) -> None:
        """Let everything be well for long enough; then everything must have been told."""
        for place in self.places.values():
            place.answers.clear()
        self.truth.down.clear()
        self.chronicle.silenced.clear()
        self.clock.now = max(self.clock.now, self.latest)
        for _ in range(LONGEST_SETTLING):
            self.move(20)
            self.run({})
            if not any(state.outbox.waiting for state in self.states().values()):
                break
        self.chronicle.check_the_end(self.states())
        self.nothing_is_wrong()
        self.seen["told"] += sum(len(place.delivered) for place in self.places.values())
        self.seen["told again after a crash"] += sum(
            len(place.delivered) - len({one.key for one in place.delivered}) for place in self.places.values()
        )

    def move(self, minutes: int) -> None:
        self.clock.now += timedelta(minutes=minutes)
        self.latest = max(self.latest, self.clock.now)
        self.truth.happen(CHECKS, self.latest)

    def run(self, disturbed: dict[int, Kind]) -> None:
        """Run a tick on a host of its own."""
        self.latest = max(self.latest, self.clock.now)  # a send may have taken its time
        self.truth.happen(CHECKS, self.latest)
        host = Host(disturbed, lambda: self.run({}), self.seen)
        watch = Watch(
            HostsDocuments(self.documents, host),
            self.truth,
            CHECKS,
            RULES,
            {
                name: Channel(HostsDestination(place, host), NewsItself())
                for name, place in self.places.items()
            },
            clock=self.clock,
            jitter=lambda: 0.0,
            workers=AtOnce,
            pause=self.clock.pause,
            quieting=lambda: self.quieted,
        )
        broken = self.seen["broken writes"]
        try:
            report = watch.tick()
        except Killed:
            self.chronicle.broke_off(host.sent)
            return
        if self.seen["broken writes"] > broken:
            self.chronicle.broke_off(host.sent)
        elif any(one.result == "stopped" for one in report.checks):
            self.chronicle.faults.append(f"a tick stopped: {report.checks}")

    def states(self) -> dict[str, CheckState]:
        return {
            name: state_from_json(name, held.body)
            for name in (PREFIX + check.id for check in CHECKS)
            if (held := self.documents.read(name))
        }
