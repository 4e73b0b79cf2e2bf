"""Adds up what was removed from an export: the contents of redactions.json."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from functions.evidence.redaction.content import NAMES_STAY, ContentPart
from functions.evidence.redaction.policy import Policy
from functions.evidence.redaction.pseudonyms import Pseudonyms
from functions.evidence.redaction.sanitizer import SanitizedRow

_MOST_UNKNOWN = 1000
_MOST_GROUPS = 10_000


class Redactions:
    """The sum over all rows of one export. The order of the rows does not matter."""

    def __init__(self, policy: Policy, pseudonyms: Pseudonyms) -> None:
        self._policy = policy
        self._pseudonyms = pseudonyms
        self._rows = 0
        self._counts: Counter[str] = Counter()
        self._groups: dict[tuple[str, ...], int] = {}  # most rows lose the same as others: counted at the end
        self._masked: Counter[str] = Counter()
        self._parts = self._structure = self._withheld = 0
        self._unknown: set[str] = set()
        self._unknown_cut = False

    def add(self, row: SanitizedRow) -> None:
        """Count one row."""
        self._rows += 1
        self._groups[row.reasons] = self._groups.get(row.reasons, 0) + 1
        if len(self._groups) > _MOST_GROUPS:
            self._fold()
        if row.unknown:
            self._unknown |= row.unknown
            if len(self._unknown) > 2 * _MOST_UNKNOWN:
                self._cut_unknown()

    def add_content(self, part: ContentPart) -> None:
        """Count one line of content.jsonl."""
        self._parts += 1
        self._structure += part.shown == "structure"
        self._withheld += part.shown == "withheld"
        self._masked.update(part.found)

    def account(self) -> dict[str, Any]:
        """Return all that was counted as a JSON object, for `add_account` of another."""
        self._fold()
        self._trim()
        return {
            "rows": self._rows,
            "removed": dict(sorted(self._counts.items())),
            "unknown": sorted(self._unknown),
            "unknown_cut": self._unknown_cut,
            "content": {
                "parts": self._parts,
                "structure_only": self._structure,
                "withheld": self._withheld,
                "masked": dict(sorted(self._masked.items())),
            },
        }

    def add_account(self, account: Mapping[str, Any]) -> None:
        """Add what another counted (see `account`): the sum does not depend on the order."""
        self._rows += account["rows"]
        self._counts.update(account["removed"])
        self._unknown |= set(account["unknown"])
        self._unknown_cut |= account["unknown_cut"]
        self._trim()
        self._parts += account["content"]["parts"]
        self._structure += account["content"].get("structure_only", 0)
        self._withheld += account["content"]["withheld"]
        self._masked.update(account["content"]["masked"])

    def body(self, *, rescanned: Sequence[str]) -> dict[str, Any]:
        """Return the JSON object of redactions.json.

        Args:
            rescanned: Names of the payload files that passed `rescan`.
        """
        account = self.account()
        previous = self._pseudonyms.previous
        body = {
            "profile": self._policy.profile,
            "policy_version": self._policy.version,
            "policy_sha256": self._policy.hash,
            "pseudonym_key_id": self._pseudonyms.key_id,
            "previous_pseudonym_key_id": previous.key_id if previous else None,
            "rows": account["rows"],
            "removed": account["removed"],
            "unknown_attributes": {"names": account["unknown"], "complete": not account["unknown_cut"]},
            "rescan": {"found": 0, "files": sorted(rescanned)},
        }
        if self._policy.profile == "content":
            body["content"] = account["content"] | {"notice": NAMES_STAY}
        return body

    def _fold(self) -> None:
        for reasons, times in self._groups.items():
            for reason in reasons:
                self._counts[reason] += times
        self._groups.clear()

    def _trim(self) -> None:
        if len(self._unknown) > _MOST_UNKNOWN:
            self._cut_unknown()

    def _cut_unknown(self) -> None:
        """Keep the first names in order: an attacker can send any number of them, in any order."""
        self._unknown = set(sorted(self._unknown)[:_MOST_UNKNOWN])
        self._unknown_cut = True
