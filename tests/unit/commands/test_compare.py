"""What `tracekeeper compare` writes and answers, on made-up traces over the local engine."""

import argparse
import json
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from functions.cli import main
from functions.commands import compare
from functions.configuration import SHIPPED, load_configuration
from functions.errors import ConfigurationError, NotFound, SourceRefused
from functions.traces.source import TraceSource
from tests.checks.bench import BEGINS, EngineSource
from tests.fakes.source import ScriptedSource
from tests.unit.evidence.judged import played

CONFIGURATION = load_configuration(SHIPPED)
NOW = BEGINS + timedelta(hours=12)
RELEASES = ("--old", "1.0", "--new", "1.1")


def body(release: str, tool: str) -> dict[str, Any]:
    spans = [{"tool": tool}, {"chat": "gpt-4o", "tokens": [100, 10]}]
    return {"agent": "dispatcher", "release": release, "spans": spans, "repeat": 40}


@cache
def source() -> EngineSource:
    return EngineSource(
        played(
            body("1.0", "get_shipment_status"),
            body("1.1", "delete_customer"),
            body("1.2", "delete_customer"),
            body("1.3", "search_knowledge_base"),
            body("1.3", "delete_customer"),
        )
    )


def ran(*arguments: str, asked: TraceSource | None = None) -> tuple[int, str]:
    parser = argparse.ArgumentParser()
    compare.add(parser.add_subparsers())
    options = parser.parse_args(["compare", *arguments])
    lines: list[str] = []
    code = compare.report_comparison(options, CONFIGURATION, asked or source(), NOW, lines.append)
    return code, "\n".join(lines)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (RELEASES, 0),
        ((*RELEASES, "--fail-on", "regressions"), 1),
        ((*RELEASES, "--fail-on", "differences"), 1),
        (("--old", "1.1", "--new", "1.2", "--fail-on", "regressions"), 0),
        (("--old", "1.1", "--new", "1.2", "--fail-on", "differences"), 0),
        # A tool that is approved is no regression.
        (("--old", "1.1", "--new", "1.3", "--fail-on", "regressions"), 0),
        (("--old", "1.1", "--new", "1.3", "--fail-on", "differences"), 1),
    ],
)
def test_the_exit_code_is_what_the_caller_asked_to_fail_on(arguments: tuple[str, ...], code: int) -> None:
    assert ran(*arguments)[0] == code


def test_each_format_is_printed_or_written(tmp_path: Path) -> None:
    assert ran(*RELEASES)[1].startswith("# Release 1.1 compared with 1.0")
    assert json.loads(ran(*RELEASES, "--format", "json")[1])["worse"] >= 1
    file = tmp_path / "comparison.html"
    said = ran(*RELEASES, "--format", "html", "--out", str(file))[1]
    assert file.read_text("utf-8").startswith("<!doctype html>")
    assert str(file) in said
    assert "for the worse" in said
    with pytest.raises(ConfigurationError, match="can't be written"):
        ran(*RELEASES, "--out", str(tmp_path / "none" / "file"))


@pytest.mark.parametrize(
    "arguments",
    [
        ("--old", "1.0", "--new", "9.9"),
        ("--old", "9.9", "--new", "1.0"),
        (*RELEASES, "--agent", "nobody"),
        (*RELEASES, "--since", "1h"),
    ],
)
def test_a_release_without_a_run_is_not_compared_with_nothing(arguments: tuple[str, ...]) -> None:
    with pytest.raises(NotFound, match="No run of the release of --"):
        ran(*arguments)


def test_no_answer_is_told_with_what_to_do_about_it() -> None:
    refused = ScriptedSource([SourceRefused("no", next_step="none")])
    with pytest.raises(SourceRefused, match=r"az login.*Log Analytics Data Reader"):
        ran(*RELEASES, asked=refused)


@pytest.mark.parametrize(
    "wrong",
    [
        ("--old", "1.0"),
        ("--old", "1.0", "--new", "1.0"),
        (*RELEASES, "--since", "soon"),
        (*RELEASES, "--format", "pdf"),
        (*RELEASES, "--fail-on", "rain"),
    ],
)
def test_a_wrong_call_is_told(wrong: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["compare", *wrong])
    assert stopped.value.code == 2


@pytest.mark.parametrize("since", ["91d", "2026-11-25", "2025-01-01"])
def test_a_time_that_can_not_be_asked_about_is_a_wrong_call(since: str) -> None:
    with pytest.raises(SystemExit) as stopped:
        ran(*RELEASES, "--since", since)
    assert stopped.value.code == 2
