"""A silence from its making to its report, over the watch itself: what it hides is told then, not before."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from functions.alerts.announcements import Announcements
from functions.delivery.interface import Channel
from functions.silences.ends import SilenceEnds
from functions.silences.store import SilenceStore
from functions.storage.documents import Documents
from functions.watch.quieting import Quieting
from functions.watch.watch import TickReport, Watch
from tests.unit.alerts.building import CHECK, DISPATCHER, RULES, START
from tests.unit.silences.silencing import ADA, asked
from tests.unit.watch.world import World, minutes_until


class Silenced(World):
    """A world in which people silence things."""

    def silence(self, ends_at: datetime, **changes: Any) -> str:
        """Silence the dispatcher from now, or what the changes say."""
        return self.store().add(asked(ends_at=ends_at.isoformat(), **changes), ADA).id

    def store(self) -> SilenceStore:
        return SilenceStore(self.documents, clock=lambda: self.now)

    def tick(self, *, documents: Documents | None = None) -> TickReport:
        held = documents or self.documents
        report = Watch(
            held,
            self.runner,
            self._checks,
            RULES,
            {name: Channel(one, self._writer) for name, one in self.destinations.items()},
            clock=lambda: self.now,
            jitter=lambda: 0.0,
            pause=self.pauses.append,
            announcements=True,
            quieting=Quieting(held, RULES, partial(self.store().quieting, {})).begin,
        ).tick()
        SilenceEnds(held, self.store(), Announcements(held), RULES, clock=lambda: self.now).tick()
        return report

    def told(self) -> list[str]:
        """Return what "teams" accepted: the kind of each news, and "report" for a silence's."""
        keys = [posted.idempotency_key for posted in self.teams.accepted]
        return ["report" if key.startswith("silence-") else key.split("-")[2] for key in keys]


def broken(windows: Iterable[int]) -> Silenced:
    """Return a world in which the dispatcher is at fault in these windows."""
    return Silenced({CHECK.id: {number: [DISPATCHER] for number in windows}})


def minutes(number: int) -> timedelta:
    return timedelta(minutes=number)


def test_nothing_is_told_while_a_silence_is_in_force() -> None:
    world = broken(range(100))
    world.silence(START + minutes(60))
    world.run(59)
    assert world.told() == []
    (alert,) = world.state().alerts.values()
    assert (alert.state, len(alert.quieted_by), alert.announced) == ("open", 1, None)
    assert [one.alert_id for one in world.state().hidden] == [alert.id]


def test_what_is_still_open_at_its_end_is_told_then_with_one_report() -> None:
    world = broken(range(100))
    world.silence(START + minutes(60))
    world.run(70)
    assert sorted(world.told()) == ["opened", "report"]
    assert world.state().hidden == ()


def test_what_was_over_before_the_end_is_in_the_report_alone() -> None:
    world = broken([0])
    world.silence(START + minutes(60))
    world.run(70)
    assert world.told() == ["report"]
    assert "RESOLVED" not in str(world.teams.accepted[0].message)


def test_what_people_knew_before_is_resolved_aloud_though_silenced() -> None:
    world = broken([0])
    world.run(minutes_until(0))
    world.silence(START + minutes(60))
    world.run(40)
    assert world.told() == ["opened", "resolved"]


def test_ending_it_early_lets_the_alert_be_told_at_the_next_tick() -> None:
    world = broken(range(100))
    name = world.silence(START + minutes(60))
    world.run(20)
    world.store().end(name, "person-2")
    world.run(1)
    assert world.told() == ["opened"]
    world.run(4)
    assert world.told() == ["opened", "report"]


def test_a_silence_over_something_else_hides_nothing_and_sends_no_report() -> None:
    world = broken([0])
    world.silence(START + minutes(20), matchers={"agent": ["courier"]})
    world.run(60)
    assert world.told() == ["opened", "resolved"]
    (one,) = world.store().read()
    assert [report.hid for report in one.reports] == [0]
