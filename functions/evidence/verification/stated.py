"""Checks that what completeness.json says follows from its own figures, those about seals among them. Pure.

It reads what may have been forged: a shape that is not there raises KeyError, TypeError or ValueError.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from functions.evidence.packing.bundle import COMPLETENESS
from functions.evidence.seals.account import MOST_NAMED
from functions.evidence.seals.seals import digest_of


@dataclass(frozen=True, slots=True)
class SealFacts:
    """What completeness.json says about seals, in figures that were found to add up.

    Attributes:
        days: Sealed days that the export was held against.
        compared: Sealed traces that had to be at the source.
        vanished: Of these, gone although within the retention.
        expired: Of these, older than the retention.
        not_sealed: Days for which there was nothing to compare with.
        ledger_hashes: Of the ledger's entries about the seals compared.
    """

    days: int
    compared: int
    vanished: int
    expired: int
    not_sealed: int
    ledger_hashes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Stated:
    """What completeness.json says.

    Attributes:
        rows: How many rows are in the bundle.
        complete: Whether that is all.
        seals: About seals; None where the export was held against none.
    """

    rows: int
    complete: bool
    seals: SealFacts | None


def read_statement(completeness: Mapping[str, Any]) -> Stated:
    """Return what it says; `statement_problems` says whether it follows."""
    seals = completeness.get("seals")
    return Stated(completeness["rows_here"], completeness["complete"], _seal_facts(seals) if seals else None)


def statement_problems(completeness: Mapping[str, Any]) -> Iterator[str]:
    """Yield what does not follow from its figures, as sentences."""
    slices = completeness["slices"]
    for part in slices:
        if part["complete"] is not (part["rows_at_source"] == part["rows_here"]):
            yield f"{COMPLETENESS} calls a slice complete whose counts differ, or the reverse."
    for name in ("rows_at_source", "rows_here"):
        if completeness[name] != sum(part[name] for part in slices):
            yield f"{COMPLETENESS} does not add up: {name}."
    seals = completeness.get("seals")
    content = completeness.get("content")
    if content and content["complete"] is not (
        content["rows_pointing_there"] == content["rows_here"]
        and all(part["complete"] for part in content["slices"])
    ):
        yield f"{COMPLETENESS} draws the wrong conclusion about content."
    complete = (
        all(part["complete"] for part in slices)
        and (not content or content["complete"] is True)
        and not completeness["missing_trace_ids"]
        and (not seals or seals["complete"] is True)
    )
    if completeness["complete"] is not complete:
        yield f"{COMPLETENESS} draws the wrong conclusion from its counts."
    if seals:
        yield from _seal_problems(seals)


def _seal_facts(seals: Mapping[str, Any]) -> SealFacts:
    days = seals["days"]
    return SealFacts(
        days=len(days),
        compared=sum(day["compared"] for day in days),
        vanished=seals["vanished"]["traces"],
        expired=seals["expired"]["traces"],
        not_sealed=len(seals["not_sealed"]),
        ledger_hashes=frozenset(day["ledger_hash"] for day in days if day["ledger_hash"] is not None),
    )


def _seal_problems(seals: Mapping[str, Any]) -> Iterator[str]:
    gone = seals["vanished"]["traces"] + seals["expired"]["traces"]
    if seals["complete"] is not (not gone and not seals["damaged"] and not seals["behind_retention"]):
        yield f"{COMPLETENESS} draws the wrong conclusion from the seals."
    for name in ("vanished", "expired"):
        named = [each["trace_id"] for each in seals[name]["named"]]
        count = seals[name]["traces"]
        if len(named) != min(count, MOST_NAMED) or sorted(set(named)) != named:
            yield f"{COMPLETENESS} counts other traces as {name} than it names."
        elif count == len(named) and digest_of(named) != seals[name]["sha256"]:
            yield f"{COMPLETENESS} gives another digest of the {name} traces than theirs."
    compared = [day["day"] for day in seals["days"]]
    if sorted({*compared, *(day["day"] for day in seals["not_sealed"])}) != sorted(
        [*compared, *(day["day"] for day in seals["not_sealed"])]
    ):
        yield f"{COMPLETENESS} names a day of the seals twice."
    if any(not 0 <= day["compared"] <= day["traces"] for day in seals["days"]):
        yield f"{COMPLETENESS} compares more traces of a day than its seal holds."
