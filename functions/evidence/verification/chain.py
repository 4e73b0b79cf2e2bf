"""Looks a bundle up in an exported ledger: JSON Lines as `tracekeeper ledger export` writes them.

It needs nothing but the file: each line names the hash of the line before.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

from functions.errors import InvalidRequest, StorageError
from functions.evidence.selection.redrawing import SampleFacts
from functions.evidence.selection.sampling import seed_of
from functions.storage.append_log import check_chain

_FINISHED = "exports.finished"
_DRAW_BEGUN = "exports.draw-begun"
_LONGEST_LINE = 1 << 20


@dataclass(frozen=True, slots=True)
class Sought:
    """What the ledger must know of a bundle.

    Attributes:
        sha256: Of the zip, hex; None where the bundle is unpacked.
        tag_manifest_sha256: Of the tag manifest, hex.
        queries_hmac_sha256: Of the exact queries.
        seal_hashes: Of the entries about the seals that the export was held against.
        sample: How its sample was drawn; None where it is none.
    """

    sha256: str | None
    tag_manifest_sha256: str
    queries_hmac_sha256: str
    seal_hashes: frozenset[str]
    sample: SampleFacts | None


@dataclass(frozen=True, slots=True)
class LedgerFacts:
    """A ledger whose chain holds, and in which the bundle was found.

    Attributes:
        lines: How many lines it has.
        head: Hash of its last line, hex: compare it with one noted elsewhere.
        at: When the export was finished, as the ledger says.
        export_id: Which export it was.
        by_file: Whether a hash over the bundle's files was found; otherwise that of its queries alone.
    """

    lines: int
    head: str
    at: str
    export_id: str
    by_file: bool


def find_in_ledger(path: Path, sought: Sought) -> LedgerFacts | tuple[str, ...]:
    """Follow the chain and find the bundle; return what is wrong, as sentences, where it is not there.

    Raises:
        InvalidRequest: The file can't be read.
    """
    search = _Search(sought, set(sought.seal_hashes))
    try:
        with path.open("rb") as file:
            for entry, digest in check_chain(_lines(file)):
                search.look_at(entry, digest)
    except StorageError as error:
        return (error.message,)
    except OSError as error:
        raise InvalidRequest("The ledger's file can't be read.", next_step="Check its path.") from error
    problems = tuple(search.problems())
    return (
        problems
        if problems or search.found is None
        else replace(search.found, lines=search.lines, head=search.head)
    )


@dataclass(slots=True)
class _Search:
    """What was found so far on the way along the chain."""

    sought: Sought
    waiting: set[str]
    found: LedgerFacts | None = None
    drawn_for: object = None
    lines: int = 0
    head: str = ""

    def look_at(self, entry: Mapping[str, Any], digest: str) -> None:
        self.lines, self.head = self.lines + 1, digest
        self.waiting.discard(digest)
        action, on = entry.get("action"), entry.get("on")
        if not isinstance(on, dict):
            return
        if self.sought.sample and digest == self.sought.sample.ledger_head and action == _DRAW_BEGUN:
            self.drawn_for = on.get("export_id")
        if action == _FINISHED and (facts := _matching(on, self.sought)):
            self.found = LedgerFacts(0, "", str(entry.get("at")), *facts)

    def problems(self) -> Iterator[str]:
        if self.found is None:
            yield "No export in the ledger has this bundle's hashes."
        if self.waiting:
            yield f"{len(self.waiting)} seals that completeness.json names are not in the ledger."
        if (
            self.found
            and self.sought.sample
            and not self._seed_fits(self.sought.sample, self.found.export_id)
        ):
            yield "The sample's seed does not follow from the export's id and an entry of the ledger."

    def _seed_fits(self, sample: SampleFacts, export_id: str) -> bool:
        return self.drawn_for == export_id and seed_of(export_id, sample.ledger_head) == sample.seed


def _matching(on: Mapping[str, Any], sought: Sought) -> tuple[str, bool] | None:
    if on.get("queries_hmac_sha256") != sought.queries_hmac_sha256:
        return None
    if sought.sha256 is not None:
        same, by_file = on.get("sha256") == sought.sha256, True
    else:
        by_file = bool(on.get("tag_manifest_sha256"))
        same = not by_file or on["tag_manifest_sha256"] == sought.tag_manifest_sha256
    return (str(on.get("export_id")), by_file) if same else None


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    while line := file.readline(_LONGEST_LINE):
        yield line.rstrip(b"\n")
