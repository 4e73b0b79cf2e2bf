"""Holds an export against the seals: which sealed traces of what was asked for are no longer at the source.

jobs calls it once the export is resolved, and puts the body into completeness.json under "seals":

    account = reconciler.reconcile(export.selection, resolved, at=export.requested_at)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from functions.evidence.selection import Selection


class Resolution(Protocol):
    """What reconciling needs to know of `Resolved`."""

    @property
    def missing(self) -> Sequence[str]:
        """Trace ids asked for that have no row."""
        ...

    @property
    def since(self) -> datetime:
        """First TimeGenerated of what was found, UTC."""
        ...

    @property
    def until(self) -> datetime:
        """End of it (exclusive), UTC."""
        ...


@dataclass(frozen=True, slots=True)
class SealAccount:
    """How an export stands beside the seals.

    Attributes:
        complete: Whether no sealed trace of the selection has vanished, no seal that it needs is damaged, and it
            does not reach back behind the retention.
        body: For completeness.json: which days were reconciled, which are not sealed, the vanished ids by name.
            The same for the same selection, seals, rows and `at`; it holds no time of day of its making.
    """

    complete: bool
    body: Mapping[str, Any]


class Reconciler:
    """Reconciles; asks the source only whether sealed traces still have rows."""

    def reconcile(self, selection: Selection, resolved: Resolution, *, at: datetime) -> SealAccount:
        """Return the account.

        Args:
            selection: What was asked for; its scope hides the traces of others.
            resolved: What was found for it.
            at: When it was asked for, UTC: seals made later don't count, so that a retry says the same.

        Raises:
            SourceError: The source did not answer completely.
            StorageError: A seal could not be read. (One that is damaged makes the account incomplete.)
        """
        raise NotImplementedError
