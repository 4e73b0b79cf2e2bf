"""Spreads what provisioned throughput costs over the calls it carried, and says how much of it was used."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from functions.costs.prices import Prices, Provisioned, provisioned_on
from functions.costs.usage import Usage

_HOUR = timedelta(hours=1)
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Capacity:
    """What one provisioned deployment cost in a period, and what was made of it.

    Attributes:
        deployment: Its name.
        hours: For how many hours of the period it was paid.
        cost: What they cost, in the price list's currency.
        unused_cost: What the days without any tokens cost; it is in no group's share.
        calls: How many calls it carried.
        tokens: Their tokens, input and output.
        share_used: The tokens as a share of those it could have carried; None where the price list does not
            say how many it can.
    """

    deployment: str
    hours: float
    cost: Decimal
    unused_cost: Decimal
    calls: int
    tokens: int
    share_used: float | None


def token_costs(
    usages: Iterable[Usage], prices: Prices, start: datetime, end: datetime
) -> Mapping[tuple[str, date], Decimal]:
    """Return what one token cost on each provisioned deployment and day that carried tokens.

    Args:
        usages: All calls of the period.
        prices: The price list.
        start: Of the paid hours, UTC.
        end: Of the paid hours (exclusive), UTC: not later than now, since the rest is not paid yet.
    """
    tokens: defaultdict[tuple[str, date], int] = defaultdict(int)
    for one in usages:
        if one.deployment:
            tokens[one.deployment, one.day] += one.tokens
    return {
        (paid.deployment, day): cost / carried
        for (deployment, day), carried in tokens.items()
        if carried and (paid := provisioned_on(prices, deployment, day)) is not None
        for cost in [_cost(paid, _overlap(day, start, end))]
    }


def capacities(
    usages: Iterable[Usage], prices: Prices, start: datetime, end: datetime
) -> tuple[Capacity, ...]:
    """Return each deployment that was paid for within the period, used or not, by its name.

    Args: as of `token_costs`.
    """
    carried: defaultdict[tuple[str, date], list[Usage]] = defaultdict(list)
    for one in usages:
        carried[one.deployment, one.day].append(one)
    names = sorted({one.deployment for one in prices.provisioned})
    found = (_capacity(name, carried, prices, start, end) for name in names)
    return tuple(capacity for capacity in found if capacity.hours)


def _capacity(
    name: str,
    carried: Mapping[tuple[str, date], list[Usage]],
    prices: Prices,
    start: datetime,
    end: datetime,
) -> Capacity:
    length, cost, unused, calls, tokens, room = timedelta(), Decimal(0), Decimal(0), 0, 0, 0.0
    measured = True
    for day in _days(start, end):
        paid = provisioned_on(prices, name, day)
        if paid is None:
            continue
        part = _overlap(day, start, end)
        of_day = carried.get((name, day), [])
        its_tokens = sum(one.tokens for one in of_day)
        length += part
        cost += _cost(paid, part)
        unused += Decimal(0) if its_tokens else _cost(paid, part)
        calls += sum(one.calls for one in of_day)
        tokens += its_tokens
        measured = measured and paid.tokens_per_minute is not None
        room += (paid.tokens_per_minute or 0) * (part / _MINUTE)
    share = tokens / room if measured and room else None
    return Capacity(name, length / _HOUR, cost, unused, calls, tokens, share)


def _cost(paid: Provisioned, length: timedelta) -> Decimal:
    return Decimal(repr(paid.hourly)) * int(length.total_seconds()) / 3600


def _overlap(day: date, start: datetime, end: datetime) -> timedelta:
    midnight = datetime.combine(day, time(), UTC)
    return max(min(end, midnight + timedelta(days=1)) - max(start, midnight), timedelta())


def _days(start: datetime, end: datetime) -> Iterator[date]:
    day = start.date()
    while datetime.combine(day, time(), UTC) < end:
        yield day
        day += timedelta(days=1)
