"""What `tracekeeper cost` says, on hand-made telemetry."""

import argparse
import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from functions.cli import main
from functions.commands import cost
from functions.errors import InvalidRequest, ResultTooLarge, SettingsError, SourceError, SourceRefused
from functions.settings import read_pseudonym_key
from functions.traces.source import Rows
from local.azure_monitor.ingestion import Telemetry
from tests.checks.bench import EngineSource
from tests.fakes.source import ScriptedSource
from tests.unit.costs.test_waste import CHAT, DOWN, NOON, UP, costs_of, ingest, run_of


def options(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    cost.add(parser.add_subparsers())
    return parser.parse_args(["cost", *arguments])


def said(telemetry: Telemetry, *arguments: str) -> list[str]:
    lines: list[str] = []
    now = datetime(2026, 11, 21, 9, tzinfo=UTC)
    cost.report_cost(options(*arguments), costs_of(EngineSource(telemetry)), now, lines.append)
    return lines


def test_it_says_costs_waste_and_gigabytes_and_no_name_steers_the_terminal(tmp_path: Path) -> None:
    telemetry = Telemetry()
    ingest(telemetry, 1, run_of("tri\x1b[2Jage", CHAT, DOWN, CHAT, UP))
    ingest(telemetry, 2, run_of("other day", CHAT), at=NOON - timedelta(days=1))
    lines = said(telemetry, "--days", "1", "--waste", "--csv", str(tmp_path / "costs.csv"))
    text = "\n".join(lines)
    assert "\x1b" not in text
    assert lines[0] == "2026-11-20 00:00 to 2026-11-21 00:00 UTC, in USD"
    assert r"        0.0220        0.0000          2          1  tri\x1b[2Jage" in lines
    assert "        0.0220        0.0000          2          1  TOTAL" in lines
    assert "        0.0110  retries, once" in lines
    assert f"        0.0110    tri\\x1b[2Jage  lookup  once  {1:032x}" in lines
    assert "Telemetry, billed gigabytes:" in lines
    assert (tmp_path / "costs.csv").read_bytes().startswith(b"agent,calls,")


@pytest.mark.parametrize(
    ("error", "advice"),
    [(SourceRefused, "az login.*Log Analytics Data Reader"), (ResultTooLarge, "fewer days")],
)
@pytest.mark.parametrize("answered", [0, 1])
def test_no_answer_is_told_with_what_to_do_about_it(
    error: type[SourceError], advice: str, answered: int
) -> None:
    answers = [Rows((), ())] * answered + [error("no", next_step="none")]
    now = datetime(2026, 11, 21, 9, tzinfo=UTC)
    with pytest.raises(error, match=advice):
        cost.report_cost(options("--waste"), costs_of(ScriptedSource(answers)), now, lambda _: None)


def test_a_breakdown_that_nobody_declared_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="must be one of: agent, group"):
        said(Telemetry(), "--by", "carrier")


def test_tenants_are_shown_under_a_key_only() -> None:
    key = base64.b64encode(bytes(32)).decode()
    assert read_pseudonym_key({"PSEUDONYM_KEY": key, "PSEUDONYM_KEY_ID": "keyA"}) == (bytes(32), "keyA")
    with pytest.raises(SettingsError, match=r"PSEUDONYM_KEY.*openssl rand"):
        read_pseudonym_key({"PSEUDONYM_KEY_ID": "keyA"})


@pytest.mark.parametrize("wrong", [["--days", "0"], ["--days", "32"], ["--start", "2026-11-01"]])
def test_a_wrong_call_is_told(wrong: list[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["cost", *wrong])
    assert exit_.value.code == 2
