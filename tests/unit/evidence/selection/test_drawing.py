"""A sample is drawn once, by a seed that the ledger had before a run was read, and anybody draws it again."""

import hashlib
import json
import re
import subprocess
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import pytest

from functions.access.scope import Scope
from functions.errors import ResultTooLarge, SourceUnavailable, StorageError
from functions.evidence.exports.export import Export, State
from functions.evidence.selection.drawing import MOST_RUNS, PAGE, POPULATION, Draw, Drawing
from functions.evidence.selection.sampling import Run, in_order, seed_of
from functions.evidence.selection.selection import Selection
from functions.evidence.selection.selectors import Sample, TimeWindow
from functions.traces.source import Rows, TraceSource
from tests.fakes.storage import MemoryAppendLog, MemoryDocuments, MemoryObjects
from tests.unit.evidence.choices import ASKED, ASKER, DAY, MONDAY, WEEK, Choices, run, source_of
from tests.unit.evidence.rig import RememberingSource

EXPORT = "0f" * 16
DOCS = Path(__file__).parents[4] / "docs" / "exports.md"
SAMPLE = {"sample": WEEK | {"size": 5, "stratum": "agent"}}


@cache
def week() -> TraceSource:
    """Return 24 runs of two agents in a week, six of them twice, and one before it."""
    runs = [
        run(number, "benefits" if number % 4 == 0 else "dispatcher", MONDAY + number * timedelta(hours=5))
        for number in range(1, 25)
    ]
    return RememberingSource(source_of(*runs, *runs[:6], run(90, at=MONDAY - 3 * DAY)))


def account(choices: Choices, export_id: str = EXPORT, selector: Mapping[str, Any] = SAMPLE) -> Any:
    resolved = choices.resolver.resolve(choices.export(selector, export_id=export_id))
    return resolved.account["sample"]


def runs_of(account: Any) -> set[str]:
    return {one["run_id"] for stratum in account["strata"] for one in stratum["drawn"]}


def entries(log: MemoryAppendLog) -> list[Any]:
    return list(log.entries())


def test_runs_are_drawn_each_stratum_by_its_share() -> None:
    choices = Choices(week())
    resolved = choices.resolver.resolve(choices.export(SAMPLE, export_id=EXPORT))
    told = resolved.account["sample"]
    assert (told["population"]["runs"], told["population"]["stand_for"], told["population"]["unusable"]) == (
        24,
        24,
        0,
    )
    assert [(one["number"], one["name"], one["runs"]) for one in told["strata"]] == [
        (1, "dispatcher", 18),
        (2, "benefits", 6),
    ]
    assert [len(one["drawn"]) for one in told["strata"]] == [4, 1]
    drawn = {one["trace_id"] for stratum in told["strata"] for one in stratum["drawn"]}
    (membership,) = resolved.memberships
    assert set(re.findall(r"[0-9a-f]{32}", membership.condition)) == drawn


def test_the_population_lists_every_run_once() -> None:
    choices = Choices(week())
    resolved = choices.resolver.resolve(choices.export(SAMPLE, export_id=EXPORT))
    listed = b"".join(choices.work.read(resolved.files[POPULATION]))
    expected = "".join(f"{n:032x} {n:015x}b {2 if n % 4 == 0 else 1}\n" for n in range(1, 25))
    assert listed.decode() == expected
    population = resolved.account["sample"]["population"]
    assert population["sha256"] == hashlib.sha256(listed).hexdigest()


def test_the_seed_is_of_the_export_and_the_ledger_s_head_and_in_it_before_a_run_is_read() -> None:
    choices = Choices(week())
    choices.log.append({"action": "exports.requested", "on": {"export_id": EXPORT}})
    asked_after: list[str] = []

    class Watching:
        def query(self, kql: str, **bounds: Any) -> Rows:
            asked_after.append(entries(choices.log)[-1]["action"])
            return week().query(kql, **bounds)

    choices.source = Watching()
    told = account(choices)
    assert set(asked_after) == {"exports.draw-seeded"}
    requested, begun, seeded, drawn = map(orjson.loads, choices.log.lines)
    assert begun["previous"] == requested["hash"]
    assert told["ledger_head"] == begun["hash"]
    assert told["seed"] == hashlib.sha256(f"{EXPORT} {begun['hash']}".encode()).hexdigest()
    asked = choices.selection(SAMPLE).body()["selector"]
    digest = hashlib.sha256(json.dumps(asked, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
    assert begun["entry"]["on"] == {"export_id": EXPORT, "selector_sha256": digest}
    assert seeded["entry"]["on"] == {"export_id": EXPORT, "head": begun["hash"], "seed": told["seed"]}
    assert drawn["entry"]["on"]["population_sha256"] == told["population"]["sha256"]
    assert drawn["entry"]["who"] == {"object_id": ASKER}


def test_another_export_draws_others() -> None:
    drawn = [runs_of(account(Choices(week()), f"{number:032x}")) for number in range(4)]
    assert len({frozenset(one) for one in drawn}) > 1


def test_a_job_that_is_resumed_never_draws_anew() -> None:
    choices = Choices(week())
    first = account(choices)
    choices.source = source_of()  # telemetry that would give another sample
    assert account(choices) == first
    assert len(entries(choices.log)) == 3


class Dying:
    """Storage that fails at its n-th write, of all that it wraps."""

    def __init__(self, at: int) -> None:
        self.left = at

    def around(self, write: Callable[..., Any]) -> Callable[..., Any]:
        def written(*args: Any, **options: Any) -> Any:
            self.left -= 1
            if self.left == 0:
                raise StorageError("Storage is away.", next_step="Wait.")
            return write(*args, **options)

        return written


class DyingDocuments(MemoryDocuments):
    def __init__(self, dying: Dying) -> None:
        super().__init__()
        self.write = dying.around(super().write)  # type: ignore[method-assign]  # a fake of a fake


class DyingLog(MemoryAppendLog):
    def __init__(self, dying: Dying) -> None:
        super().__init__()
        self.append = dying.around(super().append)  # type: ignore[method-assign]  # as above


class DyingObjects(MemoryObjects):
    def __init__(self, dying: Dying) -> None:
        super().__init__()
        self.put = dying.around(super().put)  # type: ignore[method-assign]  # as above


@pytest.mark.parametrize("at", range(1, 7))
def test_wherever_a_job_stops_one_seed_is_in_the_ledger_and_one_sample_comes_of_it(at: int) -> None:
    dying, choices = Dying(at), Choices(week())
    choices.documents, choices.log = DyingDocuments(dying), DyingLog(dying)
    choices.work = DyingObjects(dying)
    with pytest.raises(StorageError):
        account(choices)
    told = account(choices)
    seeds = {one["on"]["seed"] for one in entries(choices.log) if one["action"] == "exports.draw-seeded"}
    assert seeds == {told["seed"]}
    drawn = [one["on"] for one in entries(choices.log) if one["action"] == "exports.drawn"]
    assert len({one["draw_sha256"] for one in drawn}) == 1
    assert account(choices) == told


def test_there_are_six_writes_to_stop_at() -> None:
    dying, choices = Dying(0), Choices(week())
    choices.documents, choices.log = DyingDocuments(dying), DyingLog(dying)
    choices.work = DyingObjects(dying)
    account(choices)
    assert dying.left == -6


def test_a_source_that_fails_half_way_leaves_the_seed() -> None:
    choices = Choices(week())
    answers = iter([True, False])

    class Failing:
        def query(self, kql: str, **bounds: Any) -> Rows:
            if not next(answers, True):
                raise SourceUnavailable("No answer.", next_step="Ask again.")
            return week().query(kql, **bounds)

    choices.source = Failing()
    with pytest.raises(SourceUnavailable):
        account(choices)
    seed = entries(choices.log)[1]["on"]["seed"]
    assert account(choices)["seed"] == seed


SMALL = Sample(TimeWindow(MONDAY, MONDAY + DAY), 3)
EXPORTED = Export(EXPORT, State.RUNNING, Selection(SMALL, "metadata", "an audit", "AUDIT-4"), ASKER, ASKED)


def drawn_from(population: list[Run], page: int = PAGE) -> tuple[Draw, list[int], MemoryObjects]:
    """Draw from a population that is in memory, by the questions that a workspace would be asked."""
    pages: list[int] = []

    def ask(query: str) -> list[dict[str, Any]]:
        begins = re.search(r'startswith_cs "(\w+)"', query)
        length = re.search(r"substring\(TraceId, 0, (\d+)\)", query)
        assert length
        prefixes = Counter(
            one.trace_id[: int(length[1])]
            for one in population
            if one.trace_id.startswith(begins[1] if begins else "")
        )
        if "summarize" in query:
            return [
                {"Usable": True, "Prefix": prefix, "Runs": runs, "StandFor": runs}
                for prefix, runs in prefixes.items()
            ]
        among = re.findall(r'"(\w+)"', query)
        found = [one for one in population if one.trace_id[: int(length[1])] in among]
        pages.append(len(found))
        return [{"TraceId": one.trace_id, "RunId": one.run_id, "Stratum": ""} for one in reversed(found)]

    work = MemoryObjects()
    made = Drawing(MemoryDocuments(), work, MemoryAppendLog(), lambda: ASKED, page)
    return made.draw(EXPORTED, SMALL, ask, str), pages, work


@pytest.mark.parametrize("beginning", ["", "65f3a9c0"])  # ids at random; ids that begin with the time
def test_a_population_is_read_in_pages_and_comes_out_in_order(beginning: str) -> None:
    population = [
        Run((beginning + hashlib.sha256(str(n).encode()).hexdigest())[:32], f"{n:016x}") for n in range(200)
    ]
    drawn, pages, work = drawn_from(population, 10)
    assert sum(pages) == 200
    assert max(pages) <= 10
    lines = b"".join(work.read(drawn.population)).decode().splitlines()
    assert lines == [f"{one.trace_id} {one.run_id} 1" for one in in_order([population])]


def test_pages_are_filled_as_far_as_they_go() -> None:
    _, pages, _ = drawn_from([Run(f"{n:032x}", f"{n:016x}") for n in range(1, 200)])
    assert pages == [199]
    assert PAGE == 50_000


def test_a_population_that_is_too_large_is_refused_before_it_is_read() -> None:
    made = Drawing(MemoryDocuments(), MemoryObjects(), MemoryAppendLog(), lambda: ASKED)
    answers = [[{"Usable": True, "Prefix": "00", "Runs": MOST_RUNS + 1, "StandFor": MOST_RUNS + 1}]]
    with pytest.raises(ResultTooLarge):
        made.draw(EXPORTED, SMALL, lambda _: answers.pop(), str)


def test_a_stratum_that_the_policy_would_not_show_has_a_pseudonym() -> None:
    choices = Choices(source_of(run(1, "Ada Lovelace, 4111111111111111"), run(2, "dispatcher")))
    names = [one["name"] for one in account(choices)["strata"]]
    assert re.fullmatch("[a-p]{24}", names[0])
    assert names[1] == "dispatcher"


def test_runs_that_stand_for_more_and_those_without_a_usable_id_are_told() -> None:
    sampled, unusable = run(2), run(3)
    for one in sampled:
        one["sampleRate"] = 25
    for one in unusable:
        one["tags"]["ai.operation.id"] = "NOT-OPENTELEMETRY"
    population = account(Choices(source_of(run(1), sampled, unusable)))["population"]
    assert (population["runs"], population["stand_for"], population["unusable"]) == (2, 5, 1)


def test_a_limited_role_s_population_is_what_it_reaches() -> None:
    choices = Choices(source_of(run(1, tenant="acme"), run(2, tenant="globex"), run(3)))
    export = choices.export(SAMPLE, Scope(tenants=frozenset({"acme"})), export_id=EXPORT)
    told = choices.resolver.resolve(export).account["sample"]
    assert (told["population"]["runs"], runs_of(told)) == (1, {f"{1:015x}b"})


def test_a_population_fits_the_filters_of_its_window() -> None:
    choices = Choices(
        source_of(run(1, release="1.0"), run(2, release="2.0"), run(3, "benefits", release="2.0"))
    )
    told = account(choices, selector={"sample": WEEK | {"size": 9, "agent": "dispatcher", "release": "2.0"}})
    assert runs_of(told) == {f"{2:015x}b"}


def test_of_an_empty_population_nothing_is_exported() -> None:
    choices = Choices(source_of(run(1, at=MONDAY - 30 * DAY)))
    resolved = choices.resolver.resolve(choices.export(SAMPLE, export_id=EXPORT))
    assert resolved.memberships == ()
    assert resolved.account["sample"]["strata"] == []
    assert b"".join(choices.work.read(resolved.files[POPULATION])) == b""


def recipe() -> str:
    found = re.search(r"<!-- redraw -->\n```sh\n(.*?)```\n<!-- end -->", DOCS.read_text("utf-8"), re.DOTALL)
    assert found
    return found[1]


def redrawn(folder: Path, told: Any, population: bytes) -> subprocess.CompletedProcess[str]:
    data = folder / "data"
    data.mkdir(parents=True)
    (data / "request.json").write_bytes(orjson.dumps({"resolved": {"sample": told}}))
    (data / "population.txt").write_bytes(population)
    command = ["bash", "-euo", "pipefail", "-c", recipe()]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_anybody_draws_it_again_with_the_tools_that_the_docs_name(tmp_path: Path) -> None:
    choices = Choices(week())
    resolved = choices.resolver.resolve(choices.export(SAMPLE, export_id=EXPORT))
    told = orjson.loads(orjson.dumps(resolved.account["sample"]))
    population = b"".join(choices.work.read(resolved.files[POPULATION]))
    again = redrawn(tmp_path / "same", told, population)
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")

    told["strata"][0]["drawn"][0]["run_id"] = "0" * 16
    assert redrawn(tmp_path / "another run", told, population).returncode != 0
    told = orjson.loads(orjson.dumps(resolved.account["sample"]))
    told["seed"] = seed_of(EXPORT, "another head")
    assert redrawn(tmp_path / "another seed", told, population).returncode != 0
    told["seed"] = resolved.account["sample"]["seed"]
    assert redrawn(tmp_path / "another population", told, population[50:]).returncode != 0
