"""Holds every write and delivery against what must be so. Faults are collected: a watch catches errors.

"Told" is what a destination accepted, "made" what a write put into an outbox.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from functions.alerts.alert import Notice, alert_id
from functions.alerts.answer import Accepted
from functions.alerts.outbox import Entry, News
from functions.alerts.state import PREFIX, CheckState, state_from_json
from functions.delivery.record import PREFIX as RECORDS
from functions.delivery.record import record_from_json
from functions.storage.documents import Document
from tests.properties.stage import Place
from tests.properties.truth import Expected, Truth

Pair = tuple[str, str]
"""(destination, key of a piece of news)."""

BEGINNINGS = frozenset({"opened", "reopened", "passed"})
OVER = frozenset({"resolved", "passed"})


@dataclass(frozen=True, slots=True)
class Told:
    """A notice that a destination accepted, when it did so last."""

    notice: Notice
    at: datetime


class Chronicle:
    """What was written and told.

    Attributes:
        faults: What must not be, as sentences.
        waiting: What waits in outboxes: (destination, key).
        silenced: Agents whose alerts nobody may be told of now, but that they are over.
        acknowledged: Which episodes of which alerts somebody has taken on.
        excused: How often a piece of news may have been accepted beyond once: the host died, or storage
            broke, between acceptance and commit.
    """

    def __init__(
        self, truth: Truth, expected: Sequence[Expected], places: Mapping[str, Place], repeat_after: timedelta
    ) -> None:
        self.faults: list[str] = []
        self.made: dict[Pair, Entry] = {}
        self.waiting: dict[str, set[Pair]] = defaultdict(set)
        self.excused: Counter[Pair] = Counter()
        self.silenced: set[str] = set()
        self.acknowledged: set[tuple[str, int]] = set()
        self._committed: set[Pair] = set()
        self._hidden: set[tuple[str, int]] = set()
        self._states: dict[str, CheckState] = {}
        self._truth = truth
        self._expected = {PREFIX + one.check.id: one for one in expected}
        self._places = places
        self._repeat_after = repeat_after

    def written(self, name: str, after: Document) -> None:
        """Look at one write of a check's document, or of what came back from a destination."""
        if name.startswith(RECORDS):
            destination = name.removeprefix(RECORDS)
            for one in record_from_json(name, after.body).answers:
                if isinstance(one.answer, Accepted):
                    keys = (key for members in one.parcel.members.values() for key in members)
                    self._committed.update((destination, key) for key in keys)
        if not name.startswith(PREFIX):
            return
        held = self._states.get(name, CheckState())
        self._states[name] = state = state_from_json(name, after.body)
        for entry in state.outbox.waiting:
            pair = entry.destination, entry.key
            if pair not in self.waiting[name]:
                self._enqueued(pair, entry, held)
        waiting = {(entry.destination, entry.key) for entry in state.outbox.waiting}
        for pair in self.waiting[name] - waiting:
            self._finished(pair, state)
        self.waiting[name] = waiting
        self._compare(name, held, state)
        self._look_at_the_acknowledged(name, state)
        hidden = {one.alert_id for one in state.hidden}
        for alert in state.alerts.values():
            untold = alert.active and alert.announced is None
            if untold and alert.quieted_by and alert.id not in hidden:
                self.faults.append(f"{name}: {alert.id} is kept quiet and nothing says so")
        self._hidden |= {
            (alert.id, alert.episode)
            for alert in state.alerts.values()
            if alert.quieted_by and alert.id in hidden
        }

    def broke_off(self, sent: set[Pair]) -> None:
        """Excuse what a host that broke off had sent, where no write says so."""
        self.excused.update(
            pair
            for pair in sent - self._committed
            if any(pair in waiting for waiting in self.waiting.values())
        )

    def told(self, destination: str) -> list[Told]:
        """Return what a destination was told, each once, in the order of first acceptance."""
        last: dict[str, Told] = {}
        for one in self._places[destination].delivered:
            last |= {news.key: Told(news, one.at) for news in one.tells if isinstance(news, Notice)}
        return list(last.values())

    def check_deliveries(self) -> None:
        """Note what was told too often, or out of order."""
        for place in self._places.values():
            for key, times in Counter(news.key for one in place.delivered for news in one.tells).items():
                if times > 1 + self.excused[place.name, key]:
                    self.faults.append(f"{place.name} was told {key} {times} times")
            under: dict[str, str] = {}
            for one in place.delivered:
                for news in one.tells:
                    if under.setdefault(news.key, one.key) != one.key:
                        self.faults.append(f"{place.name} was told {news.key} under two keys")
            order: dict[str, tuple[int, int]] = {}
            for told in self.told(place.name):
                number = told.notice.alert.episode, told.notice.number
                if order.get(told.notice.about, (0, 0)) >= number:
                    self.faults.append(f"{place.name} was told {told.notice.key} after later news")
                order[told.notice.about] = number

    def check_the_end(self, states: Mapping[str, CheckState]) -> None:
        """Note what is still to be told when everything has long been well, and what never was."""
        for name, state in states.items():
            if state.outbox.waiting:
                self.faults.append(f"{name} still has something to tell")
            lives = self._expected[name].lives
            for key, life in lives.items():
                about = alert_id(self._expected[name].check.id, dict(key))
                for destination in self._places:
                    self._all_known(destination, about, life.episode)
            for alert in state.alerts.values():
                if alert.episode:
                    for destination in self._places:
                        self._knows_how_it_stands(destination, alert.id, alert.active)

    def _all_known(self, destination: str, about: str, episodes: int) -> None:
        known: set[int] = set()
        for told in self._about(destination, about):
            # What begins names the episodes before its own; all else those that came since, its own the last.
            first = told.alert.episode - told.earlier + (told.kind not in BEGINNINGS)
            known.update(range(first, told.alert.episode + 1))
        for name, episode in self._hidden:
            if name == about:  # it stands for those that came and went in the same tick before it, too
                known.update(range(1, episode + 1))
        missing = set(range(1, episodes + 1)) - known
        if missing and not self._refused(destination, about):
            self.faults.append(f"{destination} never heard of the episodes {sorted(missing)} of {about}")

    def _knows_how_it_stands(self, destination: str, about: str, active: bool) -> None:
        told = self._about(destination, about)
        if self._refused(destination, about):
            return
        if not told and not active and any(name == about for name, _ in self._hidden):
            return  # it came and went while nobody was to be told
        if not told or (told[-1].kind in OVER) is active:
            last = told[-1].kind if told else "nothing"
            self.faults.append(f"{destination} last heard {last} of {about}, active: {active}")

    def _about(self, destination: str, about: str) -> list[Notice]:
        return [told.notice for told in self.told(destination) if told.notice.about == about]

    def _refused(self, destination: str, about: str) -> bool:
        return any(news.about == about for news in self._refused_news(destination))

    def _refused_news(self, destination: str) -> list[News]:
        return [self.made[destination, key].notice for key in self._places[destination].refused]

    def _enqueued(self, pair: Pair, entry: Entry, before: CheckState) -> None:
        if pair in self.made:
            self.faults.append(f"{pair} was put into an outbox twice")
        self.made[pair] = entry
        notice = entry.notice
        if not isinstance(notice, Notice):
            return
        if notice.alert.key.get("Agent") in self.silenced and notice.kind != "resolved":
            self.faults.append(f"{pair} is told though it is silenced")
        if notice.alert.state == "acknowledged" and notice.kind in {"repeated", "escalated"}:
            self.faults.append(f"{pair} is told though somebody sees to it")
        if notice.kind == "repeated" and not before.alerts[notice.about].quieted_by:
            self._look_at_the_repeated(entry, notice)

    def _look_at_the_repeated(self, entry: Entry, notice: Notice) -> None:
        """Hold it against what the destination last accepted, and against what was last made for it."""
        here = self._places[entry.destination]
        accepted = (
            one.at for one in reversed(here.delivered) if any(_same_episode(n, notice) for n in one.tells)
        )
        made = (
            other.notice.at
            for (destination, key), other in reversed(self.made.items())
            if destination == entry.destination and key != entry.key and _same_episode(other.notice, notice)
        )
        for what, at in (("accepted", next(accepted, None)), ("made", next(made, None))):
            if at is not None and abs(notice.at - at) < self._repeat_after:  # a clock may have been set back
                self.faults.append(f"{entry.key} repeats at {notice.at} what was {what} at {at}")

    def _look_at_the_acknowledged(self, name: str, state: CheckState) -> None:
        for alert in state.alerts.values():
            taken_on = (alert.id, alert.episode) in self.acknowledged
            if alert.active and taken_on != (alert.state == "acknowledged"):
                self.faults.append(f"{name}: {alert.id} is {alert.state}, taken on: {taken_on}")

    def _finished(self, pair: Pair, state: CheckState) -> None:
        destination, key = pair
        accepted = any((one.destination, one.key) == pair for one in state.outbox.receipts)
        refused = any((one.destination, one.key) == pair for one in state.outbox.refused)
        place = self._places[destination]
        if accepted and not any(news.key == key for one in place.delivered for news in one.tells):
            self.faults.append(f"{pair} has a receipt and was never accepted")
        if refused and key not in place.refused:
            self.faults.append(f"{pair} counts as refused and was not")
        if not accepted and not refused:
            self.faults.append(f"{pair} left the outbox without a trace")

    def _compare(self, name: str, before: CheckState, after: CheckState) -> None:
        """Hold the alerts of a check against what its windows say."""
        expected = self._expected[name]
        if after.watermark is not None:
            if after.watermark < expected.until:
                self.faults.append(f"{name} went back to {after.watermark}")
            expected.judge(self._truth, after.watermark)
        if after.watermark == before.watermark:
            self._frozen(name, before, after)
        for key, life in expected.lives.items():
            alert = after.alerts.get(alert_id(expected.check.id, dict(key)))
            if life.episode == 0:
                if alert is not None and alert.state != "pending":
                    self.faults.append(f"{name}: {key} opened for no reason")
                continue
            said = alert and (alert.active, alert.episode, alert.opened_at, alert.resolved_at)
            if said != (life.active, life.episode, life.opened_at, life.resolved_at):
                self.faults.append(f"{name}: {key} stands as {said}, and must as {life}")

    def _frozen(self, name: str, before: CheckState, after: CheckState) -> None:
        for about, alert in before.alerts.items():
            now = after.alerts.get(about)
            if alert.active and (now is None or not now.active):
                self.faults.append(f"{name}: {about} ended and no window had been judged")


def _same_episode(news: News, notice: Notice) -> bool:
    return (
        isinstance(news, Notice) and news.about == notice.about and news.alert.episode == notice.alert.episode
    )
