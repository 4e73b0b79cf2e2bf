"""The app's own services by what was pushed: written down before it counts, and told where nothing counts."""

import base64
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from functions.alerts.alert import Alert
from functions.alerts.state import state_from_json
from functions.clients import Clients
from functions.errors import ConfigurationError, SettingsError, StorageError
from functions.overlay.history import STANDING
from functions.overlay.refusal import CONFIG_REFUSED
from functions.overlay.standing import standing_from_json
from functions.settings import read_settings
from functions.traces.source import Rows
from functions.wiring import hold, look_or_tell
from tests.fakes.signer import MemorySigner
from tests.fakes.source import ScriptedSource
from tests.fakes.storage import MemoryAppendLog, MemoryObjects
from tests.unit.overlay.world import World, alerts

GUID = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
SETTINGS = {
    "LOGS_WORKSPACE_ID": GUID,
    "STORAGE_BLOB_ENDPOINT": "https://account.blob.core.windows.net",
    "AZURE_CLIENT_ID": GUID,
    "TEAMS_WEBHOOK_URL": "https://127.0.0.1:1/workflows/1",  # nobody listens there
    "PSEUDONYM_KEY": base64.b64encode(b"k" * 32).decode(),
    "PSEUDONYM_KEY_ID": "first",
    "SIGNING_KEY": "https://127.0.0.1:1/keys/evidence",
    "AUTH_TENANT_ID": GUID,
    "AUTH_CLIENT_ID": GUID,
    "WEBSITE_AUTH_ENABLED": "True",
    "WEBSITE_HOSTNAME": "tracekeeper.azurewebsites.net",
}


class WatchedLog(MemoryAppendLog):
    """A ledger that notes what was in force when an entry came, and can be away."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.away = False
        self.in_force: list[str | None] = []
        self._world = world

    def append(self, entry: Mapping[str, Any]) -> str:
        if self.away:
            raise StorageError("The ledger is away.", next_step="Wait.")
        held = self._world.state.read(STANDING)
        self.in_force.append(standing_from_json(held.body).history[-1].overlay if held else None)
        return super().append(entry)


def clients(world: World, log: MemoryAppendLog) -> Clients:
    return Clients(
        settings=read_settings(SETTINGS),
        documents=world.state,
        evidence=MemoryObjects(),
        work=MemoryObjects(),
        signer=MemorySigner(),
        overlays=world.store,
        log=log,
        source=ScriptedSource(lambda _: Rows((), ())),
        content=None,
        canary=None,
        metric=None,
        service_time=lambda: datetime.now(UTC),
    )


def alerts_of(world: World) -> list[Alert]:
    held = world.state.read(f"checks/{CONFIG_REFUSED}")
    return list(state_from_json("", held.body).alerts.values()) if held else []


def test_a_push_is_in_the_ledger_with_who_and_why_before_it_counts() -> None:
    world = World()
    log = WatchedLog(world)
    holder = hold(clients(world, log))
    holder.look()
    assert list(log.entries()) == []
    first = world.push(alerts=alerts(7))
    services = holder.look()
    holder.look()
    [entry] = log.entries()
    assert (entry["action"], entry["outcome"], entry["who"]) == ("configuration.in-force", "served", None)
    assert entry["on"] == {
        "overlay": first,
        "configuration": services.configuration.hash,
        "pushed_by": "ada",
    }
    assert entry["reason"] == "a test"
    world.push(alerts=alerts(8))
    holder.look()
    assert log.in_force == [None, first]


def test_what_can_not_be_written_down_does_not_count() -> None:
    world = World()
    log = WatchedLog(world)
    holder = hold(clients(world, log))
    before = holder.look().configuration.hash
    overlay = world.push(alerts=alerts(7))
    log.away = True
    for _ in range(3):
        services = holder.look()
        assert services.configuration.hash == before
        assert [one.overlay for one in services.standing.history] == [None]
    assert services.standing.refused is not None
    assert services.standing.refused.mistakes[0].rule == "The ledger is away."
    log.away = False
    healed = holder.look()
    assert (healed.standing.history[-1].overlay, healed.standing.refused) == (overlay, None)
    assert len(log.lines) == 1


def test_where_nothing_is_in_force_the_tick_tells_of_it_and_judges_nothing() -> None:
    world = World()
    world.push(alerts=alerts("none"))
    held = clients(world, WatchedLog(world))
    holder = hold(held)
    for _ in range(2):
        with pytest.raises(ConfigurationError, match=r"alerts\.yaml, line 3"):
            look_or_tell(holder, held)
    [alert] = alerts_of(world)
    assert (alert.state, alert.notices) == ("open", 1)
    assert (alert.shows["File"], alert.shows["Line"], alert.shows["InForce"]) == ("alerts.yaml", 3, "nothing")
    assert list(world.state.names("checks/")) == [f"checks/{CONFIG_REFUSED}"]

    world.push(alerts=alerts(7))
    look_or_tell(holder, held).alarm.tick()
    assert [alert.state for alert in alerts_of(world)] == ["resolved"]


def test_a_destination_without_an_address_is_told_by_the_shipped_rules() -> None:
    world = World()
    world.push(alerts=alerts(7).replace("TEAMS_WEBHOOK_URL", "PAGER_WEBHOOK_URL"))
    held = clients(world, WatchedLog(world))
    with pytest.raises(SettingsError, match="PAGER_WEBHOOK_URL"):
        look_or_tell(hold(held), held)
    [alert] = alerts_of(world)
    assert "PAGER_WEBHOOK_URL" in str(alert.shows["Rule"])


def test_a_refusal_while_the_last_good_one_counts_is_told_and_ends() -> None:
    world = World()
    held = clients(world, WatchedLog(world))
    holder = hold(held)
    look_or_tell(holder, held).alarm.tick()
    assert alerts_of(world) == []
    world.push(alerts=alerts("none"))
    for _ in range(3):
        look_or_tell(holder, held).alarm.tick()
    assert [(alert.state, alert.notices) for alert in alerts_of(world)] == [("open", 1)]
    world.push(alerts=alerts(6))
    look_or_tell(holder, held).alarm.tick()
    assert [(alert.state, alert.notices) for alert in alerts_of(world)] == [("resolved", 2)]
