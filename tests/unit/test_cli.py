import subprocess
import sys
from pathlib import Path

import pytest

from functions.cli import main
from tests.unit.evidence.material import bundle, gathered, protection, row, selection


def saved(data: bytes, folder: Path) -> str:
    path = folder / "bundle-metadata.zip"
    path.write_bytes(data)
    return str(path)


def test_a_sound_bundle_exits_0_and_says_what_it_holds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", saved(bundle(), tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert "VERIFIED" in shown
    assert "4 rows in 1 traces: 2 spans, 2 events" in shown
    assert "complete:" in shown
    assert "only a signature reveals forgery" in shown


def test_an_incomplete_bundle_is_verified_and_called_incomplete(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from functions.evidence.assembly import build_bundle

    short = build_bundle(selection(), gathered(row(), more_at_source=1), protection())
    assert main(["verify", saved(short, tmp_path)]) == 0
    assert "incomplete: data/completeness.json names what is missing" in capsys.readouterr().out


def test_a_damaged_bundle_exits_1_and_says_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", saved(bundle()[:-30], tmp_path)]) == 1
    shown = capsys.readouterr().out
    assert shown.startswith("REFUSED")
    assert "  - " in shown


@pytest.mark.parametrize("arguments", [[], ["verify"], ["sign", "x"], ["verify", "a", "b"]])
def test_a_wrong_call_exits_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert "usage: tracekeeper" in capsys.readouterr().err


def test_help_says_what_is_checked_and_what_the_exit_code_means(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["verify", "--help"])
    shown = " ".join(capsys.readouterr().out.split())
    assert "every SHA-256 is equal" in shown
    assert "Exit code 0: verified; 1: refused" in shown


def test_it_runs_as_a_module(tmp_path: Path) -> None:
    call = [sys.executable, "-m", "functions.cli", "verify", saved(bundle(), tmp_path)]
    done = subprocess.run(call, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("VERIFIED")
