"""What a selection came to: which traces to read, as KQL, and where in time their rows may lie."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from functions.traces.membership import Membership

if TYPE_CHECKING:
    from functions.evidence.exports.export import Export

__all__ = ["Membership", "Resolved", "Resolver"]


@dataclass(frozen=True, slots=True)
class Resolved:
    """The traces of an export. Equal telemetry gives an equal value, whenever it is asked.

    Attributes:
        memberships: The traces, in a fixed order; no trace is in two of them.
        since: First TimeGenerated of their rows, UTC.
        until: End of it (exclusive), UTC.
        missing: Traces asked for by id that have no row within the retention, sorted.
        unusable: How many OperationIds are no OpenTelemetry trace id; they can't be exported.
        account: What request.json says of the resolving (sample: population, digest, seed, draw; cases:
            matched, missing); a JSON object of safe values.
        files: Path of a further payload file of the bundle (data/population.txt) to the object in the
            container of work that holds it; its content is safe to show.
    """

    memberships: tuple[Membership, ...]
    since: datetime
    until: datetime
    missing: tuple[str, ...] = ()
    unusable: int = 0
    account: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)


class Resolver(Protocol):
    """Finds out which traces an export is about."""

    def resolve(self, export: "Export") -> Resolved:
        """Resolve the selection over rows ingested before `export.requested_at`.

        Raises:
            SourceError: The source did not answer completely.
            EvidenceError: It can't be answered.
        """
        ...
