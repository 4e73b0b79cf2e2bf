"""The docs name every command that there is, and none that there isn't."""

import re
from pathlib import Path

import pytest

from functions.cli import main

ROOT = Path(__file__).parents[3]
PAGES = {path.name: path.read_text("utf-8") for path in (ROOT / "README.md", *(ROOT / "docs").glob("*.md"))}
_LISTED = re.compile(r"^    ([a-z-]+)(?: |$)", re.MULTILINE)


def listed(capsys: pytest.CaptureFixture[str], *words: str) -> list[str]:
    """Return the commands that `--help` behind these words lists."""
    with pytest.raises(SystemExit) as stopped:
        main([*words, "--help"])
    assert stopped.value.code == 0
    shown = capsys.readouterr().out
    assert f"usage: {' '.join(['tracekeeper', *words])}" in shown
    return _LISTED.findall(shown) if "COMMAND" in shown else []


def every_command(capsys: pytest.CaptureFixture[str]) -> set[str]:
    """Return all commands, those below others with both words."""
    found = set()
    for word in listed(capsys):
        below = listed(capsys, word)
        found |= {f"{word} {each}" for each in below} or {word}
    return found


def test_every_command_is_in_the_docs(capsys: pytest.CaptureFixture[str]) -> None:
    commands = every_command(capsys)
    assert {"verify", "backtest", "coverage", "checks new", "checks cost"} <= commands
    assert {
        one for one in commands if not any(f"tracekeeper {one}" in page for page in PAGES.values())
    } == set()


@pytest.mark.parametrize("page", PAGES)
def test_a_page_names_no_command_that_is_not_there(page: str, capsys: pytest.CaptureFixture[str]) -> None:
    commands = every_command(capsys)
    groups = {one.split()[0] for one in commands if " " in one}
    words = re.findall(r"\btracekeeper ([a-z-]+)(?: ([a-z]+)\b)?", PAGES[page])
    named = {f"{first} {second}".strip() if first in groups else first for first, second in words}
    assert named - commands - groups == set()
