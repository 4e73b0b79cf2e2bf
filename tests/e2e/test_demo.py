"""The two stories a newcomer is told: agents that misbehave are found, agents that behave are left alone."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[2]
CHECKS = {"stale_tool_data", "skipped_lookup", "cost_spike"}


def told(out: Path, *arguments: str) -> tuple[dict[str, Any], str]:
    """Run the demonstration; return its summary and what it printed."""
    story = subprocess.run(
        [sys.executable, "-m", "local.demo", "--out", str(out), *arguments],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert story.returncode == 0, story.stdout[-2000:] + story.stderr[-2000:]
    summary: dict[str, Any] = json.loads((out / "summary.json").read_text())
    return summary, story.stdout


def test_what_was_planted_is_found_told_and_exported(tmp_path: Path) -> None:
    summary, story = told(tmp_path / "demo")
    assert summary["planted"].keys() == CHECKS
    for check in CHECKS:
        assert summary["planted"][check], check
        assert sorted(summary["findings"][check]) == sorted(summary["planted"][check])
    assert summary["alerts_opened"] >= len(CHECKS)
    assert summary["cards_accepted"] >= summary["alerts_opened"]
    assert summary["export"]["verified"]
    assert summary["export"]["spans"] > summary["traces"]
    assert Path(summary["export"]["bundle"]).is_file()
    assert summary["seconds"] < 180
    assert "150 of 150 runs" in story
    assert "VERIFIED" in story
    assert "signed with your key" in story
    assert "It is complete: the workspace counted the same rows, slice by slice." in " ".join(story.split())


def test_agents_that_behave_cause_no_finding_and_no_card(tmp_path: Path) -> None:
    summary, _ = told(tmp_path / "demo", "--healthy")
    assert summary["traces"] == 150
    assert not any(summary["planted"].values())
    assert not any(summary["findings"].values())
    assert (summary["alerts_opened"], summary["cards_accepted"]) == (0, 0)
    assert summary["export"]["verified"]
