"""Writes the chapter on how much of the time each check has seen, from the body of coverage.json. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from functions.evidence.report.bodies import mapping, mappings, number
from functions.evidence.report.html import NOTHING, Html, count, joined, paragraph, section, table, text

_LISTED = 5


def coverage_chapter(body: Mapping[str, Any]) -> Html:
    """Return the chapter about what the checks have seen of the time."""
    checks = mappings(body.get("checks"))
    if not checks:
        return section("coverage", "What the checks have seen", paragraph("Nothing is known of that."))
    whole = sum(each.get("share") == 1 for each in checks)
    told = (
        f"From {_short(body.get('since'))} to {_short(body.get('until'))} UTC (by arrival), {whole} of "
        f"{count(len(checks), 'check')} evaluated all of it. A check says nothing about a time that it did "
        "not evaluate."
    )
    return section(
        "coverage",
        "What the checks have seen",
        paragraph(told),
        table(
            "Checks and how much of the time they evaluated",
            ("Check", "Evaluated", "Gaps and delays", "Blind windows", "Late rows", "Late findings"),
            map(_covered, checks),
            numbers={1, 3, 4, 5},
        ),
    )


def _covered(check: Mapping[str, Any]) -> tuple[Html, ...]:
    share, days = check.get("share"), mappings(check.get("days"))
    shown = f"{min(100 * share, 99.99):.2f} %" if isinstance(share, int | float) and share != 1 else "100 %"
    sums = (sum(number(day, key) for day in days) for key in ("blind_windows", "late_rows", "late_findings"))
    mark = Html(shown if share == 1 else f'<strong class="bad">✕ {shown}</strong>')
    why = joined(_why(check), "; ") or NOTHING
    return text(check.get("check", "")), mark, why, *(Html(f"{each:,}") for each in sums)


def _why(check: Mapping[str, Any]) -> Iterator[str]:
    if (record := check.get("record")) != "kept":
        yield text(f"its record: {record}")
        return
    for stretch in mappings(check.get("gaps"))[:_LISTED]:
        yield f"gap {_between(stretch)}"
    if before := mapping(check.get("not_remembered")):
        yield f"not remembered {_between(before)}"
    if after := mapping(check.get("not_yet_judged")):
        yield f"not judged yet {_between(after)}"
    for stretch in mappings(check.get("interruptions"))[:_LISTED]:
        yield f"evaluated late {_between(stretch)} ({text(stretch.get('cause', ''), 40)})"


def _between(stretch: Mapping[str, Any]) -> str:
    return f"{_short(stretch.get('from'))} to {_short(stretch.get('to'))}"


def _short(instant: object) -> Html:
    return text(str(instant)[:16].replace("T", " "))
