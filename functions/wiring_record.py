"""Builds what keeps the record on the real clients: seals, the ledger, its heads, the clock they go by."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from functions.access.clock import ClockCheck
from functions.access.heads import Heads
from functions.access.ledger import Ledger
from functions.canary.looking import read_sight
from functions.canary.sight import SPANS, WORDS
from functions.clients import Clients
from functions.configuration import Configuration
from functions.evidence.redaction.pseudonyms import Pseudonyms
from functions.evidence.seals.sealing import Sealing
from functions.evidence.seals.store import Seals
from functions.storage.documents import Documents


@dataclass(frozen=True, slots=True)
class RecordServices:
    """What keeps the record.

    Attributes:
        ledger: Where accesses are written down.
        seals: The seals of past days.
        sealing: Seals each day once it is over.
        heads: Notes the ledger's end once a day.
        clock_check: Compares our clock with the storage service's.
    """

    ledger: Ledger
    seals: Seals
    sealing: Sealing
    heads: Heads
    clock_check: ClockCheck


def build_record(
    clients: Clients, configuration: Configuration, pseudonyms: Pseudonyms, *, clock: Callable[[], datetime]
) -> RecordServices:
    """Build the services by a configuration; asks no service of Azure."""
    retention = timedelta(days=clients.settings.logs_retention_days)
    seals = Seals(clients.evidence, clients.documents)
    heads = Heads(clients.log, clients.evidence, clients.signer, clock=clock)
    clock_check = ClockCheck(clients.documents, clients.log, theirs=clients.service_time, clock=clock)
    return RecordServices(
        ledger=Ledger(clients.log, now=clock, heads=heads.marks),
        seals=seals,
        sealing=Sealing(
            source=clients.source,
            seals=seals,
            ledger=clients.log,
            agents=configuration.agents,
            pseudonyms=pseudonyms,
            hindrance=lambda: clock_check.hindrance() or unseen(clients.documents),
            retention=retention,
            clock=clock,
        ),
        heads=heads,
        clock_check=clock_check,
    )


def unseen(documents: Documents) -> str | None:
    """Say why spans can't be seen, as the marker runs show it; None where nothing says so.

    To seal a day that can't be seen would be to seal zero. Raises StorageError.
    """
    sight = read_sight(documents)
    known = sight.needs.get(SPANS) if sight else None
    if known is None or known.answer in {"pass", "unknown"}:
        return None
    return f"Spans: {WORDS[known.answer]} since {known.since:%Y-%m-%d %H:%M} UTC."
