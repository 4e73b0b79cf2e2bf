"""Says of each check how much it has seen, what kept it from seeing more, and what it asked. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta

from functions.alerts.state import CheckState
from functions.alerts.watchfulness import CHECK_BLIND, answerable, is_behind
from functions.checks.asking import Asked
from functions.checks.definition import CheckDefinition
from functions.checks.finding import Window
from functions.checks.interruptions import Failures, Interruption
from functions.checks.tally import CountedDay
from functions.commands.record import Held
from functions.errors import SourceBlind, StorageError
from functions.text_plot import safe

_MOST_LINES = 20


@dataclass(frozen=True, slots=True)
class Covered:
    """What one check has seen of some days.

    Attributes:
        check: The check.
        between: The time that is spoken of; None where nothing is known.
        gaps: What of it was not evaluated.
        interruptions: When it was not evaluated in time, and why.
        errors: Which attempts failed.
        counts: What could not be judged and what came late: sums of the days, by the names of CountedDay.
        asked: What its questions took.
        faults: Why it can't be relied on, as sentences; none where it can.
    """

    check: CheckDefinition
    between: Window | None
    gaps: tuple[Window, ...]
    interruptions: tuple[Interruption, ...]
    errors: tuple[Failures, ...]
    counts: Mapping[str, int]
    asked: Asked
    faults: tuple[str, ...]

    @property
    def share(self) -> float:
        """The evaluated part of the time, 0 to 1."""
        if self.between is None:
            return 0.0
        return 1 - sum(map(_length, self.gaps), timedelta()) / _length(self.between)


def covered(check: CheckDefinition, held: Held, days: int, now: datetime, *, failing_after: int) -> Covered:
    """Return what a check has seen of the last `days`, or since it began.

    Args:
        check: The check.
        held: What is remembered of it.
        days: How many, 1 or more.
        now: The present instant.
        failing_after: Failed evaluations in a row that make it one that can't be relied on.
    """
    state = held if isinstance(held, CheckState) else CheckState()
    first = now - timedelta(days=days)
    between = answerable(check, state.coverage, state.watermark, first, now)
    gaps = state.coverage.gaps(between) if between else ()
    today = now.astimezone(UTC).date()
    counted = [one for one in state.tally.days if one.day >= first.date()]
    return Covered(
        check=check,
        between=between,
        gaps=gaps,
        interruptions=tuple(one for one in state.interruptions.stretches if one.end > first),
        errors=tuple(one for one in state.interruptions.errors if one.end > first),
        counts={name: sum(getattr(one, name) for one in counted) for name in _COUNTS},
        asked=state.asking.total(first.date(), today),
        faults=(str(held),)
        if isinstance(held, StorageError)
        else tuple(_faults(check, state, gaps, now, failing_after)),
    )


_COUNTS = tuple(field.name for field in fields(CountedDay) if field.name != "day")


def _faults(
    check: CheckDefinition, state: CheckState, gaps: Sequence[Window], now: datetime, failing_after: int
) -> Iterator[str]:
    last = state.last_evaluation
    if last is None:
        yield "It was never evaluated."
        return
    if last.error == SourceBlind.__name__:
        yield "It is blind: what it needs can't be seen."
    elif state.consecutive_failures >= failing_after:
        yield f"Its last {state.consecutive_failures} evaluations failed: {safe(str(last.error))}."
    if state.watermark and is_behind(check, state.watermark, now):
        yield f"It is behind: judged until {_time(state.watermark)}."
    if any(alert.check_id == CHECK_BLIND and alert.state == "open" for alert in state.alerts.values()):
        yield "It could judge hardly any window of its last whole day."
    if gaps:
        missing = sum(map(_length, gaps), timedelta())
        count = f"{len(gaps)} gap{'s' if len(gaps) > 1 else ''}"
        yield f"Not evaluated: {_duration(missing)} in {count}, the first from {_time(gaps[0].start)}."


def overview(seen: Sequence[Covered], days: int, now: datetime) -> Iterator[str]:
    """Yield a table of the checks, and why some can't be relied on."""
    yield f"The last {days} days, until {_time(now)} UTC. Times are when telemetry was received."
    yield ""
    yield (
        f"{'check':26}{'evaluated':>10}{'gaps':>6}{'interrupted':>12}{'late rows':>11}{'found late':>11}"
        f"{'blind':>7}{'unjudged':>10}{'questions':>11}{'engine s':>10}"
    )
    for one in seen:
        counts, asked = one.counts, one.asked
        seconds = f"{asked.seconds:.1f}" if asked.timed else "-"
        interrupted = sum((each.end - each.start for each in one.interruptions), timedelta())
        yield (
            f"{one.check.id:26}{_share(one.share):>10}{len(one.gaps):>6}{_duration(interrupted):>12}"
            f"{counts['late_rows']:>11}{counts['late_findings']:>11}{counts['blind_windows']:>7}"
            f"{counts['unjudged']:>10}{asked.queries:>11}{seconds:>10}"
        )
    yield ""
    faulty = [one for one in seen if one.faults]
    if not faulty:
        yield "No gaps, and no check is blind or behind."
    for one in faulty:
        yield from (f"{one.check.id}: {fault}" for fault in one.faults)


def details(one: Covered) -> Iterator[str]:
    """Yield what else is known of a single check."""
    gaps = [f"{_time(gap.start)} to {_time(gap.end)}" for gap in one.gaps]
    interruptions = [
        f"{_time(each.start)} to {_time(each.end)}  {safe(each.cause)}" for each in one.interruptions
    ]
    errors = [
        f"{_time(each.start)} to {_time(each.end)}  {safe(each.kind)}, {each.count} times"
        for each in one.errors
    ]
    yield ""
    if one.between:
        yield f"Spoken of: {_time(one.between.start)} to {_time(one.between.end)} UTC"
    yield from _listed("Gaps: not evaluated at all", gaps)
    yield from _listed("Interruptions: evaluated late, and why", interruptions)
    yield from _listed("Failed attempts", errors)
    counts, asked = one.counts, one.asked
    yield (
        f"Windows with rows: {counts['windows']}, {counts['blind_windows']} of them without one that could "
        f"be judged; rows not judged: {counts['unjudged']}"
    )
    yield (
        f"Rows that came late: {counts['late_rows']}; findings made by them: {counts['late_findings']}; "
        f"traces that they cleared: {counts['withdrawn']}"
    )
    yield f"Questions: {asked.queries}, {asked.rows} rows in answers{_told(asked)}"


def _told(asked: Asked) -> str:
    told = []
    if asked.timed:
        told.append(f"{asked.seconds:.1f} s of the engine ({asked.timed} answers say so)")
    if asked.measured:
        told.append(f"{asked.bytes_read / 1e9:.3f} GB read ({asked.measured} say so)")
    return "".join(f", {each}" for each in told)


def _listed(title: str, lines: Sequence[str]) -> Iterator[str]:
    yield f"{title}: {'none' if not lines else len(lines)}"
    yield from (f"  {line}" for line in lines[-_MOST_LINES:])
    if len(lines) > _MOST_LINES:
        yield f"  and {len(lines) - _MOST_LINES} before these"


def _length(window: Window) -> timedelta:
    return window.end - window.start


def _share(share: float) -> str:
    """Write a share so that only all of it is 100 %."""
    return "100 %" if share == 1 else f"{min(100 * share, 99.99):.2f} %"


def _duration(length: timedelta) -> str:
    minutes = round(length / timedelta(minutes=1))
    return f"{minutes // 60}h {minutes % 60:02}m" if minutes >= 60 else f"{minutes}m"


def _time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}"
