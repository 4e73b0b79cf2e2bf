"""What people see of checks and alerts is what is on record, and what is not known is said."""

import orjson
import pytest

from functions.alerts.reading import Wanted, WantedState, check_coverage, list_alerts, list_checks, read_alert
from functions.errors import NotFound, StorageError
from tests.fakes.destinations import Reply
from tests.unit.alerts.building import CHECK, DISPATCHER
from tests.unit.watch.world import OTHER, World, minutes_until

CHECKS = (CHECK, OTHER)
BENEFITS = {"Agent": "benefits", "Tool": "search"}


def test_a_check_says_how_it_fares() -> None:
    world = World(checks=CHECKS)
    world.run(minutes_until(0))
    stale, skipped = list_checks(world.held, CHECKS)
    assert stale == {
        "id": "stale_tool_data",
        "title": "A tool answered with stale data",
        "severity": "high",
        "owner": "platform",
        "every_minutes": 5.0,
        "state": "ok",
        "last_evaluation": {
            "at": "2026-11-24T03:05:00Z",
            "ok": True,
            "windows": 1,
            "rows": 1,
            "unjudged": 0,
            "error": None,
        },
        "consecutive_failures": 0,
        "error": None,
        "evaluated_until": "2026-11-24T03:00:00Z",
        "open_alerts": 1,
    }
    assert (skipped["state"], skipped["open_alerts"]) == ("ok", 0)


def test_a_check_that_fails_or_can_not_be_read_is_failing() -> None:
    world = World(checks=CHECKS)
    world.runner.down.add(CHECK.id)
    world.run(minutes_until(0))
    held = world.held.read(f"checks/{OTHER.id}")
    assert held is not None
    world.held.write(held.name, {"format": 2}, version=held.version)
    shown = [(check["state"], check["error"]) for check in list_checks(world.held, CHECKS)]
    assert shown == [("failing", "SourceUnavailable"), ("failing", "StorageError")]


def test_a_check_that_never_ran_says_so() -> None:
    assert [check["state"] for check in list_checks(World().held, CHECKS)] == ["never", "never"]


COUNTS = ("windows", "blind_windows", "unjudged", "late_rows", "late_findings", "withdrawn", "findings")


def test_coverage_shows_what_was_evaluated() -> None:
    world = World()
    world.run(minutes_until(1))
    assert check_coverage(world.held, CHECKS, CHECK.id) == {
        "check_id": CHECK.id,
        "watermark": "2026-11-24T03:05:00Z",
        "intervals": [{"start": "2026-11-24T02:55:00Z", "end": "2026-11-24T03:05:00Z", "rows": 2}],
        "gaps": [],
        "asking": [
            {
                "day": "2026-11-24",
                "queries": 2,
                "rows": 0,
                "seconds": None,
                "timed": 0,
                "bytes_read": None,
                "measured": 0,
            }
        ],
        "errors": [],
        "interruptions": [],
        "totals": dict.fromkeys(COUNTS, 0),
        "days": [],
        "unswept": [],
        "sweeps_given_up": 0,
    }
    assert check_coverage(world.held, CHECKS, OTHER.id)["intervals"] == []


def test_coverage_of_a_check_that_does_not_exist_is_not_found() -> None:
    with pytest.raises(NotFound):
        check_coverage(World().held, CHECKS, "no_such_check")


@pytest.mark.parametrize(
    ("state", "agents"),
    [(None, ["benefits", "dispatcher"]), ("open", ["benefits"]), ("resolved", ["dispatcher"])],
)
def test_alerts_are_listed_by_state_the_latest_first(state: WantedState | None, agents: list[str]) -> None:
    world = World({CHECK.id: {0: [DISPATCHER], 3: [BENEFITS]}})
    world.run(minutes_until(3))
    answer = list_alerts(world.held, Wanted(state))
    assert [alert["key"]["Agent"] for alert in answer["alerts"]] == agents
    assert all("findings" not in alert for alert in answer["alerts"])
    assert answer["unreadable"] == []


def test_a_document_that_can_not_be_read_is_named_beside_the_alerts_of_the_others() -> None:
    world = World({OTHER.id: {0: [DISPATCHER]}}, checks=CHECKS)
    world.held.write(f"checks/{CHECK.id}", {"format": 2}, version=None)
    world.run(minutes_until(0))
    answer = list_alerts(world.held)
    assert len(answer["alerts"]) == 1
    assert answer["unreadable"] == [f"checks/{CHECK.id}"]


def test_an_alert_shows_its_findings_and_what_became_of_its_notices() -> None:
    world = World(replies=[Reply(503), Reply(202), Reply(400)])
    world.run(minutes_until(3))
    (alert,) = list_alerts(world.held)["alerts"]
    shown = read_alert(world.held, alert["id"])
    assert orjson.loads(orjson.dumps(shown)) == shown
    (found,) = shown["findings"]
    assert found["window"] == {"start": "2026-11-24T02:55:00Z", "end": "2026-11-24T03:00:00Z"}
    assert (found["value"], found["threshold"], len(found["trace_ids"])) == (95.0, 30.0, 1)
    assert [(one["kind"], one["state"], one["attempts"], one["reason"]) for one in shown["deliveries"]] == [
        ("opened", "accepted", 2, None),
        ("resolved", "refused", 1, "HTTP 400"),
    ]


def test_an_alert_that_does_not_exist_is_not_found() -> None:
    world = World()
    world.run(minutes_until(0))
    with pytest.raises(NotFound):
        read_alert(world.held, "0" * 16)


def test_an_alert_that_may_lie_in_a_broken_document_is_not_denied() -> None:
    world = World()
    world.held.write(f"checks/{CHECK.id}", {"format": 2}, version=None)
    with pytest.raises(StorageError):
        read_alert(world.held, "0" * 16)
