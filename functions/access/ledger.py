"""Writes down who asked for what and how it ended, in the hash-chained log, before the answer leaves."""

import hashlib
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from functions.access.principal import Principal
from functions.storage.append_log import AppendLog

Outcome = Literal["served", "denied", "refused", "failed"]
"""served: they got it; denied: they are not signed in or lack the role; refused: what they asked for can't be
served; failed: we could not serve it."""

_DETAIL_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Access:
    """One request and how it ended.

    Attributes:
        action: What was asked, for example "exports.download".
        who: The caller, or None where nobody could be believed.
        on: What it was about: names of ours to ids, tickets, hashes. Values are cut at 200 characters.
        outcome: How it ended.
        reason: Why it was not served: the title of the problem, and what the problem says of it.
        correlation_id: The same as in the answer.
    """

    action: str
    who: Principal | None
    on: Mapping[str, str]
    outcome: Outcome
    reason: str
    correlation_id: str


class Ledger:
    """The ledger on an append log.

    Args:
        log: Where entries go.
        now: The clock, UTC.
    """

    def __init__(self, log: AppendLog, *, now: Callable[[], datetime]) -> None:
        self._log = log
        self._now = now

    def record(self, access: Access) -> str:
        """Append the entry and return its hash.

        Raises:
            StorageError: It is not known to be written; nothing may be served.
        """
        who = access.who
        return self._log.append(
            {
                "at": self._now(),
                "action": access.action,
                "who": {"object_id": who.object_id, "name": who.name} if who else None,
                "on": {name: value[:_DETAIL_CHARACTERS] for name, value in access.on.items()},
                "outcome": access.outcome,
                "reason": access.reason[:_DETAIL_CHARACTERS],
                "correlation_id": access.correlation_id,
            }
        )

    def latest(self, count: int) -> list[Mapping[str, Any]]:
        """Return the latest entries, newest first, having checked the whole chain.

        Raises:
            StorageError: The ledger could not be read, or its chain is broken.
        """
        return list(reversed(deque(self._log.entries(), maxlen=count)))


def fingerprint(text: str) -> str:
    """Return the SHA-256 (hex) that stands in the ledger for a text which has no place there."""
    return hashlib.sha256(text.encode()).hexdigest()
