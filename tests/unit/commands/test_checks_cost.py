"""`tracekeeper checks cost` makes a month of what is kept, and a bill only where a table charges."""

import argparse
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from functions.alerts.state import PREFIX, CheckState, state_to_json
from functions.checks.asking import Asked, AskedDay, AskingRecord
from functions.cli import main
from functions.commands.checks import add, cost
from functions.configuration import SHIPPED, load_configuration
from tests.fakes.storage import MemoryDocuments
from tests.unit.alerts.building import CHECK

NOW = datetime(2026, 11, 24, 6, tzinfo=UTC)
TODAY = date(2026, 11, 24)
DAY = timedelta(days=1)
PLAIN, CONTENT, APART = "plain", "content", "apart"
CONFIGURATION = replace(
    load_configuration(SHIPPED),
    checks=(
        replace(CHECK, id=PLAIN, query="spans // AppGenAIContent is not read"),
        replace(CHECK, id=CONTENT, query="AppGenAIContent | join spans on TraceId"),
        replace(CHECK, id=APART, query="content_hashes | join spans on TraceId"),
    ),
)
A_QUESTION = timedelta(days=4, hours=12) + CHECK.every + CHECK.settle + CHECK.lookback
"""The stretch of TimeGenerated of one question: its window, what lies around it, and the margin twice."""

USUAL = Asked(queries=288, rows=576, seconds=72.0, timed=288, bytes_read=2_880_000_000, measured=288)


def record(*days: tuple[int, Asked]) -> AskingRecord:
    return AskingRecord(tuple(AskedDay(TODAY - ago * DAY, asked) for ago, asked in days))


def told(asking: AskingRecord, *arguments: str, asked: tuple[str, ...] = (PLAIN, CONTENT)) -> str:
    documents = MemoryDocuments()
    for check_id in asked:
        documents.write(PREFIX + check_id, state_to_json(CheckState(asking=asking)), version=None)
    parser = argparse.ArgumentParser()
    add(parser.add_subparsers())
    said: list[str] = []
    cost(parser.parse_args(["checks", "cost", *arguments]), documents, CONFIGURATION, NOW, said.append)
    return "\n".join(said)


def line(shown: str, name: str) -> list[str]:
    return next(one for one in shown.splitlines() if one.startswith(name)).split()[1:]


def test_a_month_is_thirty_of_the_whole_days_that_are_kept() -> None:
    partial = Asked(queries=5, rows=5, seconds=900.0, timed=5)
    shown = told(record((4, partial), (3, USUAL), (2, USUAL), (1, USUAL), (0, partial)))
    assert line(shown, PLAIN) == ["3.0", "8640", "17280", "2160", "86.40", "0.00", "0.00"]
    assert line(shown, "all") == ["17280", "34560", "4320", "172.80", "0.00", "0.00"]
    assert "the engine works 144 s a day on it, 0.033 % of what 5 queries at once could take" in shown


def test_days_without_a_question_count_as_days() -> None:
    assert line(told(record((9, USUAL), (4, USUAL), (1, USUAL)), "--days", "30"), PLAIN)[:2] == [
        "4.0",
        "4320",
    ]


def test_only_the_days_asked_about_count() -> None:
    busy = replace(USUAL, queries=9999)
    assert line(told(record((20, USUAL), (9, busy), (1, USUAL))), PLAIN)[:2] == ["1.0", "8640"]


def test_the_first_day_is_estimated_from_what_has_gone_of_it() -> None:
    assert line(told(record((0, replace(USUAL, queries=72)))), PLAIN)[:2] == ["0.2", "8640"]


def test_what_only_some_answers_tell_stands_for_all() -> None:
    some = Asked(queries=288, rows=0, seconds=18.0, timed=72, bytes_read=720_000_000, measured=72)
    assert line(told(record((2, some), (1, some))), PLAIN)[3:5] == ["2160", "86.40"]


def test_what_is_not_reported_is_not_zero() -> None:
    silent = Asked(queries=288, rows=576)
    shown = told(record((2, silent), (1, silent)))
    assert line(shown, PLAIN)[3:5] == line(shown, "all")[2:4] == ["-", "-"]
    assert "the engine works" not in shown


def test_nothing_known_is_no_estimate() -> None:
    assert told(AskingRecord()).splitlines()[-1] == "Nothing was asked yet, or nothing of it is kept."


def test_without_a_charged_table_there_is_no_bill_and_it_says_what_would_make_one() -> None:
    shown = told(record((2, USUAL), (1, USUAL)))
    assert "Queries on tables of the Analytics plan cost nothing, however much they read." in shown
    assert "--charged TABLE=GB_A_DAY" in shown


def test_a_charged_table_is_billed_for_all_its_data_at_each_question_that_names_it() -> None:
    shown = told(record((2, USUAL), (1, USUAL)), "--charged", "AppGenAIContent=2", "--price", "0.005")
    gigabytes = 8640 * 2 * (A_QUESTION / DAY)
    assert line(shown, CONTENT)[-2:] == [f"{gigabytes:.2f}", f"{gigabytes * 0.005:.2f}"]
    assert line(shown, PLAIN)[-2:] == ["0.00", "0.00"]
    assert line(shown, "all")[-2:] == line(shown, CONTENT)[-2:]
    assert "at 0.005 a GB, as given on 2026-11-24" in shown


def test_of_two_questions_only_the_one_that_reads_a_charged_table_is_billed() -> None:
    asking = record((2, USUAL), (1, USUAL))
    shown = told(asking, "--charged", "AppGenAIContent=2", "--price", "1", asked=(APART,))
    assert line(shown, APART)[-1] == f"{8640 / 2 * 2 * (A_QUESTION / DAY):.2f}"


def test_the_views_read_app_traces_in_every_question() -> None:
    shown = told(record((2, USUAL), (1, USUAL)), "--charged", "AppTraces=1", "--price", "1")
    assert line(shown, PLAIN)[-1] == line(shown, CONTENT)[-1] == f"{8640 * (A_QUESTION / DAY):.2f}"


def test_a_tick_s_questions_are_held_against_the_service_s_limit() -> None:
    shown = told(record((2, USUAL), (1, USUAL)))
    assert "one tick asks at most 8 questions, of the 200" in shown


@pytest.mark.parametrize(
    "arguments",
    [
        ["--charged", "AppRequests=1", "--price", "1"],
        ["--charged", "AppTraces", "--price", "1"],
        ["--charged", "AppTraces=much", "--price", "1"],
        ["--charged", "AppTraces=1"],
        ["--charged", "AppTraces=1", "--price", "0"],
        ["--charged", "AppTraces=inf", "--price", "1"],
        ["--price", "1"],
        ["--days", "36"],
    ],
)
def test_a_wrong_call_says_how_it_goes(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["checks", "cost", *arguments])
    assert stopped.value.code == 2
    assert "usage: tracekeeper checks cost" in capsys.readouterr().err


def test_without_the_setting_it_says_where_to_get_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("STORAGE_BLOB_ENDPOINT", raising=False)
    assert main(["checks", "cost"]) == 1
    assert (
        "STORAGE_BLOB_ENDPOINT is missing. Get it from the storage account's page" in capsys.readouterr().err
    )
