"""Follows a page of the docs to the letter, as someone would who has nothing else."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_NAMED = re.compile(r"# (\S+\.yaml)\n")
_NO_PART_OF_IT = shutil.ignore_patterns(".git", ".venv", ".local", "node_modules", "__pycache__", ".*_cache")
_SCRIPTS = {
    "python": 'exec "{python}" "$@"\n',
    "tracekeeper": 'exec "{python}" -c "import sys; from functions.cli import main; sys.exit(main())" "$@"\n',
}
"""What an installation puts into .venv/bin, with the packages of the interpreter that runs the tests."""


@dataclass(frozen=True)
class Write:
    """A block that says which file it is."""

    path: str
    text: str


@dataclass(frozen=True)
class Run:
    """One line of a block of commands."""

    command: str


def steps(page: str) -> Iterator[Write | Run]:
    """Yield what a page tells its reader to do, in its order.

    Raises:
        AssertionError: A block is neither YAML nor commands, so that nobody would follow it here.
    """
    for language, text in _FENCE.findall(page):
        assert language in {"yaml", "sh"}, f"nothing follows a block of {language or 'nothing'}:\n{text}"
        named = _NAMED.match(text)
        if language == "sh":
            yield from map(Run, text.splitlines())
        elif named:
            yield Write(named[1], text[named.end() :])


def checkout(folder: Path) -> Path:
    """Copy the project as it stands to `folder`, with its commands installed; return the folder."""
    shutil.copytree(_ROOT, folder, ignore=_NO_PART_OF_IT)
    scripts = folder / ".venv" / "bin"
    scripts.mkdir(parents=True)
    for name, text in _SCRIPTS.items():
        (scripts / name).write_text("#!/bin/sh\n" + text.format(python=sys.executable))
        (scripts / name).chmod(0o755)
    return folder


def follow(page: str, folder: Path, settings: Mapping[str, str]) -> dict[str, str]:
    """Do what a page says in a checkout, and return what each command printed.

    Raises:
        AssertionError: A command fails, or a file is to be written that none has begun; it says which.
    """
    environment = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    printed = {}
    for step in steps(page):
        if isinstance(step, Write):
            assert (folder / step.path).is_file(), f"{step.path} was not begun by an earlier step"
            (folder / step.path).write_text(step.text, "utf-8")
            continue
        done = subprocess.run(
            ["/bin/sh", "-c", step.command],
            cwd=folder,
            env=environment | {"PYTHONDONTWRITEBYTECODE": "1"} | dict(settings),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{step.command} exits {done.returncode}:\n{done.stdout}{done.stderr}"
        printed[step.command] = done.stdout
    return printed
