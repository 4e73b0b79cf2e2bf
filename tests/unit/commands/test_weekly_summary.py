"""`tracekeeper alerts summary` prints the week before a day, and its exit code whether all of it is known."""

from datetime import UTC, date, datetime, time
from pathlib import Path

import orjson
import pytest

from functions.alerts.rules import WeeklySummary
from functions.cli import main
from functions.commands.weekly_summary import summary
from functions.summary.body import Unknown, Week
from functions.summary.table import summary_lines
from functions.weeks import WeekBefore

NOW = datetime(2026, 11, 24, 23, 30, tzinfo=UTC)
BODY: Week = orjson.loads((Path(__file__).parents[1] / "summary" / "week.json").read_bytes())
BERLIN = WeeklySummary(0, time(8), "Europe/Berlin", ("teams",))


class Gatherer:
    """Gives the same body for every week, and remembers which were asked for."""

    def __init__(self, *unknown: Unknown) -> None:
        self.asked: list[WeekBefore] = []
        self._unknown = list(unknown)

    def gather(self, week: WeekBefore) -> Week:
        self.asked.append(week)
        return {**BODY, "unknown": self._unknown}


@pytest.mark.parametrize(
    ("before", "rule", "week"),
    [
        (None, None, WeekBefore(date(2026, 11, 24), "UTC")),
        (None, BERLIN, WeekBefore(date(2026, 11, 25), "Europe/Berlin")),
        (date(2026, 11, 2), BERLIN, WeekBefore(date(2026, 11, 2), "Europe/Berlin")),
    ],
)
def test_it_is_the_week_before_today_or_a_day_where_its_readers_are(
    before: date | None, rule: WeeklySummary | None, week: WeekBefore
) -> None:
    gatherer, said = Gatherer(), list[str]()
    assert summary(before, gatherer, rule, NOW, said.append) == 0
    assert gatherer.asked == [week]
    assert said == summary_lines(BODY)


def test_a_part_that_is_not_known_makes_exit_code_1() -> None:
    gatherer = Gatherer({"part": "cost", "why": "Log Analytics had no room."})
    assert summary(None, gatherer, None, NOW, str) == 1


def test_a_day_that_is_none_is_a_wrong_call(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["alerts", "summary", "--before", "soon"])
    assert stopped.value.code == 2
    assert "--before" in capsys.readouterr().err
