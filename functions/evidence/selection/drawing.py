"""Draws a sample once: its seed is in the ledger before a run is read, and what it drew is remembered.

The order is: the ledger hears that a draw begins, and its hash of that is the head; `draws/<export id>`
takes head and seed; the ledger hears the seed; the population is read; the ledger hears what was drawn; the
document takes it. Whatever stops in between, the next attempt goes on with the same seed: none draws anew.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from tempfile import SpooledTemporaryFile
from typing import IO, Any

from functions.errors import AskedTooMuch, DocumentConflict
from functions.evidence.exports.export import Export
from functions.evidence.selection.sampling import POPULATION, Run, Stratum, draw, in_order, seed_of
from functions.evidence.selection.selectors import Sample
from functions.storage.append_log import AppendLog
from functions.storage.documents import Document, Documents, encode
from functions.storage.objects import Objects
from functions.storage.versioned import understood
from functions.traces.kql import text

MOST_RUNS = 200_000
"""Most runs of a population: its list is in the bundle, 51 bytes a run, so that anybody can draw again."""

PAGE = 50_000
"""Most runs that are read at a time."""

FORMAT = 1
_SPOOLED_BYTES = 1024 * 1024
_LONGEST_PREFIX = 32

Ask = Callable[[str], Iterable[Mapping[str, Any]]]
"""Asks one query over `Population` and returns its records; raises SourceError."""


@dataclass(frozen=True, slots=True)
class Draw:
    """What is remembered of a sample.

    Attributes:
        head: The hash of the ledger's entry that the draw began.
        seed: What follows from it.
        account: What the sample came to, for request.json; None as long as it has not been drawn.
        population: The object that holds the population.
        trace_ids: The traces of the runs that were drawn, sorted.
    """

    head: str
    seed: str
    account: Mapping[str, Any] | None = None
    population: str = ""
    trace_ids: tuple[str, ...] = ()

    def body(self) -> dict[str, Any]:
        """Return the document's body."""
        return {
            "format": FORMAT,
            "head": self.head,
            "seed": self.seed,
            "account": self.account,
            "population": self.population,
            "trace_ids": list(self.trace_ids),
        }


@dataclass(frozen=True, slots=True)
class Drawing:
    """Draws samples.

    Attributes:
        documents: Holds `draws/<export id>`.
        work: Takes the populations, for the bundles.
        ledger: Hears of each step before the next.
        clock: The time, UTC.
        page: Most runs that are read at a time.
    """

    documents: Documents
    work: Objects
    ledger: AppendLog
    clock: Callable[[], datetime]
    page: int = PAGE

    def draw(self, export: Export, sample: Sample, ask: Ask, show: Callable[[str], str]) -> Draw:
        """Return what an export's sample came to, drawn now unless it was.

        Args:
            export: The export.
            sample: What its selector asks for.
            ask: Asks about the population: TraceId, RunId, Stratum, ItemCount, Usable.
            show: Returns what stands for the name of a stratum.

        Raises:
            AskedTooMuch: The population, or the number of its strata, is.
            SourceError: The source did not answer completely.
            StorageError: Something was not written down; nothing is drawn without that.
        """
        held = self.documents.read(_name(export.id)) or self._begin(export)
        begun = read_draw(held)
        if begun.account is not None:
            return begun
        # Again after a crash: better twice than never.
        self._enter(export, "exports.draw-seeded", head=begun.head, seed=begun.seed)
        drawn = self._draw(export.id, begun, sample, ask, show)
        told = drawn.account["population"] if drawn.account else {}
        facts = {"runs": told["runs"], "population_sha256": told["sha256"], "draw_sha256": _digest(drawn)}
        self._enter(export, "exports.drawn", seed=drawn.seed, **facts)
        self.documents.write(held.name, drawn.body(), version=held.version)
        return drawn

    def _begin(self, export: Export) -> Document:
        # The head covers what the population is: nobody can change that once there is a seed.
        asked = encode(export.selection.body()["selector"])
        digest = hashlib.sha256(asked).hexdigest()
        head = self._enter(export, "exports.draw-begun", selector_sha256=digest)
        begun = Draw(head, seed_of(export.id, head))
        with suppress(DocumentConflict):  # another attempt was faster: its seed holds
            return self.documents.write(_name(export.id), begun.body(), version=None)
        return self.documents.read(_name(export.id)) or self._begin(export)

    def _draw(
        self, export_id: str, begun: Draw, sample: Sample, ask: Ask, show: Callable[[str], str]
    ) -> Draw:
        counts = _count(ask)
        with SpooledTemporaryFile(max_size=_SPOOLED_BYTES) as file:
            listing = _Listing(file)
            strata = draw(
                begun.seed, listing.noting(in_order(_pages(ask, counts.prefixes, 2, self.page))), sample.size
            )
            digest = listing.digest.hexdigest()
            file.seek(0)
            name = f"{export_id}/population-{digest[:16]}.txt"
            with suppress(DocumentConflict):  # an attempt before this one has stored it
                self.work.put(name, file)  # type: ignore[arg-type]  # typeshed's spooled file is no BinaryIO
        account = {
            "seed": begun.seed,
            "ledger_head": begun.head,
            "size": sample.size,
            "stratum": sample.stratum,
            "population": {
                "file": POPULATION,
                "runs": listing.runs,
                "sha256": digest,
                "stand_for": counts.stand_for,
                "unusable": counts.unusable,
            },
            "strata": [_stratum(one, sample, show) for one in strata],
        }
        traces = {drawn.trace_id for one in strata for drawn in one.drawn}
        return replace(begun, account=account, population=name, trace_ids=tuple(sorted(traces)))

    def _enter(self, export: Export, action: str, **on: object) -> str:
        return self.ledger.append(
            {
                "at": self.clock(),
                "action": action,
                "who": {"object_id": export.requester},
                "on": {"export_id": export.id} | {name: str(value) for name, value in on.items()},
                "outcome": "served",
                "reason": "",
                "correlation_id": export.id,
            }
        )


def read_draw(held: Document) -> Draw:
    """Read what `Draw.body` gave. Raises StorageError: a newer version wrote it, or it is something else."""
    return understood(
        held.name,
        held.body,
        lambda body: Draw(
            body["head"], body["seed"], body["account"], body["population"], tuple(body["trace_ids"])
        ),
        newest=FORMAT,
        holds="a sample",
        next_step="Restore an earlier version of it; without it the export can't be finished.",
    )


@dataclass(frozen=True, slots=True)
class _Counts:
    prefixes: Mapping[str, int]
    stand_for: int
    unusable: int


@dataclass(slots=True)
class _Listing:
    """Writes the population down as it passes."""

    file: IO[bytes]
    runs: int = 0
    digest: Any = field(default_factory=hashlib.sha256)
    numbers: dict[str, int] = field(default_factory=dict)

    def noting(self, runs: Iterable[Run]) -> Iterator[Run]:
        for run in runs:
            number = self.numbers.setdefault(run.stratum, len(self.numbers) + 1)
            line = f"{run.trace_id} {run.run_id} {number}\n".encode()
            self.runs += 1
            self.digest.update(line)
            self.file.write(line)
            yield run


def _count(ask: Ask) -> _Counts:
    query = (
        "Population | summarize Runs = count(), StandFor = sum(ItemCount)"
        ' by Usable, Prefix = iff(Usable, substring(TraceId, 0, 2), "")'
    )
    records = list(ask(query))
    usable = {str(one["Prefix"]): int(one["Runs"]) for one in records if one["Usable"]}
    if sum(usable.values()) > MOST_RUNS:
        raise AskedTooMuch(
            f"The population has more than {MOST_RUNS} runs.",
            next_step="Ask for a shorter window, or one agent or release.",
        )
    return _Counts(
        prefixes=usable,
        stand_for=sum(int(one["StandFor"] or 0) for one in records if one["Usable"]),
        unusable=sum(int(one["Runs"]) for one in records if not one["Usable"]),
    )


def _pages(ask: Ask, prefixes: Mapping[str, int], length: int, most: int) -> Iterator[list[Run]]:
    """Yield the population by ascending trace id, at most `most` runs at a time if that can be."""
    page: list[str] = []
    for prefix, count in [*sorted(prefixes.items()), ("", most + 1)]:
        if page and sum(prefixes[one] for one in page) + count > most:
            yield _page(ask, page, length)
            page = []
        if not prefix:
            return
        if count > most and length < _LONGEST_PREFIX:
            yield from _pages(ask, _divided(ask, prefix, length + 2), length + 2, most)
        else:
            page.append(prefix)


def _divided(ask: Ask, prefix: str, length: int) -> dict[str, int]:
    query = (
        f"Population | where Usable and TraceId startswith_cs {text(prefix)}"
        f" | summarize Runs = count() by Prefix = substring(TraceId, 0, {length})"
    )
    return {str(one["Prefix"]): int(one["Runs"]) for one in ask(query)}


def _page(ask: Ask, prefixes: Iterable[str], length: int) -> list[Run]:
    among = ", ".join(map(text, prefixes))
    query = (
        f"Population | where Usable and substring(TraceId, 0, {length}) in ({among})"
        " | project TraceId, RunId, Stratum"
    )
    return [Run(str(one["TraceId"]), str(one["RunId"]), str(one["Stratum"] or "")) for one in ask(query)]


def _stratum(stratum: Stratum, sample: Sample, show: Callable[[str], str]) -> dict[str, Any]:
    named = {} if sample.stratum is None else {"name": show(stratum.name)}
    return {
        "number": stratum.number,
        **named,
        "runs": stratum.runs,
        "drawn": [
            {"trace_id": one.trace_id, "run_id": one.run_id, "ticket": one.ticket} for one in stratum.drawn
        ],
    }


def _digest(drawn: Draw) -> str:
    return hashlib.sha256(encode({"strata": (drawn.account or {})["strata"]})).hexdigest()


def _name(export_id: str) -> str:
    return f"draws/{export_id}"
