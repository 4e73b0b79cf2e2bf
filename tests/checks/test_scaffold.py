"""`tracekeeper checks new` begins a check that works, and overwrites nothing."""

from pathlib import Path

import pytest

from functions.cli import main
from functions.configuration import SHIPPED, load_configuration
from tests.checks.expectations import walk

ID = "failing_twice"
HOSTILE = "\"Say 'no'\" # twice: {a} $id \\ %s"


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with as much of a checkout as the command looks for; the current one."""
    (tmp_path / "config" / "checks").mkdir(parents=True)
    (tmp_path / "tests" / "checks").mkdir(parents=True)
    (tmp_path / "tests" / "checks" / "fixtures.schema.json").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*.yaml")}


@pytest.mark.parametrize(
    ("title", "shown"),
    [(None, "Failing twice"), ("It fails", "It fails"), (HOSTILE, HOSTILE), ("é" * 120, "é" * 120)],
)
def test_a_new_check_passes_its_own_fixtures(checkout: Path, title: str | None, shown: str) -> None:
    assert main(["checks", "new", ID, *(["--title", title] if title else [])]) == 0
    fixtures = checkout / "tests" / "checks" / ID
    written = {f"config/checks/{ID}.yaml", f"tests/checks/{ID}/fires.yaml", f"tests/checks/{ID}/quiet.yaml"}
    assert files(checkout) == written
    check = next(c for c in load_configuration(SHIPPED, checkout / "config").checks if c.id == ID)
    assert check.title == shown
    if title is None:  # the title has no part in what it finds
        assert walk(check, fixtures, checkout) == []


def test_it_says_what_comes_next(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["checks", "new", ID])
    said = capsys.readouterr().out
    assert "docs/write-a-check.md" in said
    assert f"tests/checks/test_fixtures.py -k {ID}" in said


@pytest.mark.parametrize(
    "there", [f"config/checks/{ID}.yaml", f"tests/checks/{ID}/fires.yaml", f"tests/checks/{ID}/quiet.yaml"]
)
def test_nothing_is_overwritten(checkout: Path, capsys: pytest.CaptureFixture[str], there: str) -> None:
    path = checkout / there
    path.parent.mkdir(exist_ok=True)
    path.write_text("mine")
    assert main(["checks", "new", ID]) == 1
    assert f"{there} exists" in capsys.readouterr().err
    assert files(checkout) == {there}
    assert path.read_text() == "mine"


@pytest.mark.parametrize(
    "arguments",
    [
        ["Failing"],
        ["failing-twice"],
        ["../up"],
        ["x"],
        ["2nd"],
        ["a" * 64],
        [""],
        [ID, "--title", "two\nlines"],
        [ID, "--title", "a" * 121],
        [ID, "--title", " "],
        [],
    ],
)
def test_a_wrong_call_writes_nothing(
    checkout: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["checks", "new", *arguments])
    assert stopped.value.code == 2
    assert "usage: tracekeeper checks new" in capsys.readouterr().err
    assert files(checkout) == set()


def test_elsewhere_it_says_where_to_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["checks", "new", ID]) == 1
    assert "no checkout of Tracekeeper" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_site_gets_the_check_without_fixtures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["checks", "new", ID, "--into", str(tmp_path)]) == 0
    assert files(tmp_path) == {f"checks/{ID}.yaml"}
    assert ID in [check.id for check in load_configuration(SHIPPED, tmp_path).checks]
    assert f"CONFIG_DIRECTORY={tmp_path} tracekeeper backtest {ID}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("check_id", "into", "said"),
    [("cost_spike", ".", "A check cost_spike ships"), (ID, "nowhere", "does not exist")],
)
def test_a_site_can_not_begin_a_shipped_check_or_a_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], check_id: str, into: str, said: str
) -> None:
    assert main(["checks", "new", check_id, "--into", str(tmp_path / into)]) == 1
    assert said in capsys.readouterr().err
    assert files(tmp_path) == set()
