"""What a site pushes comes into force or is refused, and is never lost without a word."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from functions.configuration import SHIPPED, ConfigText, read_folder
from functions.errors import ConfigurationError, StorageError
from functions.overlay.history import WHOLE
from functions.overlay.standing import Refused
from functions.overlay.store import CURRENT
from tests.unit.overlay.world import NOON, Built, World, alerts


def quiet(built: Built) -> int:
    return built[0].alerts.resolve_after_quiet


def test_where_nothing_was_pushed_the_defaults_are_in_force_and_on_record() -> None:
    world = World()
    configuration, standing, _ = world.start().get()
    assert configuration.alerts.resolve_after_quiet == 3
    assert [(one.configuration, one.overlay, one.since) for one in standing.history] == [
        (configuration.hash, None, NOON)
    ]
    assert world.recorded == []


def test_a_push_comes_into_force_within_a_minute_without_a_restart() -> None:
    world = World()
    holder = world.start()
    before = holder.get()
    overlay = world.push(alerts=alerts(7))
    assert holder.get() is before
    world.later()
    after = holder.get()
    assert (quiet(before), quiet(after)) == (3, 7)
    assert [one.overlay for one in after[1].history] == [None, overlay]
    assert world.recorded == [(overlay, after[0].hash)]


def test_a_tick_looks_at_once() -> None:
    world = World()
    holder = world.start()
    holder.get()
    world.push(alerts=alerts(7))
    assert quiet(holder.look()) == 7


def test_looking_costs_one_reading_a_minute_and_builds_nothing_where_nothing_changed() -> None:
    world = World()
    holder = world.start()
    first = holder.get()
    reads = world.pushes.reads
    for _ in range(5):
        assert holder.get() is first
    assert world.pushes.reads == reads
    world.later()
    assert holder.get() is first
    assert world.pushes.reads == reads + 1


def changed(world: World, **changes: object) -> None:
    held = world.pushes.read(CURRENT)
    assert held is not None
    world.pushes.overwrite(CURRENT, {**held.body, **changes})


def mistaken(world: World) -> None:
    world.push(alerts=alerts("none"))


def unknown(world: World) -> None:
    world.push(agent="a: 1")


def forged(world: World) -> None:
    changed(world, overlay="0" * 64)


def no_push(world: World) -> None:
    changed(world, files=1)


def deleted(world: World) -> None:
    world.pushes.delete(CURRENT)


def edited_file(world: World) -> None:
    world.objects.change(f"versions/{world.push(alerts=alerts(8))}/alerts.yaml", alerts(9).encode())


def deleted_file(world: World) -> None:
    world.objects.change(f"versions/{world.push(alerts=alerts(8))}/alerts.yaml", None)


@pytest.mark.parametrize(
    ("spoil", "file", "line", "rule"),
    [
        (mistaken, "alerts.yaml", 3, "`resolve_after_quiet` must be of type integer."),
        (unknown, "agent.yaml", 0, "agent.yaml is not a known config file."),
        (forged, "current.json", 0, "names a hash that is not the one of its files."),
        (no_push, "current.json", 0, "is not what a push writes."),
        (deleted, "current.json", 0, "is gone."),
        (edited_file, "alerts.yaml", 0, "was changed after it was pushed."),
        (deleted_file, "alerts.yaml", 0, "is missing."),
    ],
)
def test_what_is_broken_is_refused_and_the_last_good_stays_even_after_a_restart(
    spoil: Callable[[World], None], file: str, line: int, rule: str
) -> None:
    world = World()
    holder = world.start()
    good = world.push(alerts=alerts(7))
    holder.look()
    world.later()
    spoil(world)
    for app in (holder, world.start()):
        built = app.look()
        assert (quiet(built), built[1].history[-1].overlay) == (7, good)
        assert [(one.file.rpartition("/")[2], one.line) for one in refused(built).mistakes] == [(file, line)]
        assert refused(built).mistakes[0].rule.endswith(rule)
        assert refused(built).at == NOON + timedelta(minutes=1)
        world.later()


def test_a_good_push_ends_a_refusal() -> None:
    world = World()
    holder = world.start()
    holder.look()
    world.push(alerts=alerts("none"))
    assert refused(holder.look()).count == 1
    world.later()
    world.push(alerts=alerts(6))
    healed = holder.look()
    assert (quiet(healed), healed[1].refused) == (6, None)


def test_after_an_upgrade_that_an_overlay_does_not_fit_the_last_good_stays_whole() -> None:
    world = World()
    overlay = world.push(agents=(SHIPPED / "agents.yaml").read_text("utf-8"))
    before = world.start().look()
    prices = (SHIPPED / "prices.yaml").read_text("utf-8").replace("currency: USD", "currency: EUR")
    upgraded = {**read_folder(SHIPPED), "prices.yaml": ConfigText(Path("prices.yaml"), prices.encode())}
    after = world.start(shipped=upgraded).look()
    assert after[0].hash == before[0].hash
    assert after[0].prices.currency == "USD"
    assert refused(after).overlay == overlay
    assert "agents.yaml" in {one.file for one in refused(after).mistakes}


def test_where_neither_the_overlay_nor_a_last_good_one_fits_nothing_is_in_force() -> None:
    world = World()
    world.push(alerts=alerts("none"))
    with pytest.raises(ConfigurationError, match="must be of type integer"):
        world.start().get()


def test_where_the_last_good_one_is_gone_too_nothing_is_in_force() -> None:
    world = World()
    world.push(alerts=alerts(7))
    good = world.start().get()[0].hash
    world.push(alerts=alerts("none"))
    world.state.delete(WHOLE + good)
    with pytest.raises(StorageError, match="is gone"):
        world.start().get()


@pytest.mark.parametrize("away", ["pushes", "state"])
def test_a_process_that_holds_something_bears_that_storage_is_away(away: str) -> None:
    world = World()
    world.push(alerts=alerts(7))
    holder = world.start()
    held = holder.look()
    (world.pushes if away == "pushes" else world.state).away = True
    for _ in range(2):
        world.later()
        assert holder.get() is held


def test_pushes_that_stay_unreadable_are_a_refusal() -> None:
    world = World()
    holder = world.start()
    holder.look()
    world.pushes.away = True
    built = [holder.look() for _ in range(3)]
    assert [one[1].refused is None for one in built] == [True, True, False]
    assert refused(built[-1]).mistakes[0].rule == "Storage is away."
    world.pushes.away = False
    assert holder.look()[1].refused is None


def test_a_cold_start_without_the_pushes_goes_on_with_the_last_good_one() -> None:
    world = World()
    world.push(alerts=alerts(7))
    world.start().look()
    world.pushes.away = True
    built = world.start().look()
    assert quiet(built) == 7
    assert refused(built).overlay is None


@pytest.mark.parametrize("known", [False, True])
def test_a_cold_start_that_nobody_can_tell_what_is_in_force_fails(*, known: bool) -> None:
    world = World()
    if known:
        world.push(alerts=alerts(7))
        world.start().look()
    world.pushes.away, world.state.away = True, known
    with pytest.raises(StorageError):
        world.start().get()


def test_what_came_into_force_stays_on_record_in_order_and_whole() -> None:
    world = World()
    holder = world.start()
    hashes = [holder.look()[0].hash]
    for number in (7, 8, 7):
        world.later()
        world.push(alerts=alerts(number))
        hashes.append(holder.look()[0].hash)
    history = world.start().look()[1].history
    assert [one.configuration for one in history] == hashes
    assert [one.since for one in history] == [NOON + timedelta(minutes=n) for n in range(4)]
    kept = world.state.read(WHOLE + hashes[2])
    assert kept is not None
    assert kept.body["files"]["alerts.yaml"] == alerts(8)
    assert len(kept.body["files"]) == len(read_folder(SHIPPED))


def refused(built: Built) -> Refused:
    found = built[1].refused
    assert found is not None
    return found
