"""Adds up what was removed from an export: the contents of redactions.json."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from functions.evidence.policy import Policy
from functions.evidence.pseudonyms import Pseudonyms
from functions.evidence.sanitizer import SanitizedRow

_MOST_UNKNOWN = 1000


class Redactions:
    """The sum over all rows of one export. The order of the rows does not matter.

    Attributes:
        lookalikes: The ids that `rescan` must excuse.
    """

    def __init__(self, policy: Policy, pseudonyms: Pseudonyms) -> None:
        self._policy = policy
        self._key_id = pseudonyms.key_id
        self._rows = 0
        self._counts: Counter[str] = Counter()
        self._unknown: set[str] = set()
        self._unknown_cut = False
        self.lookalikes: set[str] = set()

    def add(self, row: SanitizedRow) -> None:
        """Count one row."""
        self._rows += 1
        self._counts.update(row.removed)
        self.lookalikes |= row.lookalikes
        self._unknown |= row.unknown
        if len(self._unknown) > 2 * _MOST_UNKNOWN:
            self._cut_unknown()

    def body(self, *, rescanned: Sequence[str]) -> dict[str, Any]:
        """Return the JSON object of redactions.json.

        Args:
            rescanned: Names of the payload files that passed `rescan`.
        """
        if len(self._unknown) > _MOST_UNKNOWN:
            self._cut_unknown()
        return {
            "profile": self._policy.profile,
            "policy_sha256": self._policy.hash,
            "pseudonym_key_id": self._key_id,
            "rows": self._rows,
            "removed": dict(sorted(self._counts.items())),
            "unknown_attributes": {"names": sorted(self._unknown), "complete": not self._unknown_cut},
            "rescan": {"found": 0, "files": sorted(rescanned)},
        }

    def _cut_unknown(self) -> None:
        """Keep the first names in order: an attacker can send any number of them, in any order."""
        self._unknown = set(sorted(self._unknown)[:_MOST_UNKNOWN])
        self._unknown_cut = True
