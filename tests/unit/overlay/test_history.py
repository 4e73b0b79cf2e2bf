"""Which configuration was valid when, over the real holder of what is in force."""

from datetime import UTC, date, datetime, timedelta

import orjson
import pytest

from functions.configuration import SHIPPED, read_folder
from functions.errors import StorageError
from functions.overlay.basis import Basis
from functions.overlay.history import STANDING, WHOLE, History, Period
from tests.unit.overlay.world import NOON, World

AGENTS = read_folder(SHIPPED)["agents.yaml"].data.decode()
SAYING_NOTHING = AGENTS.replace("since: 2026-01-01\n", "")
DAY = datetime(2026, 1, 1, tzinfo=UTC)


def agents(approved: str, since: str = "") -> str:
    return SAYING_NOTHING.replace("\nagents:\n", f"\n{since}agents:\n", 1).replace(
        "search_policies]", f"{approved}]"
    )


def shown(periods: tuple[Period, ...]) -> list[tuple[datetime | None, datetime | None, Basis]]:
    return [(one.begins, one.ends, one.basis) for one in periods]


def approved(period: Period) -> tuple[str, ...] | None:
    assert period.agents is not None
    return period.agents.by_name["benefits-assistant"].approved_tools


def test_the_shipped_file_says_since_when_it_holds() -> None:
    world = World()
    world.start().look()
    unknown, stated, observed = History(world.state).periods(world.now)
    assert shown((unknown, stated, observed)) == [
        (None, DAY, Basis.UNKNOWN),
        (DAY, NOON, Basis.STATED),
        (NOON, None, Basis.OBSERVED),
    ]
    assert (unknown.configuration, unknown.agents) == ("", None)
    assert stated.configuration == observed.configuration != ""


def test_each_configuration_is_valid_from_when_it_came_into_force() -> None:
    world = World()
    world.push(agents=agents("search_policies, one"))
    holder = world.start()
    first = holder.look()[0].hash
    world.later()
    world.push(agents=agents("search_policies, two"))
    second = holder.look()[0].hash
    later = NOON + timedelta(minutes=1)
    unknown, one, two = History(world.state).periods(world.now)
    assert shown((unknown, one, two)) == [
        (None, NOON, Basis.UNKNOWN),
        (NOON, later, Basis.OBSERVED),
        (later, None, Basis.OBSERVED),
    ]
    assert (one.configuration, two.configuration) == (first, second)
    assert (approved(one), approved(two)) == (("search_policies", "one"), ("search_policies", "two"))


def test_without_a_statement_nothing_is_known_of_the_time_before() -> None:
    world = World()
    world.push(agents=agents("search_policies"))
    world.start().look()
    assert shown(History(world.state).periods(world.now)) == [
        (None, NOON, Basis.UNKNOWN),
        (NOON, None, Basis.OBSERVED),
    ]


def test_a_later_file_may_state_what_held_before_anything_was_observed_and_no_more() -> None:
    world = World()
    world.push(agents=agents("search_policies, one"))
    holder = world.start()
    holder.look()
    world.later()
    world.push(agents=agents("search_policies, two", "since: 2026-01-01\n"))
    holder.look()
    _, stated, one, two = History(world.state).periods(world.now)
    assert [approved(period) for period in (stated, one, two)] == [
        ("search_policies", "two"),
        ("search_policies", "one"),
        ("search_policies", "two"),
    ]
    assert (stated.basis, stated.configuration) == (Basis.STATED, two.configuration)


def test_a_statement_about_a_day_that_was_observed_changes_nothing() -> None:
    world = World()
    world.push(agents=agents("search_policies", f"since: {date(2027, 1, 1)}\n"))
    world.start().look()
    assert Basis.STATED not in {period.basis for period in History(world.state).periods(world.now)}


def test_what_was_changed_in_storage_is_not_what_was_in_force() -> None:
    world = World()
    world.push(agents=agents("search_policies"))
    name = world.start().look()[0].hash
    kept = world.state.read(WHOLE + name)
    assert kept is not None
    files = dict(kept.body["files"])
    files["agents.yaml"] = files["agents.yaml"].replace("[search_policies]", "[search_policies, forged]")
    world.state.overwrite(WHOLE + name, {"files": files})
    (*_, observed) = History(world.state).periods(world.now)
    assert (observed.configuration, observed.agents) == (name, None)


@pytest.mark.parametrize(
    "files", [{}, {"agents.yaml": ""}, {"agents.yaml": "[]"}, {"agents.yaml": "agents: 7"}]
)
def test_what_can_t_be_read_is_not_what_was_in_force(files: dict[str, str]) -> None:
    world = World()
    name = world.start().look()[0].hash
    world.state.overwrite(WHOLE + name, {"files": files})
    (*_, observed) = History(world.state).periods(world.now)
    assert observed.agents is None


def test_what_is_gone_is_not_what_was_in_force() -> None:
    world = World()
    name = world.start().look()[0].hash
    world.state.delete(WHOLE + name)
    (*_, observed) = History(world.state).periods(world.now)
    assert observed.agents is None


def test_an_environment_s_rules_are_those_that_its_hash_proves() -> None:
    world = World()
    override = (
        "environments: {test: {agents: {benefits-assistant: {approved_tools: [search_policies, more]}}}}\n"
    )
    world.push(agents=SAYING_NOTHING + override)
    world.start(environment="test").look()
    (*_, observed) = History(world.state).periods(world.now)
    assert approved(observed) == ("search_policies", "more")


def test_configurations_that_say_the_same_of_agents_share_one_value() -> None:
    world = World()
    holder = world.start()
    holder.look()
    world.later()
    world.push(prices=read_folder(SHIPPED)["prices.yaml"].data.decode() + "\n# read again\n")
    holder.look()
    world.later()
    alerts = read_folder(SHIPPED)["alerts.yaml"].data.decode()
    world.push(alerts=alerts.replace("repeat_after: 4h", "repeat_after: 5h"))
    holder.look()
    periods = History(world.state).periods(world.now)
    assert len({period.configuration for period in periods}) == 3
    assert len({id(period.agents) for period in periods if period.agents}) == 1


def test_what_came_into_force_after_the_question_says_nothing() -> None:
    world = World()
    world.push(agents=agents("search_policies, one"))
    holder = world.start()
    holder.look()
    before = History(world.state).periods(world.now)
    asked_at = world.now
    world.later()
    world.push(agents=agents("search_policies, two", "since: 2026-01-01\n"))
    holder.look()
    after = History(world.state).periods(asked_at)
    assert shown(after) == shown(before)
    assert [one.configuration for one in after] == [one.configuration for one in before]
    nothing = History(world.state).periods(NOON - timedelta(minutes=1))
    assert shown(nothing) == [(None, None, Basis.UNKNOWN)]


def test_clocks_that_differ_leave_no_period_that_ends_before_it_begins() -> None:
    world = World()
    holder = world.start()
    holder.look()
    held = world.state.read(STANDING)
    assert held is not None
    body = orjson.loads(orjson.dumps(held.body))
    earlier = (NOON - timedelta(minutes=3)).isoformat()
    world.state.overwrite(
        STANDING, {**body, "history": [*body["history"], {**body["history"][0], "since": earlier}]}
    )
    observed = [one for one in History(world.state).periods(world.now) if one.basis is Basis.OBSERVED]
    assert [(one.begins, one.ends) for one in observed] == [(NOON - timedelta(minutes=3), None)]


def test_nothing_is_said_where_storage_is_away() -> None:
    world = World()
    world.start().look()
    world.state.away = True
    with pytest.raises(StorageError):
        History(world.state).periods(world.now)
