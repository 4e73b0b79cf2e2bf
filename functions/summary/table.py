"""Writes a week's summary as lines of plain text that a phone shows without wrapping. Pure.

Each line is shown in a font of one width, on a card and at a terminal. Names are made inert for both; text of
a card that reads Markdown must not collapse the spaces.
"""

import unicodedata
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from functions.alerts.escaping import escape
from functions.summary.body import (
    Alerts,
    CheckCoverage,
    Cost,
    Coverage,
    Holds,
    Reviews,
    Runs,
    Undelivered,
    Waste,
    Week,
)

WIDTH = 44
"""Columns of a line: about what a phone that is held upright shows of a small font of one width."""

_KINDS = {
    "retries": "retries",
    "duplicate_retrievals": "searches made again",
    "context_bloat": "prompts that grew",
}
_FIGURES = "{:>7}{:>9}{:>6}"
_COUNTED = WIDTH - 22


def summary_lines(week: Week) -> list[str]:
    """Return the lines, none longer than `WIDTH` columns; the empty ones part the sections."""
    return [line.rstrip() for line in _lines(week)]


def _lines(week: Week) -> Iterator[str]:
    zone = ZoneInfo(week["zone"])
    start = datetime.fromisoformat(week["start"]).astimezone(zone)
    last = datetime.fromisoformat(week["end"]).astimezone(zone) - timedelta(hours=1)
    yield f"{start:%a} {start.day} {start:%b} to {last:%a} {last.day} {last:%b %Y}"
    yield _fit(week["zone"], WIDTH)
    if week["missed_weeks"]:
        missed = "week" if week["missed_weeks"] == 1 else f"{week['missed_weeks']:,} weeks"
        yield f"No summary of the {missed} before it."
    if week["runs"] is not None:
        yield from _runs(week["runs"])
    if week["alerts"] is not None:
        yield from _alerts(week["alerts"])
    if week["cost"] is not None:
        yield from _cost(week["cost"])
    if week["waste"] is not None:
        yield from _waste(week["waste"])
    if week["coverage"] is not None:
        yield from _coverage(week["coverage"])
    if week["reviews"] is not None:
        yield from _reviews(week["reviews"])
    if week["holds"] is not None:
        yield from _holds(week["holds"])
    if week["undelivered"]:
        yield from _undelivered(week["undelivered"])
    if week["unknown"]:
        yield ""
        yield "NOT KNOWN"
        for one in week["unknown"]:
            yield from _wrapped(f"{one['part']}: {one['why']}")


def _runs(runs: Runs) -> Iterator[str]:
    yield ""
    yield _row("RUNS", f"{runs['runs']:,}{_change(runs['runs'], runs['runs_before'])}")
    if runs["runs"]:
        yield _row("  failed", f"{runs['failed']:,} ({runs['failed'] / runs['runs']:.1%})")
    for one in runs["agents"]:
        yield _row(f"  {_name(one['agent'])}", f"{one['runs']:,}, failed {one['failed']:,}")


def _alerts(alerts: Alerts) -> Iterator[str]:
    yield ""
    yield _row("FINDINGS", f"{alerts['findings']:,}")
    yield f"{'ALERTS':{_COUNTED}}{_FIGURES.format('opened', 'resolved', 'open')}"
    for one in (*alerts["severities"], *alerts["checks"]):
        figures = _FIGURES.format(one["opened"], one["resolved"], one["open"])
        yield f"{_fit(f'  {escape(one["name"])}', _COUNTED)}{figures}"
    total = _FIGURES.format(alerts["opened"], alerts["resolved"], alerts["open"])
    yield f"{'  all':{_COUNTED}}{total}"
    if alerts["unacknowledged"]:
        yield _row("  open, and nobody has taken it on", f"{alerts['unacknowledged']:,}")


def _cost(cost: Cost) -> Iterator[str]:
    yield ""
    yield _row("COST", f"{cost['currency']} {_money(cost['cost'])}{_change(cost['cost'], cost['before'])}")
    for one in cost["agents"]:
        yield _row(f"  {_name(one['agent'])}", f"{_money(one['cost'])}{_change(one['cost'], one['before'])}")
    if cost["without_cost"]:
        yield _row("  calls without usage or price", f"{cost['without_cost']:.1%}")


def _waste(waste: Waste) -> Iterator[str]:
    yield ""
    yield _row("PAID IN VAIN", waste["currency"])
    yield _row("  retries", _money(waste["retries"]))
    yield _row("  searches made again", _money(waste["duplicate_retrievals"]))
    yield _row("  prompts that grew", _money(waste["context_bloat"]))
    if waste["top"]:
        yield "  the dearest of it:"
    for one in waste["top"]:
        yield _row(f"  {_name(one['agent'])}", _money(one["lost"]))
        what = _KINDS.get(one["kind"], one["kind"])
        yield _fit(f"    {what}{f' {_name(one["tool"])}' if one['tool'] else ''}", WIDTH)


def _coverage(coverage: Coverage) -> Iterator[str]:
    yield ""
    yield _row("CHECKS THAT SAW ALL", f"{coverage['complete']} of {coverage['total']}")
    for one in coverage["checks"]:
        yield _row(f"  {escape(one['check'])}", _seen(one))
        missing = ", ".join(_missing(one))
        if missing:
            yield from _wrapped(missing, "    ")


def _seen(one: CheckCoverage) -> str:
    if one["share"] is None:
        return "not known"
    # A gap must not be rounded away.
    return "100%" if one["share"] >= 1 else f"{min(one['share'], 0.999):.1%}"


def _missing(one: CheckCoverage) -> Iterator[str]:
    if one["gaps"]:
        yield f"{_count(one['gaps'], 'gap')}, {_count(one['gap_minutes'], 'minute')}"
    if one["blind_windows"]:
        yield f"blind in {one['blind_windows']:,} of {_count(one['windows'], 'window')}"
    if one["late_rows"]:
        yield _count(one["late_rows"], "late row")


def _reviews(reviews: Reviews) -> Iterator[str]:
    yield ""
    yield _row("OVERDUE REVIEWS", f"{reviews['overdue']:,}")
    for one in reviews["top"]:
        yield _row(f"  {escape(one['agent'])}", _count(one["days"], "day"))
        yield _fit(f"    {escape(one['owner'])}", WIDTH)


def _holds(holds: Holds) -> Iterator[str]:
    if holds["held"] or holds["over_cap"]:
        yield ""
        yield _row("EVIDENCE OF ALERTS HELD", f"{holds['held']:,}")
    if holds["over_cap"]:
        yield _row("  not held: too many a day", f"{holds['over_cap']:,}")


def _undelivered(undelivered: Iterable[Undelivered]) -> Iterator[str]:
    yield ""
    yield "NEWS THAT NEVER CAME THROUGH"
    for one in undelivered:
        yield _row(f"  {escape(one['destination'])}", f"{one['count']:,}")


def _name(name: str | None) -> str:
    return escape(name) if name else "(not said)"


def _money(value: float) -> str:
    return f"{value:,.2f}"


def _change(now: float, before: float | None) -> str:
    """Return how much it is more or less than in the week before, where that can be said in per cent."""
    if not before:
        return ""
    change = now / before - 1
    return f" ({change:+.0%})" if abs(change) < 10 else f" (x{now / before:,.0f})"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _row(name: str, figures: str) -> str:
    """Return a name at the left edge, cut where it must be, and figures at the right."""
    return f"{_fit(name, WIDTH - len(figures) - 1)} {figures}"


def _fit(text: str, columns: int) -> str:
    """Return text of exactly so many columns: cut with an ellipsis, or with spaces behind it."""
    if _columns(text) > columns:
        while text and _columns(text) > columns - 1:
            text = text[:-1]
        text += "…"
    return text + " " * (columns - _columns(text))


def _columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def _wrapped(text: str, indent: str = "  ") -> Iterator[str]:
    line = indent
    for word in text.split():
        if len(line) > len(indent) and _columns(f"{line} {word}") > WIDTH:
            yield line
            line = indent
        line += word if line == indent else f" {word}"
    yield _fit(line, WIDTH)
