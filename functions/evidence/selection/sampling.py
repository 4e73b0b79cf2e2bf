"""Draws runs from a population so that nobody can choose which, and anybody can draw the same again. Pure.

The seed is the SHA-256 of the export's id and the ledger's head. We make the id at random, and the head
covers every request of everybody up to and including this one: who asks chooses neither, and has said what
the population is before there is a seed. The seed is in the ledger before the first run is read. Somebody can
only ask again and again until the sample pleases; each of those requests, and what it drew, is in the ledger.

Each run gets a ticket: the SHA-256 of seed, trace id and run id, as text with single spaces between them. The
runs with the lowest tickets are drawn. docs/exports.md draws a sample again with sha256sum, sort and head.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from heapq import heappush, heapreplace
from typing import NamedTuple

from functions.errors import AskedTooMuch, SourceError

MOST_STRATA = 100

POPULATION = "data/population.txt"
"""Where a bundle has the population: "trace run stratum", a line a run, sorted; hex digits and a number."""


class Run(NamedTuple):
    """One run of a population: lower-case hex ids, and the value that it is divided by ("": none)."""

    trace_id: str
    run_id: str
    stratum: str = ""


class Drawn(NamedTuple):
    """A run that was drawn, with its ticket (64 hex digits)."""

    ticket: str
    trace_id: str
    run_id: str


@dataclass(frozen=True, slots=True)
class Stratum:
    """A part of the population.

    Attributes:
        number: From 1, in the order in which the sorted population first has them.
        name: The value that its runs have in common; "" where the population is not divided. Hostile.
        runs: How many it has.
        drawn: Those drawn, by ascending ticket.
    """

    number: int
    name: str
    runs: int
    drawn: tuple[Drawn, ...]


@dataclass(slots=True)
class _Pot:
    """The lowest tickets of a stratum so far; the heap has the highest of them on top, as a negative."""

    number: int
    runs: int = 0
    heap: list[tuple[int, Run]] = field(default_factory=list)

    def offer(self, ticket: int, run: Run, most: int) -> None:
        self.runs += 1
        if len(self.heap) < most:
            heappush(self.heap, (-ticket, run))
        elif -self.heap[0][0] > ticket:
            heapreplace(self.heap, (-ticket, run))

    def lowest(self, count: int) -> tuple[Drawn, ...]:
        held = sorted((-negative, run) for negative, run in self.heap)[:count]
        return tuple(Drawn(f"{ticket:064x}", run.trace_id, run.run_id) for ticket, run in held)


def seed_of(export_id: str, head: str) -> str:
    """Return the seed (64 hex digits) of an export's sample, from its id and the ledger's head."""
    return hashlib.sha256(f"{export_id} {head}".encode()).hexdigest()


def ticket_of(seed: str, run: Run) -> str:
    """Return the ticket of a run (64 hex digits)."""
    return hashlib.sha256(f"{seed} {run.trace_id} {run.run_id}".encode()).hexdigest()


def in_order(pages: Iterable[Iterable[Run]]) -> Iterator[Run]:
    """Yield the runs of all pages by trace and run id, each once.

    Args:
        pages: Each in any order and with repetitions; all of a page come before all of the next one.

    Raises:
        SourceError: A page has a run that belongs into one before it.
    """
    last = ("", "")
    for page in pages:
        for run in sorted(set(page)):
            key = (run.trace_id, run.run_id)
            if key < last:
                raise SourceError(
                    "The source gave a page of runs that is not the one asked for.",
                    next_step="Ask again; report it if it happens again.",
                )
            if key > last:
                yield run
            last = key


def draw(seed: str, population: Iterable[Run], size: int) -> tuple[Stratum, ...]:
    """Draw `size` runs, or all where there are fewer; every stratum gets its share, and at least one.

    Args:
        seed: Of the sample.
        population: Each run once, in any order that `in_order` has.
        size: How many, at least 1.

    Returns:
        The strata by their numbers.

    Raises:
        AskedTooMuch: There are more strata than runs to be drawn, or than `MOST_STRATA`.
    """
    pots: dict[str, _Pot] = {}
    for run in population:
        pot = pots.get(run.stratum)
        if pot is None:
            pot = pots[run.stratum] = _Pot(len(pots) + 1)
            if len(pots) > min(MOST_STRATA, size):
                raise AskedTooMuch(
                    "The population has more strata than the sample has runs, or than a sample can have.",
                    next_step=f"Ask for more runs, or another stratum; at most {MOST_STRATA} strata.",
                )
        pot.offer(int(ticket_of(seed, run), 16), run, size)
    shares = allot([pot.runs for pot in pots.values()], size)
    return tuple(
        Stratum(pot.number, name, pot.runs, pot.lowest(share))
        for (name, pot), share in zip(pots.items(), shares, strict=True)
    )


def allot(sizes: Sequence[int], size: int) -> list[int]:
    """Divide a sample among strata in proportion to their sizes, by largest remainder, at least one each.

    Args:
        sizes: Of the strata, each at least 1.
        size: Of the sample, at least the number of strata.

    Returns:
        The share of each stratum, never more than it has; in all `size`, or all where there are fewer.
    """
    total = sum(sizes)
    if size >= total:
        return list(sizes)
    shares = [max(1, size * one // total) for one in sizes]

    def owed(number: int) -> int:
        return size * sizes[number] - shares[number] * total

    # Of equals the lower number gets one more, or keeps what it has, so that everybody comes to the same.
    while sum(shares) < size:
        shares[max(range(len(sizes)), key=lambda number: (owed(number), -number))] += 1
    while sum(shares) > size:
        givers = (number for number, share in enumerate(shares) if share > 1)
        shares[min(givers, key=lambda number: (owed(number), -number))] -= 1
    return shares
