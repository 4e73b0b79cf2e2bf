"""Days are sealed once, wholly or not at all, and what a seal says can be recomputed from its list."""

import hashlib
import io
import shutil
import subprocess
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from functions.errors import DocumentConflict, SealDamaged
from functions.evidence.seals.sealing import SPANS_A_PAGE
from functions.evidence.seals.seals import (
    LINES_PER_BLOCK,
    MOST_AGENTS,
    NO_AGENT,
    OTHERS,
    SealedRun,
    digest_of,
    make_seal,
)
from functions.storage.documents import encode
from functions.traces.source import Cell
from tests.checks.telemetry import Trace
from tests.fakes.storage import MemoryObjects
from tests.unit.evidence.sealing_rig import (
    DECLARED,
    KEPT,
    MONDAY,
    NOON,
    PSEUDONYMS,
    TUESDAY,
    TUESDAY_MORNING,
    Rig,
    RunsSource,
)

DAY = timedelta(days=1)


def test_a_day_is_sealed_by_agent_with_count_and_digest_of_its_trace_ids() -> None:
    rig = Rig()
    first, second, other = rig.run(2), rig.run(1), rig.run(3, agent="unheard-of")
    assert rig.sealing.tick().sealed == (MONDAY,)
    standing = PSEUDONYMS.of("agent", "unheard-of")
    both = hashlib.sha256(f"{second}\n{first}\n".encode()).hexdigest()
    alone = hashlib.sha256(f"{other}\n".encode()).hexdigest()
    assert sorted(rig.entries("seals.agent"), key=lambda on: on["traces"]) == [
        {"day": "2026-11-23", "agent": standing, "traces": "1", "sha256": alone},
        {"day": "2026-11-23", "agent": DECLARED, "traces": "2", "sha256": both},
    ]
    assert "unheard-of" not in str(rig.log.lines)


def test_the_ledger_holds_the_hashes_of_what_lies_in_the_store() -> None:
    rig = Rig()
    rig.run(1)
    rig.sealing.tick()
    (on,) = rig.entries("seals.day")
    statement = b"".join(rig.objects.read("seals/2026-11-23/seal.json"))
    listed = b"".join(rig.objects.read(f"seals/2026-11-23/{on['list_sha256']}.tsv"))
    assert hashlib.sha256(statement).hexdigest() == on["seal_sha256"]
    assert hashlib.sha256(listed).hexdigest() == on["list_sha256"]
    last = rig.log.lines[-1]
    assert (rig.seals.entered(MONDAY) or "").encode() in last


def test_a_line_says_when_the_run_began_and_for_whom_by_pseudonyms() -> None:
    rig = Rig()
    properties = {"tenant.id": "contoso", "gen_ai.conversation.id": "conv-7"}
    trace_id = rig.run(1, **properties)
    rig.sealing.tick()
    seal = rig.seals.day(MONDAY)
    assert seal is not None
    (run,) = rig.seals.runs(seal)
    assert run == SealedRun(
        trace_id,
        NOON + timedelta(milliseconds=100),
        DECLARED,
        PSEUDONYMS.of("tenant", "contoso"),
        PSEUDONYMS.of("conversation", "conv-7"),
    )
    listed = b"".join(rig.objects.read(f"seals/2026-11-23/{seal.list_sha256}.tsv"))
    assert b"contoso" not in listed
    assert b"conv-7" not in listed


def test_a_website_is_no_agent_but_a_model_call_without_an_agents_name_is_sealed() -> None:
    rig = Rig()
    site, nameless = Trace(1, start=NOON), Trace(2, start=NOON)
    site.request()
    nameless.chat(nameless.request(), (10, 10), model="gpt-4o")
    for trace in (site, nameless):
        rig.telemetry.ingest(trace.envelopes, delay=timedelta(seconds=1))
    rig.sealing.tick()
    seal = rig.seals.day(MONDAY)
    assert seal is not None
    assert [(run.trace_id, run.agent) for run in rig.seals.runs(seal)] == [(nameless.trace_id, NO_AGENT)]


@pytest.mark.skipif(shutil.which("awk") is None, reason="what the guide tells auditors to run")
def test_an_auditor_recomputes_an_agents_digest_from_the_list(tmp_path: Path) -> None:
    rig = Rig(source=RunsSource([(NOON, row(n, agent)) for n in (1, 2, 3) for agent in (DECLARED, "other")]))
    assert isinstance(rig.source, RunsSource)
    rig.source.runs.append(
        (NOON + timedelta(hours=1), (f"{2:032x}", NOON + timedelta(hours=1), DECLARED, "", ""))
    )
    rig.sealing.tick()
    (on,) = [on for on in rig.entries("seals.agent") if on["agent"] == DECLARED]
    seal = rig.seals.day(MONDAY)
    assert seal is not None
    (tmp_path / "LIST").write_bytes(b"".join(rig.objects.read(f"seals/{MONDAY}/{seal.list_sha256}.tsv")))
    told = f"awk -F'\\t' '$3 == \"{DECLARED}\" {{print $1}}' LIST | uniq | sha256sum"
    ran = subprocess.run(["sh", "-c", told], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert (ran.stdout.split()[0], on["traces"]) == (on["sha256"], "3")


def test_a_day_on_which_nothing_came_is_sealed_as_zero_and_an_unsealed_one_is_none() -> None:
    rig = Rig()
    rig.sealing.tick()
    seal = rig.seals.day(MONDAY)
    assert seal is not None
    assert (seal.traces, seal.agents, list(rig.seals.runs(seal))) == (0, (), [])
    assert rig.entries("seals.day")[0]["traces"] == "0"
    assert rig.seals.day(TUESDAY) is None


def test_a_day_is_sealed_by_when_its_runs_came_in() -> None:
    rig = Rig()
    midnight = datetime(2026, 11, 24, tzinfo=UTC)
    in_time = rig.run(1, midnight - timedelta(minutes=1))
    late = rig.run(2, midnight - timedelta(minutes=1), delay=timedelta(minutes=2))
    rig.sealing.tick()
    rig.now += DAY
    rig.sealing.tick()
    held = {
        day: [run.trace_id for run in rig.seals.runs(seal)]
        for day in (MONDAY, TUESDAY)
        if (seal := rig.seals.day(day))
    }
    assert held == {MONDAY: [in_time], TUESDAY: [late]}


@pytest.mark.parametrize(("minutes", "newest"), [(69, MONDAY - DAY), (70, MONDAY)])
def test_a_day_is_not_sealed_before_it_has_settled(minutes: int, newest: date) -> None:
    rig = quiet()
    rig.now = datetime(2026, 11, 24, tzinfo=UTC) + timedelta(minutes=minutes)
    assert rig.sealing.tick().sealed == (newest,)


def test_missed_days_are_caught_up_with_once_each() -> None:
    rig = quiet()
    rig.sealing.tick()
    rig.now += 5 * DAY
    sealed = [day for _ in range(4) for day in rig.sealing.tick().sealed]
    assert sealed == [MONDAY + n * DAY for n in range(1, 6)]
    days = [on["day"] for on in rig.entries("seals.day")]
    assert days == sorted(set(days))
    assert len(days) == 6


def test_a_day_that_can_not_be_read_is_tried_again_and_others_have_their_turn() -> None:
    source = RunsSource()
    rig = Rig(source=source)
    rig.sealing.tick()
    rig.now += 2 * DAY
    source.away = datetime(2026, 11, 24, tzinfo=UTC)
    report = rig.sealing.tick()
    assert report.sealed == (MONDAY + 2 * DAY,)
    assert report.held_up == ((TUESDAY, "The source is away. Try again."),)
    assert rig.seals.day(TUESDAY) is None
    source.away = None
    assert TUESDAY in rig.sealing.tick().sealed
    assert [on["day"] for on in rig.entries("seals.day")] == ["2026-11-23", "2026-11-25", "2026-11-24"]


def test_nothing_is_sealed_while_something_hinders_it() -> None:
    rig = quiet()
    rig.hindrance = "The clock is 3600 s off."
    assert rig.sealing.tick().held_up == ((MONDAY, "The clock is 3600 s off."),)
    assert rig.seals.day(MONDAY) is None
    rig.hindrance = None
    assert rig.sealing.tick().sealed == (MONDAY,)


def test_a_day_older_than_the_retention_is_lost_and_not_zero() -> None:
    rig = quiet()
    rig.sealing.tick()
    rig.now = datetime(2026, 11, 25, 12, tzinfo=UTC) + KEPT
    report = rig.sealing.tick()
    assert report.lost == (TUESDAY, MONDAY + 2 * DAY)
    assert report.sealed[0] == MONDAY + 3 * DAY
    assert rig.seals.day(TUESDAY) is None
    entry = next(e for e in rig.log.entries() if e["on"] == {"day": "2026-11-24"})
    assert entry["outcome"] == "failed"


class Crash(Exception):
    """The process ends here."""


class CrashingObjects(MemoryObjects):
    """Ends the process before or after a write of an object whose name ends so."""

    def __init__(self, suffix: str, *, after: bool) -> None:
        super().__init__()
        self.suffix, self.after = suffix, after

    def put(self, name: str, data: io.BytesIO) -> int:  # type: ignore[override]  # all that tests give
        if name.endswith(self.suffix) and not self.after:
            self.suffix = "never again"
            raise Crash
        size = super().put(name, data)
        if name.endswith(self.suffix):
            self.suffix = "never again"
            raise Crash
        return size


@pytest.mark.parametrize("suffix", [".tsv", "seal.json", "entered.json"])
@pytest.mark.parametrize("after", [False, True])
def test_wherever_it_is_killed_the_next_tick_completes_the_same_seal(suffix: str, after: bool) -> None:
    rig = Rig(objects=CrashingObjects(suffix, after=after), source=RunsSource([(NOON, row(1))]))
    with pytest.raises(Crash):
        rig.sealing.tick()
    rig.sealing.tick()
    entries = rig.entries("seals.day")
    assert {on["day"] for on in entries} == {"2026-11-23"}
    assert len({on["seal_sha256"] for on in entries}) == 1
    assert rig.seals.entered(MONDAY) is not None
    seal = rig.seals.day(MONDAY)
    assert seal is not None
    assert seal.traces == 1


def test_of_two_hosts_one_seals_and_nothing_is_overwritten() -> None:
    rig = Rig(source=RunsSource([(NOON, row(1))]))
    one, other = (
        make_seal(many_runs(1), day=MONDAY, unusable=0, sealed_at=at, key_id="keyA") for at in (NOON, rig.now)
    )
    assert rig.seals.put(*one)
    assert not rig.seals.put(*other)
    rig.now += timedelta(minutes=1)
    rig.sealing.tick()
    assert len(rig.entries("seals.day")) == 1
    with pytest.raises(DocumentConflict):
        rig.objects.put("seals/2026-11-23/seal.json", io.BytesIO(b"{}"))


class Overtaken(MemoryObjects):
    """Another host stores its seal of the day just before ours is stored."""

    def put(self, name: str, data: io.BytesIO) -> int:  # type: ignore[override]  # all that tests give
        if name.endswith("seal.json") and self.size(name) is None:
            theirs = make_seal(many_runs(1), day=MONDAY, unusable=7, sealed_at=NOON, key_id="keyA")
            super().put(name, io.BytesIO(encode(theirs[0].body())))
        return super().put(name, data)


def test_who_is_overtaken_by_another_host_enters_nothing_of_his_own() -> None:
    rig = Rig(objects=Overtaken(), source=RunsSource([(NOON, row(1))]))
    assert rig.sealing.tick().sealed == ()
    assert rig.entries("seals.day") == []
    assert rig.sealing.tick().sealed == (MONDAY,)
    assert [on["unusable"] for on in rig.entries("seals.day")] == ["7"]


def test_a_page_that_is_too_large_is_halved() -> None:
    source = RunsSource([(NOON + timedelta(minutes=n), row(n + 1)) for n in range(40)], most=10)
    rig = Rig(source=source)
    rig.sealing.tick()
    seal = rig.seals.day(MONDAY)
    assert seal is not None
    assert [run.trace_id for run in rig.seals.runs(seal)] == [f"{n + 1:032x}" for n in range(40)]
    assert len(source.pages) > 4


def test_a_day_of_many_spans_is_read_in_pages_that_leave_nothing_out() -> None:
    hours = [datetime(2026, 11, 23, hour, 59, 59, tzinfo=UTC) for hour in (0, 1, 2, 3, 23)]
    many = SPANS_A_PAGE // 2 // 2 + 1  # of two spans each: two such hours are too many for one page
    source = RunsSource([(hour, row(n)) for hour in hours for n in range(1, many + 1)])
    rig = Rig(source=source)
    assert rig.sealing.tick().held_up == ()
    begins = [datetime(2026, 11, 23, hour, tzinfo=UTC) for hour in (0, 1, 2, 3, 23)]
    assert source.pages == list(pairwise([*begins, datetime(2026, 11, 24, tzinfo=UTC)]))


def test_what_is_no_trace_id_is_counted_and_not_listed() -> None:
    rig = Rig(source=RunsSource([(NOON, ("not hex", NOON, DECLARED, "", "")), (NOON, row(1))]))
    rig.sealing.tick()
    seal = rig.seals.day(MONDAY)
    assert seal is not None
    assert (seal.traces, seal.unusable) == (1, 1)


def test_agents_that_nobody_declared_do_not_swell_the_ledger() -> None:
    many = MOST_AGENTS + 1
    rig = Rig(source=RunsSource([(NOON, row(n, f"made-up-{n}")) for n in range(1, many + 1)]))
    assert isinstance(rig.source, RunsSource)
    rig.source.runs.append((NOON, row(many + 1)))
    rig.sealing.tick()
    assert {(on["agent"], on["traces"]) for on in rig.entries("seals.agent")} == {
        (OTHERS, str(many)),
        (DECLARED, "1"),
    }


def quiet() -> Rig:
    """Return a rig whose source has no runs."""
    return Rig(source=RunsSource())


def row(number: int, agent: str = DECLARED) -> tuple[Cell, ...]:
    return (f"{number:032x}", NOON, agent, "", "")


def many_runs(count: int) -> list[SealedRun]:
    return [SealedRun(f"{n * 7919:032x}", NOON, DECLARED, "", "") for n in range(1, count + 1)]


def test_the_order_of_the_runs_makes_no_difference() -> None:
    runs = many_runs(3 * LINES_PER_BLOCK)
    given = {"day": MONDAY, "unusable": 0, "sealed_at": TUESDAY_MORNING, "key_id": "keyA"}
    assert make_seal(runs, **given) == make_seal([*reversed(runs), *runs[:9]], **given)  # type: ignore[arg-type]  # as above


def test_any_trace_is_found_by_reading_one_block_a_day() -> None:
    rig = quiet()
    runs = many_runs(3 * LINES_PER_BLOCK + 1)
    rig.sealing.tick()
    rig.now += DAY
    made = make_seal(runs, day=TUESDAY, unusable=0, sealed_at=rig.now, key_id="keyA")
    rig.seals.put(*made)
    rig.sealing.tick()
    assert len(made[0].blocks) == 4
    for run in (runs[0], runs[LINES_PER_BLOCK - 1], runs[LINES_PER_BLOCK], runs[-1]):
        assert rig.seals.find_seal(run.trace_id) == TUESDAY
    for absent in ("0" * 31 + "1", "f" * 32, f"{runs[5].trace_id[:-1]}0"):
        assert rig.seals.find_seal(absent) is None


def test_a_trace_never_lies_in_two_blocks() -> None:
    runs = many_runs(LINES_PER_BLOCK)
    last = max(run.trace_id for run in runs)
    again = [SealedRun(last, NOON + timedelta(seconds=n), DECLARED, "", "") for n in range(1, 5)]
    seal, _ = make_seal([*runs, *again], day=MONDAY, unusable=0, sealed_at=TUESDAY_MORNING, key_id="keyA")
    assert len(seal.blocks) == 1
    assert seal.traces == LINES_PER_BLOCK
    assert seal.agents[0].sha256 == digest_of(sorted(run.trace_id for run in runs))


class Forged(MemoryObjects):
    """Lets a test change what lies in the store, as only someone with its keys could."""

    def forge(self, name: str, data: bytes) -> None:
        self._held[name] = data


def test_a_list_that_was_changed_is_noticed_whole_and_in_part() -> None:
    rig = Rig(objects=Forged(), source=RunsSource([(NOON, row(1)), (NOON, row(2))]))
    trace_id = f"{1:032x}"
    rig.sealing.tick()
    seal = rig.seals.day(MONDAY)
    assert seal is not None
    name = f"seals/2026-11-23/{seal.list_sha256}.tsv"
    listed = b"".join(rig.objects.read(name))
    assert isinstance(rig.objects, Forged)
    rig.objects.forge(name, listed.replace(trace_id.encode(), b"0" * 30 + b"99"))
    with pytest.raises(SealDamaged):
        list(rig.seals.runs(seal))
    with pytest.raises(SealDamaged):
        rig.seals.find_seal(trace_id)
    rig.objects.forge("seals/2026-11-23/seal.json", b"{}")
    with pytest.raises(SealDamaged):
        rig.seals.day(MONDAY)
