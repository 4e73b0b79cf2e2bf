r"""What a seal is: for one UTC day of ingestion time, which traces each agent had: none vanishes unseen.

A seal has two parts. The list has one line a run, sorted by trace id; the statement (`DaySeal`) has the count
and digest of each agent's trace ids, the list's hash, and the hash of each block of the list, so that a part
can be checked by itself. Both are written once; what the statement says is in the ledger too. Pure.

A line of the list is `trace id, start, agent, tenant, conversation`, separated by tabs and ended by a line
feed: `awk -F'\t' '$3 == "AGENT" {print $1}' LIST | uniq | sha256sum` is the digest of an agent's trace ids.
"""

import hashlib
import re
from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

FORMAT = 1
LINES_PER_BLOCK = 512
"""About 60 KB: one read, and 400 blocks for a day of 200,000 runs."""

MOST_AGENTS = 200
"""Names of agents come out of telemetry: where there are more, those not declared are sealed as one."""

NO_AGENT = "-"
OTHERS = "+"
"""Stand for an agent; no declared agent is called so."""

_TRACE_ID = re.compile(r"[0-9a-f]{32}")
_PLAIN_NAME = re.compile(r"[A-Za-z0-9][\w .:/@()-]{0,127}", re.ASCII)


@dataclass(frozen=True, slots=True)
class SealedRun:
    """One line of a list.

    Attributes:
        trace_id: 32 hex digits.
        started: When the run's own span began, UTC, in whole milliseconds.
        agent: See `SealedAgent`.
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
    """A part of a list that can be checked by itself: its first trace id, its begin, and its SHA-256."""

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
        unusable: Runs whose OperationId is no OpenTelemetry trace id: counted, not listed, never exported.
        agents: One for each agent that ran, by name.
        list_bytes: The list's size.
        list_sha256: Over all of it, hex.
        blocks: Its blocks, in order; none where it is empty.
    """

    day: date
    sealed_at: datetime
    key_id: str
    traces: int
    unusable: int
    agents: tuple[SealedAgent, ...]
    list_bytes: int
    list_sha256: str
    blocks: tuple[Block, ...]

    def body(self) -> dict[str, Any]:
        """Return it as the JSON object that is stored."""
        return {
            "format": FORMAT,
            "day": self.day.isoformat(),
            "sealed_at": self.sealed_at,
            "key_id": self.key_id,
            "traces": self.traces,
            "unusable": self.unusable,
            "agents": [
                {"agent": one.agent, "traces": one.traces, "sha256": one.sha256} for one in self.agents
            ],
            "list_bytes": self.list_bytes,
            "list_sha256": self.list_sha256,
            "blocks": [[one.first, one.offset, one.sha256] for one in self.blocks],
        }

    def block_of(self, trace_id: str) -> tuple[int, int, str] | None:
        """Return where the block that may hold a trace begins and ends, and its hash; None: no block may."""
        number = bisect_right(self.blocks, trace_id, key=lambda block: block.first) - 1
        if number < 0:
            return None
        following = self.blocks[number + 1].offset if number + 1 < len(self.blocks) else self.list_bytes
        return self.blocks[number].offset, following, self.blocks[number].sha256


def day_seal(body: Mapping[str, Any]) -> DaySeal:
    """Read back what `DaySeal.body` gave; raises what Python does where it is something else."""
    return DaySeal(
        day=date.fromisoformat(body["day"]),
        sealed_at=datetime.fromisoformat(body["sealed_at"]),
        key_id=str(body["key_id"]),
        traces=int(body["traces"]),
        unusable=int(body["unusable"]),
        agents=tuple(SealedAgent(one["agent"], one["traces"], one["sha256"]) for one in body["agents"]),
        list_bytes=int(body["list_bytes"]),
        list_sha256=str(body["list_sha256"]),
        blocks=tuple(Block(first, offset, digest) for first, offset, digest in body["blocks"]),
    )


def make_seal(
    runs: Iterable[SealedRun], *, day: date, unusable: int, sealed_at: datetime, key_id: str
) -> tuple[DaySeal, bytes]:
    """Return the statement of a day and its list, whatever the order of the runs.

    Args:
        runs: All runs of the day, some perhaps twice.
        day: UTC.
        unusable: How many further runs had no usable trace id.
        sealed_at: UTC.
        key_id: Of the key of the pseudonyms in `runs`.
    """
    lines = sorted({_line(run) for run in runs})
    data = b"".join(lines)
    agents = _agents(lines)
    seal = DaySeal(
        day=day,
        sealed_at=sealed_at,
        key_id=key_id,
        traces=_distinct(lines),
        unusable=unusable,
        agents=agents,
        list_bytes=len(data),
        list_sha256=hashlib.sha256(data).hexdigest(),
        blocks=_blocks(lines),
    )
    return seal, data


def read_line(line: bytes) -> SealedRun:
    """Read a line of a list, without its line feed; raises ValueError where it is none."""
    trace_id, started, agent, tenant, conversation = line.decode().split("\t")
    return SealedRun(trace_id, datetime.fromisoformat(started), agent, tenant, conversation)


def digest_of(trace_ids: Iterable[str]) -> str:
    """Return the SHA-256 of sorted trace ids, each followed by a line feed; hex."""
    digest = hashlib.sha256()
    for trace_id in trace_ids:
        digest.update(f"{trace_id}\n".encode())
    return digest.hexdigest()


def usable(trace_id: str) -> bool:
    """Whether a seal can hold it."""
    return _TRACE_ID.fullmatch(trace_id) is not None


def may_stand_by_name(agent: str, declared: Collection[str]) -> bool:
    """Whether an agent stands in seals by its name: one that agents.yaml declares and that is plain text."""
    return agent in declared and _PLAIN_NAME.fullmatch(agent) is not None


def _line(run: SealedRun) -> bytes:
    started = run.started.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
    return f"{run.trace_id}\t{started}Z\t{run.agent}\t{run.tenant}\t{run.conversation}\n".encode()


def _agents(lines: Iterable[bytes]) -> tuple[SealedAgent, ...]:
    """Return what the sorted lines come to, agent by agent."""
    last: dict[bytes, bytes] = {}
    counts: dict[bytes, int] = {}
    digests: dict[bytes, Any] = {}
    for line in lines:
        trace_id, _, agent, _ = line.split(b"\t", 3)
        if last.get(agent) == trace_id:
            continue
        last[agent] = trace_id
        counts[agent] = counts.get(agent, 0) + 1
        digests.setdefault(agent, hashlib.sha256()).update(trace_id + b"\n")
    return tuple(
        SealedAgent(agent.decode(), counts[agent], digests[agent].hexdigest()) for agent in sorted(counts)
    )


def _distinct(lines: Iterable[bytes]) -> int:
    count, last = 0, b""
    for line in lines:
        trace_id = line[:32]
        count += trace_id != last
        last = trace_id
    return count


def _blocks(lines: list[bytes]) -> tuple[Block, ...]:
    """Cut the sorted lines into blocks of `LINES_PER_BLOCK`, or more, since no trace lies in two."""
    blocks, offset, begin = [], 0, 0
    while begin < len(lines):
        end = min(begin + LINES_PER_BLOCK, len(lines))
        while end < len(lines) and lines[end][:32] == lines[end - 1][:32]:
            end += 1
        block = b"".join(lines[begin:end])
        blocks.append(Block(lines[begin][:32].decode(), offset, hashlib.sha256(block).hexdigest()))
        offset, begin = offset + len(block), end
    return tuple(blocks)
