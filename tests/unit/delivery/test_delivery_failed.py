"""What a destination does not take becomes an alert that the others are told, until it takes again."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from functions.alerts.alert import Alert
from functions.alerts.state import CheckState, state_from_json
from functions.delivery.delivery_failed import DELIVERY_CHECK, DeliveryJudge
from functions.delivery.interface import Channel
from functions.watch.watch import Watch
from tests.fakes.destinations import MemoryDestination, Reply
from tests.unit.alerts.building import two_destinations
from tests.unit.watch.world import CARDS, MINUTE, World, minutes_until


class Telling:
    """A world with a pager that answers as told, and the watch over its deliveries beside its own."""

    def __init__(self, replies: Iterable[Reply]) -> None:
        self.world = World(destinations=2)
        self.pager = MemoryDestination(replies, clock=lambda: self.world.now)
        self.world.destinations["pager"] = self.pager

    def run(self, minutes: int) -> None:
        for _ in range(minutes):
            self.world.run(1)
            Watch(
                self.world.held,
                DeliveryJudge(self.world.held, ("teams", "pager")),
                (DELIVERY_CHECK,),
                replace(two_destinations(), resolve_after_quiet=1),
                {name: Channel(one, CARDS) for name, one in self.world.destinations.items()},
                clock=lambda: self.world.now,
                jitter=lambda: 0.0,
                pause=lambda _: None,
            ).tick()

    def state(self) -> CheckState:
        held = self.world.held.read(f"checks/{DELIVERY_CHECK.id}")
        return state_from_json("", held.body) if held else CheckState()

    def alerts(self) -> list[Alert]:
        return list(self.state().alerts.values())

    def told(self) -> list[str]:
        """Return what each destination accepted about deliveries."""
        alerts = {alert.id for alert in self.alerts()}
        return [
            f"{name} {posted.idempotency_key.split('-', 1)[1]}"
            for name, place in (("teams", self.world.teams), ("pager", self.pager))
            for posted in place.accepted
            if posted.idempotency_key[:16] in alerts
        ]


DUE = minutes_until(0)


def test_where_all_is_taken_nothing_is_judged_and_nothing_written() -> None:
    telling = Telling([])
    telling.run(DUE + 30)
    assert telling.state() == CheckState()


def test_a_refusal_is_told_at_once_by_the_other_route_and_is_over_when_something_is_taken() -> None:
    telling = Telling([Reply(413)])
    telling.run(DUE)
    (alert,) = telling.alerts()
    assert (alert.key, alert.value, alert.shows["Reason"]) == ({"Destination": "pager"}, 1.0, "HTTP 413")
    assert telling.told() == ["teams 1-opened-1"]
    telling.run(minutes_until(5))
    assert [alert.state for alert in telling.alerts()] == ["resolved"]
    assert telling.told() == ["teams 1-opened-1", "teams 1-resolved-2"]


def test_a_destination_that_takes_nothing_is_told_of_within_the_hour_and_what_dies_within_the_day() -> None:
    telling = Telling([Reply(503)] * 10_000)
    telling.run(DUE + 59)
    assert telling.alerts() == []
    telling.run(1)
    (alert,) = telling.alerts()
    assert alert.shows["Reason"] == "it takes nothing at present"
    assert telling.world.accepted()[-1] == "1-opened-1"
    telling.world.now += timedelta(days=1)
    telling.run(20)
    (alert,) = telling.alerts()
    assert alert.shows["Reason"] == "not accepted within a day"
    refused = telling.world.state().outbox.refused
    assert {(entry.destination, entry.reason) for entry in refused} == {
        ("pager", "not accepted within a day; last: HTTP 503"),
        ("pager", "not accepted within a day; last: never tried"),  # that it is over came behind it
    }
    assert all(alert.active for alert in telling.alerts())


def test_a_record_that_can_not_be_read_neither_opens_nor_ends_an_alert() -> None:
    telling = Telling([Reply(413)])
    telling.run(DUE)
    held = telling.world.held.read("deliveries/pager")
    assert held is not None
    telling.world.held.write("deliveries/pager", {"format": 99}, version=held.version)
    before = telling.alerts()
    telling.world.now += 6 * MINUTE
    telling.run(1)
    assert [alert.state for alert in telling.alerts()] == [alert.state for alert in before] == ["open"]
