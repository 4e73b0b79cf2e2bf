import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest

from local.host.invocations import TimerCall
from local.host.ncrontab import parse_schedule
from local.host.timers import ScheduleStatus, Timers, resume, tick

EVERY_MINUTE = parse_schedule("0 * * * * *")
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
BEFORE = NOON - timedelta(minutes=1)


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def test_a_timer_does_not_run_before_it_is_due() -> None:
    assert tick(EVERY_MINUTE, ScheduleStatus(BEFORE, NOON), NOON - seconds(0.1)) is None


@pytest.mark.parametrize(
    ("late", "past_due", "following"),
    [
        (seconds(0), False, NOON + seconds(60)),
        (seconds(0.9), False, NOON + seconds(60)),
        (seconds(1), True, NOON + seconds(60)),
        (seconds(60), True, NOON + seconds(120)),
        (seconds(90), True, NOON + seconds(120)),
        (timedelta(days=3, seconds=30), True, NOON + timedelta(days=3, seconds=60)),
    ],
)
def test_a_late_run_is_past_due_and_stands_for_all_that_were_missed(
    late: timedelta, past_due: bool, following: datetime
) -> None:
    due = tick(EVERY_MINUTE, ScheduleStatus(BEFORE, NOON), NOON + late)
    assert due == (
        TimerCall(past_due=past_due, last=BEFORE, next=following),
        ScheduleStatus(last=NOON + late, next=following),
    )


@pytest.mark.parametrize(
    ("kept", "status"),
    [
        (None, ScheduleStatus(None, NOON + seconds(60))),
        (ScheduleStatus(BEFORE, NOON - seconds(600)), ScheduleStatus(BEFORE, NOON - seconds(600))),
        # The schedule was yearly when the status was kept.
        (ScheduleStatus(BEFORE, NOON + timedelta(days=300)), ScheduleStatus(BEFORE, NOON + seconds(60))),
    ],
)
def test_a_host_resumes_from_what_was_kept(kept: ScheduleStatus | None, status: ScheduleStatus) -> None:
    assert resume(EVERY_MINUTE, kept, NOON) == status


def test_what_was_missed_while_no_host_ran_is_run_once_and_remembered(tmp_path: Path) -> None:
    file = tmp_path / "schedules.json"
    file.write_text('{"watch": {"last": null, "next": "2026-01-01T00:00:00+00:00"}}')
    calls: list[tuple[str, TimerCall]] = []
    ran = threading.Event()

    def run(name: str, call: TimerCall) -> None:
        calls.append((name, call))
        ran.set()

    timers = Timers({"watch": parse_schedule("0 0 0 1 1 *")}, run, file)
    timers.start()
    assert ran.wait(10)
    timers.stop()
    assert [(name, call.past_due) for name, call in calls] == [("watch", True)]
    kept = orjson.loads(file.read_bytes())["watch"]
    assert datetime.fromisoformat(kept["last"]) <= datetime.now(UTC) < datetime.fromisoformat(kept["next"])
