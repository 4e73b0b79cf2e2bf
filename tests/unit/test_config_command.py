"""What `tracekeeper config` says, and what it puts into storage."""

from datetime import date
from pathlib import Path

import pytest

from functions.cli import main
from functions.clients import named_by
from functions.commands import config
from functions.configuration import SHIPPED
from functions.errors import ConfigurationError, DocumentConflict
from functions.overlay.store import CURRENT
from local.identity import Tokens
from tests.unit import site_of_mistakes
from tests.unit.overlay.world import NOON, World, alerts


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "alerts.yaml").write_text(alerts(7), "utf-8")
    return tmp_path


def push(world: World, folder: Path) -> list[str]:
    said: list[str] = []
    layer = config.checked(folder, environment=None)
    config.push(world.store, layer, by="ada", reason="calm", at=NOON, say=said.append)
    return said


def test_twenty_mistakes_are_twenty_lines_and_exit_code_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site_of_mistakes.write_site(tmp_path / "site")
    assert main(["config", "check", str(tmp_path / "site")]) == 1
    told = capsys.readouterr().out.splitlines()
    assert len(told) == 20
    for mistake in site_of_mistakes.MISTAKES:
        begins = site_of_mistakes.expected(tmp_path / "site", mistake)
        assert [line for line in told if line.startswith(begins) and mistake.fix in line]


def test_a_right_folder_exits_0_and_says_what_it_replaces(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["config", "check", str(folder)]) == 0
    assert "alerts.yaml: replaces the shipped file" in capsys.readouterr().out


def test_an_overdue_review_is_a_warning_and_no_mistake(tmp_path: Path) -> None:
    text = (SHIPPED / "agents.yaml").read_text("utf-8")
    entry = "agents:\n  courier:\n    owner: desk\n    review_by: 2026-11-20\n"
    (tmp_path / "agents.yaml").write_text(text.replace("\nagents:\n", f"\n{entry}", 1), "utf-8")
    said: list[str] = []
    assert config.check(tmp_path, date(2026, 11, 20), said.append) == 0
    assert said.pop().startswith("No mistakes.")
    assert said == ["agents.yaml: replaces the shipped file"]
    assert config.check(tmp_path, date(2026, 11, 22), said.append) == 0
    (warning,) = said[2:-1]
    assert warning.startswith(
        "Warning: the review of agent courier in agents.yaml is overdue since 2026-11-20 (2"
    )
    assert warning.endswith("desk looks at its entry and moves review_by.")


def test_a_push_is_what_the_app_takes(folder: Path) -> None:
    world = World()
    said = push(world, folder)
    built = world.start().look()
    assert built[0].alerts.resolve_after_quiet == 7
    assert str(built[1].history[-1].overlay) in said[0]
    current = world.store.current()
    assert current is not None
    assert (current.pushed_by, current.reason) == ("ada", "calm")


def test_pushing_the_same_again_changes_nothing_and_an_earlier_one_comes_back(folder: Path) -> None:
    world = World()
    push(world, folder)
    assert "already" in push(world, folder)[0]
    for number in (8, 7):
        (folder / "alerts.yaml").write_text(alerts(number), "utf-8")
        push(world, folder)
    assert world.start().look()[0].alerts.resolve_after_quiet == 7


def test_mistakes_and_an_empty_folder_are_not_pushed(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="holds no config file"):
        push(World(), tmp_path)
    (tmp_path / "alerts.yaml").write_text(alerts("none"), "utf-8")
    world = World()
    with pytest.raises(ConfigurationError, match="line 3"):
        push(world, tmp_path)
    assert world.store.current() is None


def test_of_two_who_push_at_once_one_is_told() -> None:
    world = World()
    world.push(alerts=alerts(7))
    seen = world.store.current()
    world.push(alerts=alerts(8))
    held = world.pushes.read(CURRENT)
    with pytest.raises(DocumentConflict):
        world.store.push({}, replacing=seen, by="bob", at=NOON, reason="")
    assert world.pushes.read(CURRENT) == held


def test_a_difference_names_file_key_and_both_values_and_checks_that_come(folder: Path) -> None:
    world, said = World(), list[str]()
    world.push(alerts=alerts(5))
    (folder / "checks").mkdir()
    check = (SHIPPED / "checks" / "slow_run.yaml").read_text("utf-8")
    (folder / "checks" / "own.yaml").write_text(check.replace("id: slow_run", "id: own"), "utf-8")
    config.diff(world.store, config.checked(folder, environment=None), said.append)
    assert said[:2] == ["~ alerts.yaml: resolve_after_quiet: 5 -> 7", "+ checks/own.yaml"]
    assert len(said) == 3


def test_a_person_is_named_by_their_token() -> None:
    client = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
    token, _ = Tokens("ab1f708d-50f6-404c-a006-d71b2ac7a606", client).issue("https://storage.azure.com")
    assert len(named_by(token)) == 36
    assert named_by("opaque") == "unknown"
