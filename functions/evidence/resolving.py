"""Finds out which traces an export is about: asks the source, and writes down what a sample has drawn."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from functions.evidence.export import Export
from functions.evidence.membership import Resolved
from functions.evidence.pseudonyms import Pseudonyms
from functions.storage.append_log import AppendLog
from functions.storage.documents import Documents
from functions.storage.objects import Objects
from functions.traces.agents import Attributes
from functions.traces.source import TraceSource


@dataclass(frozen=True, slots=True)
class SourceResolver:
    """Resolves selections by asking the source; see `Resolver`.

    Attributes:
        source: Where traces come from.
        attributes: Which properties a deployment uses for what.
        case_attribute: The property that holds case numbers; None: none does.
        pseudonyms: Stands for what is personal.
        documents: Remembers what a sample drew, so that a job that is resumed never draws anew.
        work: Where the population of a sample is written, for its bundle.
        ledger: Where a sample's seed is written before it draws.
        clock: The time, UTC.
    """

    source: TraceSource
    attributes: Attributes
    case_attribute: str | None
    pseudonyms: Pseudonyms
    documents: Documents
    work: Objects
    ledger: AppendLog
    clock: Callable[[], datetime]

    def resolve(self, export: Export) -> Resolved:
        """Return the traces of an export; see `Resolver.resolve`."""
        raise NotImplementedError
