"""Writes down who asked for what and how it ended, in the hash-chained log, before the answer leaves."""

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, Literal

from functions.access.principal import Principal
from functions.storage.append_log import START, AppendLog, Mark

Outcome = Literal["served", "denied", "refused", "failed"]
"""served: they got it; denied: they are not signed in or lack the role; refused: what they asked for can't be
served; failed: we could not serve it."""

_DETAIL_CHARACTERS = 200
_HEADS_TRIED = 7
"""Each is a day; a ledger that has too few entries in so many days is short."""


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


@dataclass(frozen=True, slots=True)
class Latest:
    """The latest entries, and how much of the chain was checked for them.

    Attributes:
        entries: The newest first.
        since: From where on each line was checked to follow from the one before.
        end: The end of the ledger.
    """

    entries: list[Mapping[str, Any]]
    since: Mark
    end: Mark


class Ledger:
    """The ledger on an append log.

    Args:
        log: Where entries go.
        now: The clock, UTC.
        heads: The marks that were noted of the log, the newest first: `latest` reads from one of them on.
    """

    def __init__(
        self,
        log: AppendLog,
        *,
        now: Callable[[], datetime],
        heads: Callable[[], Iterable[Mark]] = tuple,
    ) -> None:
        self._log = log
        self._now = now
        self._heads = heads

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

    def latest(self, count: int) -> Latest:
        """Return the latest entries, having checked the chain from a head before them on.

        That is the newest of the last `_HEADS_TRIED` heads that has so many entries behind it; where there is
        none, the beginning. `tracekeeper ledger verify` checks it all.

        Raises:
            ChainBroken: Its chain is broken, or it lacks what a head notes.
            StorageError: The ledger could not be read.
        """
        for mark in islice(self._heads(), _HEADS_TRIED):
            latest = self._behind(mark, count)
            if len(latest.entries) == count:
                return latest
        return self._behind(START, count)

    def _behind(self, mark: Mark, count: int) -> Latest:
        entries, end = deque[Mapping[str, Any]](maxlen=count), mark
        for end, entry in self._log.walk(mark):  # noqa: B007 - the last one counts
            if entry is not None:
                entries.append(entry)
        return Latest(list(reversed(entries)), mark, end)


def fingerprint(text: str) -> str:
    """Return the SHA-256 (hex) that stands in the ledger for a text which has no place there."""
    return hashlib.sha256(text.encode()).hexdigest()
