"""Where AppGenAIContent is on the Basic plan it is asked alone, and duplicate_retrieval finds the same."""

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from functions.checks.late_rows import COLUMN
from functions.checks.question import question
from functions.checks.runner import Evaluated, EvaluationFailed, Outcome, Runner
from functions.configuration import SHIPPED, load_configuration
from functions.errors import QueryRejected, ResultTooLarge, TooMuchContent
from functions.traces.content_hashes import MOST_HASHES
from functions.traces.lateness import TIME_MARGIN
from functions.traces.source import AskingCost, Rows
from local.azure_monitor.ingestion import Telemetry
from tests.checks.bench import SITE, Workspace, build
from tests.checks.fixtures import FIXTURES, Case, read_cases
from tests.fakes.source import Answer, ScriptedSource
from tests.fakes.telemetry import TelemetrySource
from tests.unit.checks.building import COLUMNS, NOON, batch, result

CONFIGURATION = load_configuration(SHIPPED, SITE)
CHECK = next(check for check in CONFIGURATION.checks if check.id == "duplicate_retrieval")
HASH_COLUMNS = ("TraceId", "SpanId", "Hash")
EMPTY = result(columns=(*COLUMNS, "Tool", "Runs", "Blind", "Conversations", "Release", "PromptVersion"))
QUARTER = timedelta(minutes=15)
HOSTILE = '"] | take 0 // \\ \n \u202e'


def hashes(count: int) -> Rows:
    return Rows(HASH_COLUMNS, tuple((f"{n:032x}", f"{n:016x}", "0" * 64) for n in range(count)))


def run(content: Iterable[Answer], main: Iterable[Answer] = (EMPTY,), quarters: int = 1) -> Outcome:
    runner = Runner(
        ScriptedSource(main), CONFIGURATION.agents, CONFIGURATION.prices, content=ScriptedSource(content)
    )
    now = NOON + quarters * QUARTER + CHECK.settle
    return runner.judge_due(CHECK, watermark=NOON, now=now)


def moved(path: Path) -> list[Workspace]:
    """Return the workspaces of all cases whose arguments have moved."""
    return build(CHECK, [case for case in read_cases(FIXTURES / CHECK.id) if case.content_moved], path)


def test_it_finds_the_same_and_nothing_more(tmp_path: Path) -> None:
    named: list[Case] = []
    for workspace in moved(tmp_path):
        main, content = TelemetrySource(workspace.telemetry), TelemetrySource(workspace.telemetry)
        joined, apart = workspace.findings(CHECK), workspace.findings(CHECK, main, content)
        assert apart == joined
        named += [built.case for built, found in apart if found]
        assert len(content.asked) == len(main.asked) == 1
        assert content.asked[0].startswith("AppGenAIContent\n")
        assert "AppGenAIContent" not in re.sub(r"//.*", "", main.asked[0])
    assert "the same arguments moved out of the spans" in {case.name for case in named}


def test_the_arguments_themselves_are_not_asked_for(tmp_path: Path) -> None:
    (workspace, *_) = moved(tmp_path)
    content = TelemetrySource(workspace.telemetry)
    workspace.findings(CHECK, content=content)
    answer = workspace.telemetry.query(content.asked[0])
    assert [name for name, _ in answer.columns] == list(HASH_COLUMNS)
    assert answer.rows
    assert "late" not in str(answer.rows)


def test_content_is_bounded_as_the_rest_of_the_question_is() -> None:
    asked = question(CHECK, batch(0), CONFIGURATION.agents, CONFIGURATION.prices, content_apart=True)
    source = ScriptedSource([hashes(0), EMPTY])
    asked.ask(source, source)
    content, main = source.asked
    assert (content.since, content.until) == (main.since, main.until)
    assert main.since == NOON - CHECK.lookback - TIME_MARGIN
    for line in ("let ReceivedFrom = ", "let ReceivedTo = "):
        bound = next(one for one in main.kql.splitlines() if one.startswith(line))
        assert bound.removeprefix(line).removesuffix(";") in content.kql


@pytest.mark.parametrize(("count", "error"), [(MOST_HASHES, None), (MOST_HASHES + 1, TooMuchContent)])
def test_more_rows_than_a_query_takes_along_are_a_failure_and_no_pass(
    count: int, error: type[ResultTooLarge] | None
) -> None:
    outcome = run([hashes(count)])
    if error is None:
        assert isinstance(outcome, Evaluated)
    else:
        assert isinstance(outcome, EvaluationFailed)
        assert type(outcome.error) is error
        assert "2,000" in str(outcome.error)
        assert "`every`" in str(outcome.error)
        assert "Analytics" in str(outcome.error)
        assert outcome.asking == AskingCost(rows=count)


def test_one_row_more_is_asked_for_to_see_that_there_are_more() -> None:
    asked = question(CHECK, batch(0), CONFIGURATION.agents, CONFIGURATION.prices, content_apart=True)
    assert asked.content_kql is not None
    assert asked.content_kql.endswith(f"| take {MOST_HASHES + 1}")


def test_what_came_after_an_outage_is_judged_in_smaller_parts() -> None:
    too_many, none = hashes(MOST_HASHES + 1), replace(EMPTY, columns=(*EMPTY.columns, COLUMN))
    outcome = run([too_many, too_many, hashes(5)], [none], quarters=8)
    assert isinstance(outcome, Evaluated)
    assert [one.window.start for one in outcome.judged] == [NOON, NOON + QUARTER]
    assert outcome.watermark == NOON + 2 * QUARTER
    assert outcome.asking.questions == 4


def test_both_questions_count_in_what_asking_took() -> None:
    content = replace(hashes(3), seconds=0.5, bytes_read=100)
    outcome = run([content], [replace(EMPTY, seconds=0.25, bytes_read=10)])
    assert isinstance(outcome, Evaluated)
    assert outcome.asking == AskingCost(rows=3, seconds=0.75, bytes_read=110, questions=2)


@pytest.mark.parametrize("first", [True, False])
def test_a_question_that_fails_counts_and_judges_nothing(*, first: bool) -> None:
    error = QueryRejected("No.", next_step="Look.")
    outcome = run([error] if first else [hashes(3)], [error])
    assert isinstance(outcome, EvaluationFailed)
    assert outcome.error is error
    assert outcome.asking is not None
    assert outcome.asking.questions == (1 if first else 2)


def test_hostile_ids_stay_values() -> None:
    asked = question(CHECK, batch(0), CONFIGURATION.agents, CONFIGURATION.prices, content_apart=True)
    rows = Rows(HASH_COLUMNS, ((HOSTILE, HOSTILE, "0" * 64),))
    source = ScriptedSource([rows, EMPTY])
    asked.ask(source, source)
    kql = source.asked[1].kql
    assert HOSTILE not in kql
    table = kql[: kql.index("\n];") + 3]
    answer = Telemetry().query(f"{table}\ncontent_hashes")
    assert answer.rows == [[HOSTILE, HOSTILE, "0" * 64]]


def test_a_check_that_needs_no_content_asks_once() -> None:
    other = next(check for check in CONFIGURATION.checks if check.id == "slow_run")
    asked = question(other, batch(0), CONFIGURATION.agents, CONFIGURATION.prices, content_apart=True)
    source, content = ScriptedSource([EMPTY]), ScriptedSource([])
    asked.ask(source, content)
    assert (len(source.asked), content.asked) == (1, [])
    assert "content_hashes" not in source.asked[0].kql
