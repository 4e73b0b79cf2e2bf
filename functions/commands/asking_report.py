"""Estimates what a month of asking costs: money where a table charges for it, load elsewhere. Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from functions.alerts.state import CheckState
from functions.checks.asking import Asked, AskingRecord
from functions.checks.definition import CheckDefinition
from functions.checks.finding import Window
from functions.checks.question import question
from functions.checks.windows import Batch, window_start
from functions.commands.record import Held
from functions.configuration import Configuration
from functions.traces.content_hashes import reads_content_hashes

CHARGED = ("AppTraces", "AppGenAIContent")
"""The tables of traces that can be on the Basic plan, on which queries are billed:
https://learn.microsoft.com/azure/azure-monitor/logs/basic-logs-azure-tables"""

_MONTH = 30
_DAY = timedelta(days=1)
_AT_ONCE = 5
_IN_30_SECONDS = 200
"""What one identity may ask: https://learn.microsoft.com/azure/azure-monitor/service-limits#query-api"""

_QUESTIONS_A_TICK = 2
"""A check asks about the windows that are due, and once more about those that late rows may have changed.
Each time it may ask about content beforehand."""


@dataclass(frozen=True, slots=True)
class Month:
    """What one check takes in a month of 30 days, by the days that are known.

    Attributes:
        check: The check.
        known_days: How many days that is estimated from; 0 where nothing is known.
        queries: Questions.
        rows: Rows of their answers.
        seconds: Time of the engine; None where no answer told it.
        gigabytes_read: Stored data read, compressed; None where no answer told it.
        gigabytes_charged: Data of charged tables that the questions are about.
    """

    check: CheckDefinition
    known_days: float
    queries: float = 0.0
    rows: float = 0.0
    seconds: float | None = None
    gigabytes_read: float | None = None
    gigabytes_charged: float = 0.0


def month(
    check: CheckDefinition, held: Held, days: int, now: datetime, charged_gigabytes_a_question: float
) -> Month:
    """Estimate a check's month from the whole ones of the last `days`, or from today where there are none."""
    record = held.asking if isinstance(held, CheckState) else AskingRecord()
    total, known = _known(record, (now - days * _DAY).date(), now)
    if not total.queries:
        return Month(check, 0.0)
    queries = total.queries * _MONTH / known
    return Month(
        check,
        known,
        queries,
        rows=total.rows * _MONTH / known,
        seconds=queries * total.seconds / total.timed if total.timed else None,
        gigabytes_read=queries * total.bytes_read / total.measured / 1e9 if total.measured else None,
        gigabytes_charged=queries * charged_gigabytes_a_question,
    )


def charged_a_question(
    check: CheckDefinition, configuration: Configuration, charged: Mapping[str, float], now: datetime
) -> float:
    """Return how many GB of charged tables one usual question of a check is about, on average.

    A query on a Basic table is billed for all that the table holds in the time asked about
    (https://learn.microsoft.com/azure/azure-monitor/logs/basic-logs-query): its filters save nothing.

    Args:
        check: The check.
        configuration: What its question is written with.
        charged: Tables, and the GB that each takes in a day.
        now: The present instant.
    """
    end = window_start(now, check.every)
    asked = question(
        check,
        Batch(check.every, (Window(end - check.every, end),)),
        configuration.agents,
        configuration.prices,
        content_apart="AppGenAIContent" in charged,
    )
    texts = [re.sub(r"//.*", "", kql) for kql in (asked.kql, asked.content_kql) if kql is not None]
    in_them = [size for kql in texts for table, size in charged.items() if re.search(rf"\b{table}\b", kql)]
    return sum(in_them) / len(texts) * ((asked.until - asked.since) / _DAY)


def report(months: Sequence[Month], days: int, price: float | None, now: datetime) -> Iterator[str]:
    """Yield the estimate of each check and of all, and what it means.

    Args:
        months: One a check.
        days: How many days were looked at.
        price: What a GB of charged data costs; None where no table is charged.
        now: When the price was given.
    """
    yield f"What asking takes in {_MONTH} days, estimated from what is kept of the last {days} days."
    yield ""
    yield (
        f"{'check':26}{'days known':>11}{'questions':>11}{'rows':>12}{'engine s':>11}{'GB read':>10}"
        f"{'GB charged':>12}{'bill':>12}"
    )
    for one in months:
        yield _line(one.check.id, f"{one.known_days:.1f}", one, price)
    known = [one for one in months if one.known_days]
    whole = _sum(known) if known else None
    if whole is None:
        yield "Nothing was asked yet, or nothing of it is kept."
        return
    yield _line("all", "", whole, price)
    yield ""
    if whole.seconds is not None:
        share = 100 * whole.seconds / (_AT_ONCE * _MONTH * 86_400)
        yield (
            f"Load: the engine works {whole.seconds / _MONTH:.0f} s a day on it, {share:.2g} % of what "
            f"{_AT_ONCE} queries at once could take."
        )
    yield (
        f"Load: one tick asks at most {_questions_a_tick(months)} questions, of the {_IN_30_SECONDS} "
        "that the service takes from one identity in 30 s."
    )
    yield "Queries on tables of the Analytics plan cost nothing, however much they read."
    if price is None:
        yield (
            f"A table of the Basic plan ({' or '.join(CHARGED)}) is charged at each query for all that it "
            "holds in the time asked about: --charged TABLE=GB_A_DAY and --price say what that comes to."
        )
    else:
        given = f"{now.astimezone(UTC):%Y-%m-%d}"
        yield f"Charged tables: at {price:g} a GB, as given on {given}; the bill is in that currency."


def _questions_a_tick(months: Sequence[Month]) -> int:
    return _QUESTIONS_A_TICK * sum(2 if reads_content_hashes(one.check.query) else 1 for one in months)


def _known(record: AskingRecord, first: date, now: datetime) -> tuple[Asked, float]:
    today = now.astimezone(UTC).date()
    whole = [one.day for one in record.days if first <= one.day < today]
    if len(whole) > 1 and whole[0] == record.days[0].day:
        whole = whole[1:]  # the day on which the record begins is seldom a whole one
    if whole:
        return record.total(whole[0], whole[-1]), (whole[-1] - whole[0]).days + 1
    gone = now - datetime.combine(today, time(), UTC)
    return record.total(today, today), max(gone / _DAY, 1 / 24)


def _sum(months: Sequence[Month]) -> Month:
    seconds = [one.seconds for one in months if one.seconds is not None]
    gigabytes = [one.gigabytes_read for one in months if one.gigabytes_read is not None]
    return Month(
        months[0].check,
        known_days=max(one.known_days for one in months),
        queries=sum(one.queries for one in months),
        rows=sum(one.rows for one in months),
        seconds=sum(seconds) if seconds else None,
        gigabytes_read=sum(gigabytes) if gigabytes else None,
        gigabytes_charged=sum(one.gigabytes_charged for one in months),
    )


def _line(name: str, known: str, one: Month, price: float | None) -> str:
    bill = 0.0 if price is None else price * one.gigabytes_charged
    return (
        f"{name:26}{known:>11}{one.queries:>11.0f}{one.rows:>12.0f}{_or_dash(one.seconds, 0):>11}"
        f"{_or_dash(one.gigabytes_read, 2):>10}{one.gigabytes_charged:>12.2f}{bill:>12.2f}"
    )


def _or_dash(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
