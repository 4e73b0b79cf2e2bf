"""Each alert of a week is counted by what became of it there."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from functions.alerts.alert import Alert
from functions.alerts.state import CheckState
from functions.checks.definition import Severity
from functions.checks.tally import CountedDay, Tally
from functions.summary.found import MOST_CHECKS, alerts_of
from functions.weeks import WeekBefore
from tests.unit.alerts.building import advanced, found

WEEK = WeekBefore(date(2026, 11, 30), "America/New_York")
BEFORE, WITHIN, AFTER = (
    datetime(2026, 11, 23, 4, 59, 59, tzinfo=UTC),
    datetime(2026, 11, 23, 5, tzinfo=UTC),
    datetime(2026, 11, 30, 5, tzinfo=UTC),
)
DAY = timedelta(days=1)
OPEN = next(iter(advanced({}, found(0, of=1)).alerts.values()))


def alert(
    *openings: datetime,
    resolved: datetime | None = None,
    check: str = "slow_run",
    severity: Severity = "high",
    number: int = 0,
) -> Alert:
    return replace(
        OPEN,
        id=f"{check}{number}",
        check_id=check,
        severity=severity,
        state="resolved" if resolved else "open",
        openings=openings,
        opened_at=openings[-1],
        resolved_at=resolved,
        episode=len(openings),
    )


def states(*alerts: Alert) -> Sequence[CheckState]:
    return [CheckState(alerts={one.id: one}) for one in alerts]


@pytest.mark.parametrize(
    ("one", "counts"),
    [
        (alert(BEFORE), (0, 0, 1)),
        (alert(WITHIN), (1, 0, 1)),
        (alert(AFTER), (0, 0, 1)),
        (alert(BEFORE, resolved=WITHIN), (0, 1, 0)),
        (alert(WITHIN, resolved=WITHIN + DAY), (1, 1, 0)),
        (alert(WITHIN, resolved=AFTER), (1, 0, 0)),
        (alert(BEFORE - DAY, resolved=BEFORE), (0, 0, 0)),
        (alert(BEFORE, WITHIN + DAY, resolved=None), (1, 1, 1)),
        (alert(WITHIN, WITHIN + DAY, WITHIN + 2 * DAY, resolved=WITHIN + 3 * DAY), (3, 3, 0)),
        (replace(alert(WITHIN), state="acknowledged"), (1, 0, 1)),
        (replace(alert(WITHIN), openings=()), (1, 0, 1)),
        (replace(alert(WITHIN), state="pending", episode=0), (0, 0, 0)),
    ],
)
def test_an_alert_counts_as_what_it_became_within_the_week(one: Alert, counts: tuple[int, int, int]) -> None:
    total = alerts_of(states(one), WEEK)
    assert (total["opened"], total["resolved"], total["open"]) == counts
    high = total["severities"][1]
    assert (high["name"], high["opened"], high["resolved"], high["open"]) == ("high", *counts)


def test_checks_come_with_the_gravest_and_most_opened_first_and_are_few() -> None:
    many = [alert(WITHIN, check=f"check_{n:02}", severity="low") for n in range(20)]
    grave = alert(WITHIN, check="content_exposed", severity="critical")
    often = [alert(WITHIN, check="slow_run", severity="medium", number=n) for n in range(3)]
    over = alert(BEFORE - DAY, resolved=BEFORE, check="over", severity="critical")
    checks = alerts_of(states(*many, *often, grave, over), WEEK)["checks"]
    assert [one["name"] for one in checks[:3]] == ["content_exposed", "slow_run", "check_00"]
    assert checks[1]["opened"] == 3
    assert len(checks) == MOST_CHECKS


def test_open_alerts_that_nobody_took_on_are_counted() -> None:
    taken = replace(alert(WITHIN), state="acknowledged")
    counted = alerts_of(
        states(alert(WITHIN, number=1), taken, alert(BEFORE, resolved=WITHIN, number=2)), WEEK
    )
    assert (counted["open"], counted["unacknowledged"]) == (2, 1)


def test_findings_are_those_of_the_days_that_lie_mostly_in_the_week() -> None:
    days = [CountedDay(date(2026, 11, 22) + n * DAY, findings=10**n, late_findings=n == 1) for n in range(9)]
    # 23 to 29 November in New York, as the 23rd to the 29th in UTC.
    assert alerts_of([CheckState(tally=Tally(tuple(days)))], WEEK)["findings"] == 11_111_111 - 1 + 1


def test_a_week_without_alerts_has_four_severities_without_any() -> None:
    counted = alerts_of([], WEEK)
    assert [one["name"] for one in counted["severities"]] == ["critical", "high", "medium", "low"]
    assert not any(counted[name] for name in ("findings", "opened", "resolved", "open", "checks"))
