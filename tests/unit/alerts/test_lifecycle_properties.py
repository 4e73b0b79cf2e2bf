"""Whatever happens, in whatever order: nothing is lost, and nothing is said again too soon."""

from datetime import datetime, timedelta

import orjson
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from functions.alerts.alert import Notice, alert_id
from functions.alerts.answer import Accepted, Answer, Rejected
from functions.alerts.circumstances import Circumstances
from functions.alerts.failures import CHECK_FAILED
from functions.alerts.outbox import Response, due
from functions.alerts.progress import carry_on
from functions.alerts.state import CheckState, state_from_json, state_to_json
from functions.checks.runner import Evaluated, EvaluationFailed, NothingDue, Outcome
from functions.delivery.boxes import settle
from functions.errors import SourceUnavailable
from functions.storage.documents import encode
from tests.unit.alerts.building import CHECK, RULES, START, finding, judged, two_destinations, window

RULES_HERE = two_destinations()
KEYS = [{"Agent": agent, "Tool": "t"} for agent in ("a", "b")]
FAILED_ID = alert_id(CHECK_FAILED, {"Check": CHECK.id})
DOWN = SourceUnavailable("The service is down.", next_step="Wait.")
ANSWERS = [
    Accepted(202),
    Rejected(retryable=True, retry_after_seconds=None, reason="HTTP 503"),
    Rejected(retryable=True, retry_after_seconds=700.0, reason="HTTP 429"),
    Rejected(retryable=False, retry_after_seconds=None, reason="HTTP 400"),
]


class Alerting(RuleBasedStateMachine):
    """One check, two destinations, any weather."""

    def __init__(self) -> None:
        super().__init__()
        self.state = CheckState()
        self.now: datetime = START
        self.next_window = 0
        self.failures = 0
        self.said: dict[str, list[Notice]] = {}
        self.accepted: dict[tuple[str, str], list[tuple[datetime, Notice]]] = {}

    def carry_on(self, outcome: Outcome) -> dict[str, Notice]:
        self.state, notices = carry_on(self.state, outcome, CHECK, Circumstances(RULES_HERE, self.now))
        by_alert = {notice.alert.id: notice for notice in notices}
        assert len(by_alert) == len(notices), "one notice an alert and call at most"
        for notice in notices:
            self.check_repeat(notice)
            assert notice.key not in [one.key for one in self.said.get(notice.alert.id, [])]
            self.said.setdefault(notice.alert.id, []).append(notice)
        return by_alert

    def check_repeat(self, notice: Notice) -> None:
        for destination in notice.destinations if notice.kind == "repeated" else ():
            for at, earlier in self.accepted.get((notice.alert.id, destination), []):
                if earlier.alert.episode == notice.alert.episode:
                    assert self.now - at >= RULES.repeat_after, "never repeated before the interval"

    def announced_open(self, name: str) -> bool:
        return name in self.said and self.said[name][-1].kind in {"opened", "reopened", "repeated"}

    @rule(batch=st.lists(st.sets(st.sampled_from([0, 1])), min_size=1, max_size=6))
    def evaluate(self, batch: list[set[int]]) -> None:
        windows = [
            judged(self.next_window + i, *(finding(self.next_window + i, KEYS[key]) for key in keys))
            for i, keys in enumerate(batch)
        ]
        self.next_window += len(batch)
        self.now = max(self.now, window(self.next_window).end)
        known = {name for name in self.said if self.announced_open(name)}
        told = self.carry_on(Evaluated(tuple(windows), windows[-1].window.end, rows=0, unjudged=0))
        self.failures = 0
        for key in set().union(*batch):
            name = alert_id(CHECK.id, KEYS[key])
            assert name in told or name in known, "no finding without a word"

    @rule()
    def fail(self) -> None:
        before = {name: alert for name, alert in self.state.alerts.items() if name != FAILED_ID}
        told = self.carry_on(EvaluationFailed(DOWN, (window(self.next_window),)))
        self.failures += 1
        assert {name: a for name, a in self.state.alerts.items() if name != FAILED_ID} == before, "frozen"
        assert set(told) <= {FAILED_ID}
        if self.failures >= RULES.report_failure_after:
            assert self.announced_open(FAILED_ID), "a check that goes on failing is reported"

    @rule(minutes=st.sampled_from([1, 10, 60, 250]))
    def wait(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)
        self.carry_on(NothingDue())

    @precondition(lambda self: self.state.outbox.waiting)
    @rule(answer=st.sampled_from(ANSWERS), jitter=st.floats(0, 1, exclude_max=True))
    def deliver(self, answer: Answer, jitter: float) -> None:
        for entry in due(self.state.outbox, self.now)[:1]:
            came = {entry.key: Response(answer, self.now)}
            self.state = settle(self.state, entry.destination, came, jitter=jitter)
            if isinstance(answer, Accepted):
                history = self.accepted.setdefault((entry.notice.alert.id, entry.destination), [])
                history.append((self.now, entry.notice))

    @invariant()
    def what_was_said_is_how_it_stands(self) -> None:
        for name, alert in self.state.alerts.items():
            assert (alert.state == "open") == self.announced_open(name)

    @invariant()
    def every_word_is_on_its_way_or_on_record(self) -> None:
        outbox = self.state.outbox
        kept = {(one.key, one.destination) for one in (*outbox.waiting, *outbox.refused)}
        kept |= {(one.key, one.destination) for one in outbox.receipts}
        said = {(n.key, d) for notices in self.said.values() for n in notices for d in n.destinations}
        assert kept == said

    @invariant()
    def news_arrives_in_order_and_each_once(self) -> None:
        for history in self.accepted.values():
            order = [(notice.alert.episode, notice.number) for _, notice in history]
            assert order == sorted(set(order))

    @invariant()
    def no_key_has_two_alerts(self) -> None:
        keys = [(alert.check_id, *sorted(alert.key.items())) for alert in self.state.alerts.values()]
        assert len(keys) == len(set(keys))

    @invariant()
    def the_document_holds_all_of_it(self) -> None:
        body = orjson.loads(encode(state_to_json(self.state)))
        assert state_from_json("checks/x", body) == self.state


TestAlerting = Alerting.TestCase
TestAlerting.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
