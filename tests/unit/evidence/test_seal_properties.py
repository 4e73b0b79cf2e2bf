"""Whatever runs a day had, its seal says just what they were, and a part of the list can be checked alone."""

import hashlib
from datetime import UTC, date, datetime, timedelta

import orjson
from hypothesis import given
from hypothesis import strategies as st

from functions.evidence.seals.seals import DaySeal, SealedRun, day_seal, make_seal, read_line
from functions.evidence.seals.store import Reach, Seals
from functions.storage.documents import encode
from tests.fakes.storage import MemoryDocuments, MemoryObjects

DAY = date(2026, 11, 23)
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)

RUNS = st.lists(
    st.builds(
        SealedRun,
        # Few traces with many runs each, and many traces.
        st.one_of(st.integers(1, 9), st.integers(1, 2**128 - 1)).map(lambda n: f"{n:032x}"),
        st.integers(0, 86_399_999).map(lambda ms: NOON + timedelta(milliseconds=ms)),
        st.sampled_from(["-", "+", "dispatch-agent", "abcdefghijklmnopabcdefgh"]),
        st.sampled_from(["", "bcdefghijklmnopabcdefgha"]),
        st.sampled_from(["", "cdefghijklmnopabcdefghab"]),
    ),
    max_size=1_500,
)


def sealed(runs: list[SealedRun]) -> tuple[DaySeal, bytes]:
    return make_seal(runs, day=DAY, unusable=0, sealed_at=NOON, key_id="keyA")


@given(RUNS)
def test_a_list_holds_each_run_once_and_nothing_else(runs: list[SealedRun]) -> None:
    seal, listed = sealed(runs)
    read = [read_line(line) for line in listed.splitlines()]
    assert set(read) == set(runs)
    assert len(read) == len(set(runs))
    assert [run.trace_id for run in read] == sorted(run.trace_id for run in read)
    assert seal.traces == len({run.trace_id for run in runs})


@given(RUNS)
def test_counts_and_digests_are_those_of_each_agents_trace_ids(runs: list[SealedRun]) -> None:
    seal, _ = sealed(runs)
    by_agent: dict[str, set[str]] = {}
    for run in runs:
        by_agent.setdefault(run.agent, set()).add(run.trace_id)
    assert {one.agent: (one.traces, one.sha256) for one in seal.agents} == {
        agent: (len(ids), hashlib.sha256("".join(f"{one}\n" for one in sorted(ids)).encode()).hexdigest())
        for agent, ids in by_agent.items()
    }


@given(RUNS)
def test_every_trace_is_found_with_all_its_runs_in_one_block(runs: list[SealedRun]) -> None:
    seals = Seals(MemoryObjects(), MemoryDocuments())
    seals.put(*sealed(runs))
    seals.extend(Reach(DAY, DAY + timedelta(days=1)), None)
    wanted = sorted({run.trace_id for run in runs})[::97]
    found = seals.find([*wanted, "0" * 32])
    expected = {one: {run for run in runs if run.trace_id == one} for one in wanted}
    assert {one: set(held) for one, (_, held) in found.items()} == expected


@given(RUNS)
def test_a_statement_comes_back_as_it_was_and_its_blocks_cover_the_list(runs: list[SealedRun]) -> None:
    seal, listed = sealed(runs)
    seals = Seals(MemoryObjects(), MemoryDocuments())
    seals.put(seal, listed)
    assert seals.day(DAY) == seal
    ends = [*(block.offset for block in seal.blocks[1:]), len(listed)]
    covered = (
        [listed[block.offset : end] for block, end in zip(seal.blocks, ends, strict=True)] if runs else []
    )
    assert b"".join(covered) == listed
    assert [hashlib.sha256(part).hexdigest() for part in covered] == [block.sha256 for block in seal.blocks]
    assert day_seal(orjson.loads(encode(seal.body()))) == seal
