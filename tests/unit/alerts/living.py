"""Lets one alert live through ticks, window by window, and keeps what people were told."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from functions.alerts.alert import Alert, Notice, Told, alert_id
from functions.alerts.circumstances import Circumstances, nobody
from functions.alerts.lifecycle import Advance, acknowledge, advance, record_told
from functions.alerts.rules import AlertRules
from functions.checks.definition import CheckDefinition, Condition
from functions.checks.finding import JudgedWindow
from tests.unit.alerts.building import CHECK, DISPATCHER, EVERY, RULES, START, finding, judged

ID = alert_id(CHECK.id, DISPATCHER)
ABOVE = replace(CHECK, condition=Condition("above", {"threshold": 30}))


@dataclass(slots=True)
class Life:
    """One alert, of which every notice is accepted at once unless `hears` says otherwise.

    Attributes:
        check: What finds it.
        rules: Which hold; a test may change them between two ticks.
        now: End of the last window judged, or later.
        alerts: As they stand.
        told: Every notice.
        withheld: How often something was withheld.
        quieted: What keeps it quiet.
        hears: Whether destinations accept.
    """

    check: CheckDefinition = CHECK
    rules: AlertRules = RULES
    now: datetime = START
    windows: int = 0
    alerts: Mapping[str, Alert] = field(default_factory=dict)
    told: list[Notice] = field(default_factory=list)
    withheld: int = 0
    quieted: Callable[[Alert], tuple[str, ...]] = nobody
    hears: bool = True

    def lives(self, marks: str, *, value: float = 95.0) -> list[str]:
        """Judge one window a mark, F with a finding, each in a tick; return the kinds told meanwhile."""
        return [kind for mark in marks for kind in self._judge((self._window(mark, value),))]

    def catches_up(self, marks: str) -> list[str]:
        """Judge the same windows all in one tick."""
        return self._judge(tuple(self._window(mark, 95.0) for mark in marks))

    def waits(self, length: timedelta = timedelta(0)) -> list[str]:
        """Tick with nothing to judge after so long; return the kinds told."""
        self.now += length
        return self._tick(())

    def is_taken_on(self) -> None:
        """Acknowledge it."""
        self.alerts = {**self.alerts, ID: acknowledge(self.alert, "somebody", self.now)}

    @property
    def alert(self) -> Alert:
        return self.alerts[ID]

    def _window(self, mark: str, value: float) -> JudgedWindow:
        self.windows += 1
        number = self.windows - 1
        return judged(number, *([finding(number, value=value)] if mark == "F" else []))

    def _judge(self, windows: tuple[JudgedWindow, ...]) -> list[str]:
        self.now = max(self.now + len(windows) * EVERY, windows[-1].window.end)
        return self._tick(windows)

    def _tick(self, windows: tuple[JudgedWindow, ...]) -> list[str]:
        circumstances = Circumstances(self.rules, self.now, quieted=self.quieted)
        moved: Advance = advance(self.alerts, windows, check=self.check, circumstances=circumstances)
        self.alerts = moved.alerts
        self.told += moved.notices
        self.withheld += len(moved.withheld)
        for notice in moved.notices:
            for name in notice.destinations if self.hears else ():
                told = Told(name, notice.kind, notice.alert.episode, self.now)
                self.alerts = record_told(self.alerts, notice.alert.id, told)
        return [notice.kind for notice in moved.notices]
