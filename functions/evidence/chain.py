"""Looks a bundle up in an exported ledger: JSON Lines as `tracekeeper ledger export` writes them.

It needs nothing but the file: each line names the hash of the line before.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from functions.errors import InvalidRequest, StorageError
from functions.storage.append_log import check_chain

_FINISHED = "exports.finished"
_LONGEST_LINE = 1 << 20


@dataclass(frozen=True, slots=True)
class Sought:
    """What the ledger must know of a bundle.

    Attributes:
        sha256: Of the zip, hex; None where the bundle is unpacked.
        tag_manifest_sha256: Of the tag manifest, hex.
        queries_hmac_sha256: Of the exact queries.
        seal_hashes: Of the entries about the seals that the export was held against.
    """

    sha256: str | None
    tag_manifest_sha256: str
    queries_hmac_sha256: str
    seal_hashes: frozenset[str]


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
    found: LedgerFacts | None = None
    waiting = set(sought.seal_hashes)
    lines, head = 0, ""
    try:
        with path.open("rb") as file:
            for lines, (entry, head) in enumerate(check_chain(_lines(file)), start=1):  # noqa: B007 - used below
                waiting.discard(head)
                if entry.get("action") == _FINISHED and (facts := _matching(entry.get("on"), sought)):
                    found = LedgerFacts(0, "", str(entry.get("at")), *facts)
    except StorageError as error:
        return (error.message,)
    except OSError as error:
        raise InvalidRequest("The ledger's file can't be read.", next_step="Check its path.") from error
    problems = []
    if found is None:
        problems.append("No export in the ledger has this bundle's hashes.")
    if waiting:
        problems.append(f"{len(waiting)} seals that completeness.json names are not in the ledger.")
    if problems or found is None:
        return tuple(problems)
    return LedgerFacts(lines, head, found.at, found.export_id, found.by_file)


def _matching(on: object, sought: Sought) -> tuple[str, bool] | None:
    if not isinstance(on, dict) or on.get("queries_hmac_sha256") != sought.queries_hmac_sha256:
        return None
    if sought.sha256 is not None:
        same, by_file = on.get("sha256") == sought.sha256, True
    else:
        by_file = "tag_manifest_sha256" in on
        same = not by_file or on["tag_manifest_sha256"] == sought.tag_manifest_sha256
    return (str(on.get("export_id")), by_file) if same else None


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    while line := file.readline(_LONGEST_LINE):
        yield line.rstrip(b"\n")
