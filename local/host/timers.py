"""Runs timer functions when they are due, and says so when a due time was missed.

As on Azure, the schedule's status is kept outside the process, so that a host that was down at a due time
runs the function once when it comes back, flagged as past due; several missed times make one run.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson

from local.host.invocations import TimerCall
from local.host.ncrontab import Schedule

# A busy machine wakes a sleeper late; that is no missed tick.
_TOLERANCE = timedelta(seconds=1)
# A laptop that was asleep, or whose clock was set, is noticed this soon.
_LONGEST_NAP_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class ScheduleStatus:
    """When a timer last ran (None: never) and when it is due; aware."""

    last: datetime | None
    next: datetime


def resume(schedule: Schedule, kept: ScheduleStatus | None, now: datetime) -> ScheduleStatus:
    """The status to start from: the kept one, unless the schedule has changed to one that is due earlier."""
    due = schedule.next_after(now)
    return ScheduleStatus(None, due) if kept is None else replace(kept, next=min(kept.next, due))


def tick(
    schedule: Schedule, status: ScheduleStatus, now: datetime
) -> tuple[TimerCall, ScheduleStatus] | None:
    """The call to make now and the status after it; None while the timer is not due.

    A call is past due when it comes later than scheduled: the host was down, the machine slept, or the
    function's earlier run took too long.
    """
    if now < status.next:
        return None
    following = schedule.next_after(status.next)
    past_due = now >= status.next + _TOLERANCE
    if past_due:
        following = schedule.next_after(now)
    call = TimerCall(past_due=past_due, last=status.last, next=following)
    return call, replace(status, last=now, next=following)


class Timers:
    """One thread for each timer function. A function never overlaps with its own next tick.

    Args:
        schedules: By function name.
        run: Invokes the function of that name and waits for it.
        statuses: A file that outlives the process.
    """

    def __init__(
        self, schedules: Mapping[str, Schedule], run: Callable[[str, TimerCall], None], statuses: Path
    ) -> None:
        self._run = run
        self._file = statuses
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._statuses = _read_statuses(statuses)
        self._threads = [
            threading.Thread(target=self._keep_time, args=(name, schedule), daemon=True)
            for name, schedule in schedules.items()
        ]

    def start(self) -> None:
        """Begin to run what is due."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Start no further run, and wait for those that are under way."""
        self._stopped.set()
        for thread in self._threads:
            thread.join()

    def _keep_time(self, name: str, schedule: Schedule) -> None:
        status = resume(schedule, self._statuses.get(name), datetime.now(UTC))
        self._remember(name, status)
        while not self._stopped.wait(_nap_seconds(status.next)):
            due = tick(schedule, status, datetime.now(UTC))
            if due is not None:
                call, status = due
                self._run(name, call)
                self._remember(name, status)

    def _remember(self, name: str, status: ScheduleStatus) -> None:
        with self._lock:
            self._statuses[name] = status
            text = orjson.dumps(
                {name: {"last": s.last, "next": s.next} for name, s in self._statuses.items()}
            )
            partial = self._file.with_suffix(".partial")
            partial.write_bytes(text)
            partial.replace(self._file)


def _nap_seconds(due: datetime) -> float:
    return min(max(0.0, (due - datetime.now(UTC)).total_seconds()), _LONGEST_NAP_SECONDS)


def _read_statuses(file: Path) -> dict[str, ScheduleStatus]:
    if not file.exists():
        return {}
    return {
        name: ScheduleStatus(
            datetime.fromisoformat(status["last"]) if status["last"] else None,
            datetime.fromisoformat(status["next"]),
        )
        for name, status in orjson.loads(file.read_bytes()).items()
    }
