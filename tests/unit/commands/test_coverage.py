"""`tracekeeper coverage` says what each check has seen, and its exit code whether that is all."""

import argparse
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from functions.alerts.circumstances import Circumstances
from functions.alerts.lifecycle import advance
from functions.alerts.state import PREFIX, CheckState, LastEvaluation, state_to_json
from functions.alerts.watchfulness import CHECK_BLIND, blind_check
from functions.checks.asking import Asked, AskedDay, AskingRecord
from functions.checks.coverage import Coverage, Interval
from functions.checks.interruptions import Failures, Interruption, Interruptions
from functions.checks.tally import CountedDay, Tally
from functions.cli import main
from functions.commands.coverage import add, coverage
from functions.configuration import SHIPPED, load_configuration
from functions.errors import ConfigurationError, StorageError
from tests.fakes.storage import MemoryDocuments
from tests.unit.alerts.building import CHECK, RULES, START, finding, judged

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
FIRST, SECOND = "first_check", "second_check"
HOSTILE = "\x1b[2J\u202eSourceThrottled"
CONFIGURATION = replace(
    load_configuration(SHIPPED), checks=(replace(CHECK, id=FIRST), replace(CHECK, id=SECOND))
)
GOOD = CheckState(
    watermark=NOW,
    last_evaluation=LastEvaluation(NOW, ok=True, windows=1, rows=1, unjudged=0, error=None),
    coverage=Coverage((Interval(NOW - 10 * HOUR, NOW, rows=40),)),
)


def failing(kind: str, times: int) -> CheckState:
    last = LastEvaluation(NOW, ok=False, windows=1, rows=0, unjudged=0, error=kind)
    return replace(GOOD, last_evaluation=last, consecutive_failures=times)


def blind() -> CheckState:
    moved = advance(
        {},
        (judged(0, replace(finding(0), check_id=CHECK_BLIND, key={"Check": CHECK.id})),),
        check=blind_check(CHECK),
        circumstances=Circumstances(RULES, START),
    )
    assert [(one.check_id, one.state) for one in moved.alerts.values()] == [(CHECK_BLIND, "open")]
    return replace(GOOD, alerts=moved.alerts)


def told(
    first: CheckState | None, *arguments: str, documents: MemoryDocuments | None = None
) -> tuple[int, str]:
    """Return the exit code and what is printed where the second check is well."""
    kept = documents or MemoryDocuments()
    kept.write(PREFIX + SECOND, state_to_json(GOOD), version=None)
    if first is not None:
        kept.write(PREFIX + FIRST, state_to_json(first), version=None)
    parser = argparse.ArgumentParser()
    add(parser.add_subparsers())
    said: list[str] = []
    code = coverage(parser.parse_args(["coverage", *arguments]), kept, CONFIGURATION, NOW, said.append)
    return code, "\n".join(said)


def test_where_all_was_seen_it_says_so_and_exits_0() -> None:
    code, shown = told(GOOD)
    assert code == 0
    assert "No gaps, and no check is blind or behind." in shown
    assert [line.split()[:2] for line in shown.splitlines()[3:5]] == [[FIRST, "100"], [SECOND, "100"]]


@pytest.mark.parametrize(
    ("state", "fault"),
    [
        (None, "It was never evaluated."),
        (failing("SourceBlind", 1), "It is blind: what it needs can't be seen."),
        (failing("SourceThrottled", 3), "Its last 3 evaluations failed: SourceThrottled."),
        (blind(), "It could judge hardly any window of its last whole day."),
        (
            replace(GOOD, watermark=NOW - 3 * HOUR),
            "It is behind: judged until 2026-11-24 09:00.",
        ),
        (
            replace(
                GOOD,
                coverage=Coverage(
                    (Interval(NOW - 10 * HOUR, NOW - 8 * HOUR, 1), Interval(NOW - 7 * HOUR, NOW, 1))
                ),
            ),
            "Not evaluated: 1h 00m in 1 gap, the first from 2026-11-24 04:00.",
        ),
    ],
    ids=["never", "may not look", "failing", "blind for a day", "behind", "gap"],
)
def test_what_can_not_be_relied_on_is_named_and_exits_1(state: CheckState | None, fault: str) -> None:
    code, shown = told(state)
    assert code == 1
    assert f"{FIRST}: {fault}" in shown.splitlines()
    assert f"{SECOND}: " not in shown
    assert "No gaps" not in shown


def test_a_few_failures_that_will_be_made_up_for_are_no_fault() -> None:
    assert told(failing("SourceThrottled", 2))[0] == 0


def test_the_share_is_that_of_the_days_asked_about() -> None:
    gap = Coverage((Interval(NOW - 50 * HOUR, NOW - 30 * HOUR, 1), Interval(NOW - 20 * HOUR, NOW, 1)))
    state = replace(GOOD, coverage=gap)
    assert f"{FIRST:26}   80.00 %     1" in told(state)[1]
    assert f"{FIRST:26}   83.33 %     1" in told(state, "--days", "1")[1]


def test_nearly_all_is_not_all() -> None:
    minute = timedelta(minutes=1)
    gap = Coverage((Interval(NOW - 800 * HOUR, NOW - HOUR, 1), Interval(NOW - HOUR + minute, NOW, 1)))
    assert f"{FIRST:26}   99.99 %     1" in told(replace(GOOD, coverage=gap), "--days", "35")[1]


DAY = date(2026, 11, 24)
RICH = replace(
    GOOD,
    interruptions=Interruptions(
        (Failures("SourceThrottled", NOW - 5 * HOUR, NOW - 4 * HOUR, 61),),
        (
            Interruption(NOW - 800 * HOUR, NOW - 790 * HOUR, "forgotten"),
            Interruption(NOW - 5 * HOUR, NOW - 4 * HOUR, HOSTILE),
            Interruption(NOW - 3 * HOUR, NOW - 2.5 * HOUR, "not running"),
        ),
    ),
    tally=Tally(
        (
            CountedDay(DAY - timedelta(days=20), windows=9, late_rows=1000),
            CountedDay(
                DAY, windows=30, blind_windows=4, unjudged=6, late_rows=17, late_findings=2, withdrawn=1
            ),
        )
    ),
    asking=AskingRecord(
        (
            AskedDay(DAY - timedelta(days=20), Asked(queries=1000)),
            AskedDay(DAY, Asked(120, 40, 30.06, 118, 2_500_000_000, 118)),
        )
    ),
)


def test_the_table_counts_the_days_asked_about() -> None:
    row = next(line for line in told(RICH)[1].splitlines() if line.startswith(FIRST))
    assert row.split()[1:] == ["100", "%", "0", "1h", "30m", "17", "2", "4", "6", "120", "30.1"]


def test_of_one_check_all_is_told() -> None:
    code, shown = told(RICH, FIRST)
    assert code == 0
    assert SECOND not in shown
    for line in (
        "Spoken of: 2026-11-24 02:00 to 2026-11-24 12:00 UTC",
        "Gaps: not evaluated at all: none",
        "Interruptions: evaluated late, and why: 2",
        "  2026-11-24 09:00 to 2026-11-24 09:30  not running",
        "  2026-11-24 07:00 to 2026-11-24 08:00  SourceThrottled, 61 times",
        "Windows with rows: 30, 4 of them without one that could be judged; rows not judged: 6",
        "Rows that came late: 17; findings made by them: 2; traces that they cleared: 1",
    ):
        assert line in shown.splitlines()
    asked = "Questions: 120, 40 rows in answers, 30.1 s of the engine (118 answers say so)"
    assert f"{asked}, 2.500 GB read (118 say so)" in shown.splitlines()


def test_nothing_foreign_steers_the_terminal() -> None:
    shown = told(RICH, FIRST)[1] + told(failing(HOSTILE, 3))[1]
    assert r"\x1b[2J\u202eSourceThrottled" in shown
    assert shown.replace("\n", "").isprintable()


def test_what_is_not_reported_is_not_zero() -> None:
    untimed = replace(GOOD, asking=AskingRecord((AskedDay(DAY, Asked(queries=7, rows=3)),)))
    shown = told(untimed, FIRST)[1]
    assert "Questions: 7, 3 rows in answers" in shown.splitlines()
    assert next(line for line in shown.splitlines() if line.startswith(FIRST)).split()[-2:] == ["7", "-"]


def test_a_document_that_can_not_be_read_is_named_and_the_others_are_shown() -> None:
    documents = MemoryDocuments()
    documents.write(PREFIX + FIRST, {"format": 99}, version=None)
    code, shown = told(None, documents=documents)
    assert code == 1
    assert f"{FIRST}: The document checks/{FIRST} was written by a newer version" in shown
    assert f"{SECOND:26}     100 %" in shown


class Unreachable(MemoryDocuments):
    """Storage that refuses whoever asks."""

    def names(self, prefix: str) -> Iterator[str]:
        raise StorageError(f"Storage answered 403 on {prefix}.", next_step="Give the app a role.")


def test_storage_that_refuses_says_which_role_a_person_needs() -> None:
    with pytest.raises(StorageError, match=r"az login.*Storage Blob Data Reader"):
        told(GOOD, documents=Unreachable())


def test_a_check_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(ConfigurationError, match=f"no check 'third'. Known: {FIRST}, {SECOND}"):
        told(GOOD, "third")


@pytest.mark.parametrize("days", ["0", "36", "-1", "1.5", "many"])
def test_days_that_are_not_kept_are_a_wrong_call(days: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["coverage", "--days", days])
    assert stopped.value.code == 2
    assert "must be 1 to 35" in capsys.readouterr().err


def test_without_the_setting_it_says_where_to_get_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("STORAGE_BLOB_ENDPOINT", raising=False)
    assert main(["coverage"]) == 1
    assert (
        "STORAGE_BLOB_ENDPOINT is missing. Get it from the storage account's page" in capsys.readouterr().err
    )
