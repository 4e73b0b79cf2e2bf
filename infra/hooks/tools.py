"""Runs `az`, `azd` and our own command; what they print never reaches the terminal by itself."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Answer:
    """How a command ended.

    Attributes:
        code: Its exit code; 127 where it is not there.
        out: What it printed.
        trouble: What it complained about.
    """

    code: int
    out: str
    trouble: str

    @property
    def ok(self) -> bool:
        """Whether it did what it was asked."""
        return self.code == 0

    def json(self) -> Any:
        """Read what it printed; None where that is no JSON."""
        try:
            return json.loads(self.out)
        except ValueError:
            return None


def call(tool: str, *arguments: str, environment: Mapping[str, str] | None = None) -> Answer:
    """Run a command in the project's folder and wait."""
    program = shutil.which(tool)
    if program is None:
        return Answer(127, "", f"{tool} is not installed")
    done = subprocess.run(
        [program, *arguments],
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return Answer(done.returncode, done.stdout, done.stderr)


def tracekeeper(*arguments: str, environment: Mapping[str, str] | None = None) -> Answer:
    """Run our own command with the packages of the project's environment."""
    return call(str(project_python()), "-m", "functions.cli", *arguments, environment=environment)


def project_python() -> Path:
    """Return the interpreter that has our packages: that of .venv, or else this one."""
    folder = ROOT / ".venv" / ("Scripts" if os.name == "nt" else "bin")
    python = folder / ("python.exe" if os.name == "nt" else "python")
    return python if python.exists() else Path(sys.executable)


def given(name: str) -> str:
    """Return a value of the azd environment, which azd passes on to its hooks; "" where it has none."""
    return os.environ.get(name, "").strip()
