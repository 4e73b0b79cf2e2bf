"""What a seal is: for one UTC day of ingestion time, which traces each agent had, so that none can vanish unseen.

A seal has two parts. The list has one line a trace and agent, sorted; the statement (`DaySeal`) has the count and
digest of each agent's trace ids, the list's own hash, and the hash of each block of the list, so that a part of
it can be checked by itself. Both are written once; what the statement says is in the ledger too. Pure.
"""

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class SealedTrace:
    """One line of a list: a trace in which an agent ran.

    Attributes:
        trace_id: 32 hex digits.
        started: When the agent's first run in it began, UTC, in milliseconds.
        agent: The name that agents.yaml declares, else a pseudonym; see `SealedAgent`.
        tenant: The tenant's pseudonym; "" where none was named.
        conversation: The conversation's pseudonym; "" where none was named.
    """

    trace_id: str
    started: datetime
    agent: str
    tenant: str
    conversation: str


@dataclass(frozen=True, slots=True)
class SealedAgent:
    """What a day came to for one agent.

    Attributes:
        agent: The name that agents.yaml declares; else a pseudonym, because a name out of telemetry may be
            anything; `NO_AGENT` for runs that name none, `OTHERS` for what is beyond `MOST_AGENTS`.
        traces: How many traces, each once.
        sha256: Over the trace ids, sorted, each followed by a line feed; hex.
    """

    agent: str
    traces: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Block:
    """A part of a list that can be checked by itself: its first trace id, where it begins, and its SHA-256."""

    first: str
    offset: int
    sha256: str


@dataclass(frozen=True, slots=True)
class DaySeal:
    """The statement of one day.

    Attributes:
        day: UTC, by ingestion time of the runs' own spans.
        sealed_at: When it was made, UTC.
        key_id: Of the key that the pseudonyms in it were made with.
        traces: How many traces, each once, whoever ran in it; 0 where nothing came.
        unusable: OperationIds that are no OpenTelemetry trace id: counted, not listed, never exported.
        agents: One for each agent that ran, by name.
        list_name: The list's object.
        list_bytes: Its size.
        list_sha256: Over all of it, hex.
        blocks: Its blocks, in order; none where it is empty.
    """

    day: date
    sealed_at: datetime
    key_id: str
    traces: int
    unusable: int
    agents: tuple[SealedAgent, ...]
    list_name: str
    list_bytes: int
    list_sha256: str
    blocks: tuple[Block, ...]
