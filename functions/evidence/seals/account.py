"""What is said in a bundle of how an export stands beside the seals. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from functions.evidence.seals.seals import DaySeal, digest_of

MOST_NAMED = 1_000
"""Traces named one by one; of further ones count and digest are given."""


@dataclass(frozen=True, slots=True)
class SealAccount:
    """How an export stands beside the seals.

    Attributes:
        complete: Whether no sealed trace of the selection is gone, no seal that it needs is damaged, and it
            does not reach back behind the retention.
        body: For completeness.json:
            basis: What was compared, as a sentence.
            complete: As above.
            kept_since: The first day (UTC) whose rows the source still keeps.
            behind_retention: Whether the time asked for begins before that day.
            days: The sealed days compared: day, traces (in its seal), compared, list_sha256, ledger_hash.
            not_sealed: Days that could not be compared: day, why. That is not zero traces.
            damaged: What is wrong with seals, as sentences.
            vanished: traces, sha256, named: sealed, within the retention, and gone from the source.
            expired: The same of traces that are older than the retention.
            never_sealed: Traces asked for by id that have no row and are in no seal.
            It is the same for the same selection, seals, rows and time of asking.
    """

    complete: bool
    body: Mapping[str, Any]


@dataclass(slots=True)
class Tally:
    """Gathers an account."""

    kept_since: date
    basis: str = ""
    behind_retention: bool = False
    vanished: dict[str, date] = field(default_factory=dict)
    expired: dict[str, date] = field(default_factory=dict)
    never_sealed: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    not_sealed: dict[date, str] = field(default_factory=dict)
    days: list[dict[str, Any]] = field(default_factory=list)

    def add_gone(self, trace_id: str, day: date, started: datetime) -> None:
        """Note a trace that is in the seal of a day and no longer at the source."""
        gone = self.expired if started.astimezone(UTC).date() < self.kept_since else self.vanished
        gone.setdefault(trace_id, day)

    def add_day(self, seal: DaySeal, *, compared: int, ledger_hash: str | None) -> None:
        """Note a day that was compared."""
        self.days.append(
            {
                "day": seal.day.isoformat(),
                "traces": seal.traces,
                "compared": compared,
                "list_sha256": seal.list_sha256,
                "ledger_hash": ledger_hash,
            }
        )

    def account(self) -> SealAccount:
        """Return what it came to."""
        complete = not (self.vanished or self.expired or self.damaged or self.behind_retention)
        return SealAccount(
            complete,
            {
                "basis": self.basis,
                "complete": complete,
                "kept_since": self.kept_since.isoformat(),
                "behind_retention": self.behind_retention,
                "days": self.days,
                "not_sealed": [
                    {"day": day.isoformat(), "why": why} for day, why in sorted(self.not_sealed.items())
                ],
                "damaged": self.damaged,
                "vanished": _named(self.vanished),
                "expired": _named(self.expired),
                "never_sealed": self.never_sealed[:MOST_NAMED],
            },
        )


def _named(gone: Mapping[str, date]) -> dict[str, Any]:
    trace_ids = sorted(gone)
    return {
        "traces": len(trace_ids),
        "sha256": digest_of(trace_ids),
        "named": [
            {"trace_id": trace_id, "sealed_on": gone[trace_id].isoformat()}
            for trace_id in trace_ids[:MOST_NAMED]
        ],
    }
