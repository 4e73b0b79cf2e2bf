"""What the gate tells: which verdicts stop, exceptions on record, and no way to steer a pipeline."""

from datetime import UTC, date, datetime
from xml.etree import ElementTree as ET

import orjson
import pytest

from functions.release.gate_policy import GateException
from functions.release.gate_report import GateReport, as_azure, as_github, as_json, as_junit, as_lines
from functions.release.gate_verdicts import Result, Verdict, judge, unmatched

TODAY = date(2026, 11, 30)
FAILED = Verdict("retention", "", Result.FAIL, "Rows go early.", "Raise it.")
OPEN = Verdict("trace_attribute", "tenant", Result.NOT_EVALUABLE, "Nobody looked.", "Look.")
PASSED = Verdict("workspace", "", Result.PASS, "Approved.")


def exception(rule: str, subject: str = "", until: date = TODAY, reason: str = "CHG-1234") -> GateException:
    return GateException(rule, subject, reason, "dispatch", until)


def report(*verdicts: Verdict, exceptions: tuple[GateException, ...] = (), today: date = TODAY) -> GateReport:
    return GateReport(
        "production",
        "2.4.0",
        datetime(2026, 11, 30, 12, tzinfo=UTC),
        judge(verdicts, exceptions, today),
        unmatched(verdicts, exceptions),
    )


@pytest.mark.parametrize(("verdict", "is_open"), [(FAILED, False), (OPEN, False), (PASSED, True)])
def test_what_fails_or_can_t_be_told_stops_a_release(verdict: Verdict, is_open: bool) -> None:
    assert report(PASSED, verdict).open is is_open


def test_nothing_judged_is_no_pass() -> None:
    assert not report().open


@pytest.mark.parametrize(
    ("until", "is_open"), [(date(2026, 11, 29), False), (TODAY, True), (date(2026, 12, 1), True)]
)
def test_an_exception_holds_to_the_end_of_its_day(until: date, is_open: bool) -> None:
    assert report(FAILED, exceptions=(exception("retention", until=until),)).open is is_open


def test_of_two_exceptions_the_longer_counts() -> None:
    ended, holds = exception("retention", until=date(2026, 1, 1)), exception("retention")
    assert report(FAILED, exceptions=(ended, holds)).open
    assert report(FAILED, exceptions=(holds, ended)).open


@pytest.mark.parametrize(
    "other", [exception("workspace"), exception("trace_attribute"), exception("trace_attribute", "release")]
)
def test_an_exception_for_something_else_covers_nothing(other: GateException) -> None:
    assert not report(OPEN, PASSED, exceptions=(other,)).open


def test_an_exception_that_is_not_needed_or_fits_nothing_is_named() -> None:
    told = "\n".join(as_lines(report(PASSED, exceptions=(exception("workspace"), exception("sampling")))))
    assert "The exception is not needed: remove it." in told
    assert "The exception for sampling fits no verdict" in told


def test_json_has_every_verdict_and_the_exception_on_record() -> None:
    body = orjson.loads(as_json(report(FAILED, OPEN, exceptions=(exception("retention"),))))
    assert (body["gate"], body["environment"], body["release"]) == ("closed", "production", "2.4.0")
    excepted, stopping = body["rules"]
    assert (excepted["result"], excepted["stops"]) == ("fail", False)
    assert excepted["exception"] == {
        "rule": "retention",
        "subject": None,
        "reason": "CHG-1234",
        "owner": "dispatch",
        "until": "2026-11-30",
    }
    assert (stopping["result"], stopping["stops"], stopping["exception"]) == ("not evaluable", True, None)


def test_junit_tells_failures_errors_and_skips_apart() -> None:
    expired = exception("sampling", until=date(2026, 1, 1))
    worse = Verdict("sampling", "", Result.FAIL, "Not approved.", "Link it.")
    suite = ET.fromstring(
        as_junit(report(FAILED, OPEN, worse, PASSED, exceptions=(exception("retention"), expired)))
    )[0]
    counts = {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")}
    assert counts == {"tests": "4", "failures": "1", "errors": "1", "skipped": "1"}
    assert {case.get("name"): [below.tag for below in case] for case in suite} == {
        "retention": ["skipped"],
        "trace_attribute (tenant)": ["error"],
        "sampling": ["failure"],
        "workspace": [],
    }
    assert "ended on 2026-01-01" in str(suite.findall("testcase/failure")[0].get("message"))


HOSTILE = "50%: a,b;c]\n::error::x ##vso[task.setvariable variable=x]y <b>\x1b[2J"


def test_annotations_can_t_be_steered() -> None:
    shown = report(
        FAILED, OPEN, PASSED, exceptions=(exception("retention", reason=HOSTILE), exception("no\nsuch"))
    )
    github, azure = list(as_github(shown)), list(as_azure(shown))
    assert [line.split(" ")[0] for line in github] == ["::warning", "::error", "::warning"]
    assert github[1] == "::error title=gate trace_attribute (tenant)::Nobody looked. Look."
    assert azure[1] == "##vso[task.logissue type=error]gate trace_attribute (tenant): Nobody looked. Look."
    assert "50%25" in github[0]
    assert "50%AZP25" in azure[0]
    for line in (*github, *azure, *as_lines(shown)):
        assert "\n" not in line
        assert "\x1b" not in line
    assert all(line.count("##vso[") == 1 for line in azure)
    assert not any("##vso[" in line for line in as_lines(shown))
    ET.fromstring(as_junit(shown))
