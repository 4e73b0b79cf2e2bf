import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from functions.checks.backtest import Point
from functions.checks.finding import Window
from functions.cli import main
from functions.commands.backtest import with_options
from functions.commands.labels import read_labels
from functions.errors import ConfigurationError
from functions.text_plot import WIDTH, plot, safe
from local.azure_monitor.faults import Kind, Lasting
from local.serving import make_certificates
from tests.checks.telemetry import Trace
from tests.fakes.workspace import GUID, Workspace
from tests.unit.checks.building import SPIKE, check

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["verify"],
        ["sign", "x"],
        ["verify", "a", "b"],
        ["backtest"],
        ["backtest", "x", "--days", "0"],
        ["backtest", "x", "--days", "91"],
        ["backtest", "x", "--days", "many"],
        ["backtest", "x", "--set", "threshold"],
        ["backtest", "x", "--label", "storm"],
        ["backtest", "x", "--labels", "labels.jsonl"],
        ["checks"],
    ],
)
def test_a_wrong_call_exits_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert "usage: tracekeeper" in capsys.readouterr().err


VERIFYING = """
import sys
from functions.cli import main
assert main(["verify", "nowhere"]) == 1
print(sorted(sys.modules), file=sys.stderr)
"""


def test_verifying_needs_none_of_azures_packages_and_no_configuration() -> None:
    done = subprocess.run(
        [sys.executable, "-c", VERIFYING], capture_output=True, text=True, check=True, cwd=ROOT
    )
    loaded = ast.literal_eval(done.stderr)
    assert "functions.evidence.verification.verification" in loaded
    assert not {"azure", "jsonschema", "yaml", "requests"} & {name.partition(".")[0] for name in loaded}
    assert not {"functions.configuration", "functions.commands.checks"} & set(loaded)


def test_the_help_lists_each_command_and_each_can_be_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    listed = re.findall(r"^    ([a-z-]+)  ", capsys.readouterr().out, re.MULTILINE)
    modules = {path.stem for path in (ROOT / "functions/commands").glob("*.py")}
    assert len(listed) > 10
    assert {name.replace("-", "_") for name in listed} <= modules
    for name in listed:
        with pytest.raises(SystemExit) as stopped:
            main([name, "--help"])
        assert stopped.value.code == 0
        assert f"usage: tracekeeper {name}" in capsys.readouterr().out


# backtest

HOSTILE = "search\x1b[2J\u202e"
CALLS = """
id: calls
title: A tool is called too often
severity: low
owner: platform
every: 1h
settle: 5m
key: [Agent, Tool]
needs: [spans]
unit: calls
query: |
  spans
  | where Operation == "execute_tool"
  | summarize Value = toreal(count()), Violations = count(), TraceIds = make_set(TraceId, 1000)
      by Window, Agent, Tool
condition: {above: {threshold: 2}}
false_positives: None.
triage: Look.
"""


class Burst(Workspace):
    """Four calls of a tool in one trace and one in each of two others."""

    def __init__(self) -> None:
        super().__init__()
        self.settings: dict[str, str] = {}
        self.burst = (datetime.now(UTC) - timedelta(hours=12)).replace(minute=0, second=0, microsecond=0)
        for number, (hours_later, calls) in enumerate([(-8, 1), (0, 4), (9, 1)], start=1):
            trace = Trace(number, self.burst + timedelta(hours=hours_later, minutes=1))
            agent = trace.agent("dispatcher")
            for _ in range(calls):
                trace.tool(HOSTILE, agent)
            self.telemetry.ingest(trace.envelopes, delay=timedelta(seconds=1))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Burst]:
    workspace, site = Burst(), tmp_path_factory.mktemp("site")
    (site / "checks").mkdir()
    (site / "checks/calls.yaml").write_text(CALLS)
    with workspace.served(make_certificates(tmp_path_factory.mktemp("tls"))) as settings:
        workspace.settings = settings | {"CONFIG_DIRECTORY": str(site)}
        yield workspace


@pytest.fixture
def workspace(served: Burst, monkeypatch: pytest.MonkeyPatch) -> Burst:
    for name, value in served.settings.items():
        monkeypatch.setenv(name, value)
    served.asked.clear()
    return served


def test_a_backtest_asks_once_and_says_when_it_would_have_fired(
    workspace: Burst, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "labels.jsonl"
    labels = [{"trace_id": f"{n:032x}", "storm": n in {2, 3}} for n in (1, 2, 3)]
    file.write_bytes(b"\n".join(map(orjson.dumps, labels)))
    assert main(["backtest", "calls", "--days", "1", "--labels", str(file), "--label", "storm"]) == 0
    shown = capsys.readouterr().out
    assert workspace.asked == [f"/v1/workspaces/{GUID}/query"]
    assert "24 windows of 60m; above threshold 2" in shown
    assert "3 values measured, 0 of them not judged" in shown
    assert "It would have fired once, 1 a day:" in shown
    start, end = workspace.burst, workspace.burst + timedelta(hours=1)
    assert f"  {start:%Y-%m-%d %H:%M}  {end:%Y-%m-%d %H:%M}     60m           4           2  Agent=" in shown
    assert "Against 3 labelled traces: precision 1.000, recall 0.500" in shown
    drawing = shown.partition("- the threshold")[2]
    assert (drawing.count("#"), drawing.count("|")) == (1, 10)


@pytest.mark.parametrize(("plan", "paths"), [("basic", ["search", "query"]), ("analytics", ["query"])])
def test_a_backtest_asks_content_on_the_basic_plan_alone(
    workspace: Burst, monkeypatch: pytest.MonkeyPatch, plan: str, paths: list[str]
) -> None:
    monkeypatch.setenv("CONTENT_PLAN", plan)
    workspace.faults.lasting = Lasting(content_basic=True)
    try:
        code = main(["backtest", "duplicate_retrieval", "--days", "1"])
    finally:
        workspace.faults.lasting = Lasting()
    assert code == (0 if plan == "basic" else 1)
    assert workspace.asked == [f"/v1/workspaces/{GUID}/{path}" for path in paths]


def test_nothing_of_a_trace_reaches_the_terminal_unescaped(
    workspace: Burst, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["backtest", "calls", "--days", "1"]) == 0
    shown = capsys.readouterr().out
    assert r"Tool=search\x1b[2J\u202e" in shown
    assert shown.replace("\n", "").isprintable()


def test_another_threshold_is_tried(workspace: Burst, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["backtest", "calls", "--days", "1", "--set", "threshold=4"]) == 0
    shown = capsys.readouterr().out
    assert "above threshold 4" in shown
    assert "It would not have fired." in shown


@pytest.mark.parametrize(
    ("arguments", "changes", "said"),
    [
        (["nothing"], {}, "There is no check 'nothing'. Known: "),
        (["calls", "--set", "factor=3"], {}, "no option 'factor'. Known: threshold."),
        (["calls"], {"LOGS_WORKSPACE_ID": ""}, "exactly one of the two must be set"),
    ],
)
def test_what_can_not_be_judged_exits_1_and_says_why(
    workspace: Burst,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    arguments: list[str],
    changes: dict[str, str],
    said: str,
) -> None:
    for name, value in changes.items():
        monkeypatch.setenv(name, value)
    assert main(["backtest", *arguments]) == 1
    shown = capsys.readouterr()
    assert said in shown.err
    assert (shown.out, workspace.asked) == ("", [])


@pytest.mark.parametrize(
    ("fault", "advice"),
    [("partial", "with fewer days"), ("timeout", "with fewer days"), ("refused", "az login")],
)
def test_no_answer_is_not_reported_as_quiet(
    workspace: Burst, capsys: pytest.CaptureFixture[str], fault: Kind, advice: str
) -> None:
    workspace.faults.add(fault)
    assert main(["backtest", "calls"]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert advice in shown.err


@pytest.mark.parametrize(
    ("condition", "changes", "said"),
    [
        ({"above": {"threshold": 1}}, {"threshold": "high"}, "--set threshold"),
        ({"above": {"threshold": 1}}, {"threshold": True}, "--set threshold"),
        ({"any": {}}, {"threshold": 1}, "Known: none"),
        ({"spike": SPIKE}, {"factor": 1}, "above 1"),
        ({"spike": SPIKE}, {"history": 1.5}, "--set history"),
        ({"absence": {"after": "30m"}}, {"after": 30}, "for example 30m"),
        ({"absence": {"after": "30m"}}, {"after": "soon"}, "for example 30m"),
    ],
)
def test_an_option_that_the_schema_refuses_is_refused(
    condition: dict[str, Any], changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigurationError) as refused:
        with_options(check(condition), changes)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("condition", "changes", "same_as"),
    [
        ({"above": {"threshold": 1}}, {"threshold": 2.5}, {"above": {"threshold": 2.5}}),
        ({"spike": SPIKE}, {"factor": 9}, {"spike": SPIKE | {"factor": 9}}),
        ({"absence": {"after": "30m"}}, {"after": "2h"}, {"absence": {"after": "2h"}}),
        ({"any": {}}, {}, {"any": {}}),
    ],
)
def test_an_option_counts_as_if_the_file_had_it(
    condition: dict[str, Any], changes: dict[str, Any], same_as: dict[str, Any]
) -> None:
    assert with_options(check(condition), changes) == check(same_as)


@pytest.mark.parametrize(
    "line",
    [b"{", b"[]", b'{"trace_id": "t"}', b'{"storm": true}', b'{"trace_id": "t", "storm": 1}', b"", b"\xff"],
)
def test_a_line_that_is_no_label_is_named(tmp_path: Path, line: bytes) -> None:
    file = tmp_path / "labels.jsonl"
    file.write_bytes(b'{"trace_id": "t", "storm": true}\n' + line + b"\n")
    with pytest.raises(ConfigurationError, match="line 2"):
        read_labels(file, "storm")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain ünïcode 中", "plain ünïcode 中"),
        ("\x1b]0;x\x07", r"\x1b]0;x\x07"),
        ("\x9b31m", r"\x9b31m"),
        ("a\nb\r\tc", r"a\nb\r\tc"),
        ("a\u202eb\u200b\u2028", r"a\u202eb\u200b\u2028"),
        ("\x00\ud800", r"\x00\ud800"),
        (r"\x1b", r"\\x1b"),
        ("x" * 61, "x" * 60 + "..."),
    ],
)
def test_a_foreign_text_can_not_steer_the_terminal(text: str, shown: str) -> None:
    assert safe(text) == shown


@pytest.mark.parametrize(
    "values", [[0.0], [-5.0, 5.0], [1e300, 1e-300], [7.0] * 4032, [1 / 3, 123456789.123]]
)
def test_a_plot_is_no_wider_than_a_terminal(values: list[float]) -> None:
    start = datetime(2026, 11, 3, tzinfo=UTC)
    between = Window(start, start + len(values) * timedelta(minutes=5))
    points = [
        Point(start + n * timedelta(minutes=5), value, value / 2, found=value > 3)
        for n, value in enumerate(values)
    ]
    lines = plot(points, between)
    assert max(map(len, lines)) <= WIDTH
    assert any(mark in "".join(lines) for mark in "#o")
