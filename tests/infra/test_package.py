"""What would be uploaded: these files and no others, and they are all that the Functions worker needs."""

import hashlib
import json
import re
import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import files
from pathlib import Path
from typing import Any

import pytest

from infra.hooks.package import TOP, packaged, read_rules, write_package
from tests.infra.bicep import ROOT

MOST_BYTES = 2_000_000
WORKER = ("azure-functions-runtime", "azurefunctions-extensions-base")
"""Distributions that the platform has; what they need besides is in our requirements."""


def tracked() -> list[str]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def ignored_by_git(names: list[str]) -> set[str]:
    """Ask git, which reads .funcignore by the rules that azd's reader follows."""
    answer = subprocess.run(
        ["git", "-c", "core.excludesFile=.funcignore", "check-ignore", "--no-index", "-z", "--stdin"],
        cwd=ROOT,
        input="\0".join(names),
        capture_output=True,
        text=True,
        check=False,
    )
    return set(filter(None, answer.stdout.split("\0")))


def test_only_what_runs_is_in_the_package() -> None:
    names = {path.as_posix() for path in packaged(ROOT)}
    assert {name.split("/")[0] for name in names} == TOP
    assert not [name for name in names if re.search(r"(^|/)(tests|docs|infra|local|bench|\.)", name)]
    assert not [name for name in names if re.search(r"\.(md|pem|key|env|pyc)$|local\.settings", name)]


def test_git_reads_the_list_as_we_do() -> None:
    names = tracked()
    kept = {path.as_posix() for path in packaged(ROOT)} & set(names)
    assert kept == set(names) - ignored_by_git(names)


def test_nothing_that_runs_is_left_out() -> None:
    ours = {name for name in tracked() if name.split("/")[0] in TOP}
    assert ours <= {path.as_posix() for path in packaged(ROOT)}


@pytest.mark.parametrize("line", ["functions/**", "docs/*.md", "[ab].py", "local/"])
def test_a_rule_that_is_not_understood_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="only names"):
        read_rules(f"*.md\n{line}\n")


def test_a_new_file_at_the_top_would_be_noticed(tmp_path: Path) -> None:
    shutil.copy(ROOT / ".funcignore", tmp_path)
    for name in ("function_app.py", "notes.txt", "README.md", ".env"):
        (tmp_path / name).touch()
    assert [path.name for path in packaged(tmp_path)] == ["function_app.py", "notes.txt"]
    assert "notes.txt" not in TOP


@pytest.fixture(scope="module")
def requirements_python() -> Path:
    """An interpreter with what requirements.txt names and nothing else; made once for each state of it."""
    text = (ROOT / "requirements.txt").read_bytes()
    folder = ROOT / ".local" / f"venv-{hashlib.sha256(text).hexdigest()[:16]}"
    python = folder / "bin/python"
    if not (folder / "complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        found = subprocess.run(
            ["sh", "local/python313.sh"], cwd=ROOT, capture_output=True, text=True, check=True
        )
        subprocess.run([found.stdout.strip(), "-m", "venv", str(folder)], check=True)
        install = [
            str(python),
            "-m",
            "pip",
            "install",
            "--quiet",
            "--require-hashes",
            "-r",
            "requirements.txt",
        ]
        subprocess.run(install, cwd=ROOT, check=True, capture_output=True)
        (folder / "complete").touch()
    return python


@pytest.fixture(scope="module")
def indexed(requirements_python: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the worker finds in the package alone, in a folder of its own."""
    folder = tmp_path_factory.mktemp("package")
    write_package(ROOT, folder / "package.zip")
    with zipfile.ZipFile(folder / "package.zip") as package:
        package.extractall(folder / "app")
    worker = folder / "worker"
    for distribution in WORKER:
        for file in files(distribution) or []:
            if file.suffix == ".py":
                (worker / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(file.locate(), worker / file)
    (worker / "local/host").mkdir(parents=True)
    for name in ("__init__.py", "host/__init__.py", "host/functions_runtime.py", "host/invocations.py"):
        shutil.copy(ROOT / "local" / name, worker / "local" / name)
    script = Path(__file__).parent / "index_package.py"
    done = subprocess.run(
        [str(requirements_python), "-I", str(script), str(folder / "app"), str(worker)],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    found |= {"bytes": (folder / "package.zip").stat().st_size, "folder": str(folder.resolve())}
    return found


def test_the_worker_indexes_the_package_with_its_requirements_alone(
    indexed: dict[str, Any],
) -> None:
    source = "\n".join(path.read_text() for path in (ROOT / "functions/triggers").glob("*.py"))
    declared = re.findall(r'function_name\("(\w+)"|(?:Endpoint|Page)\(\s*name="(\w+)"', source)
    assert sorted(one or other for one, other in declared) == sorted(indexed["functions"])
    assert set(indexed["functions"].values()) == {"httpTrigger", "timerTrigger", "queueTrigger"}


def test_nothing_was_loaded_from_anywhere_else(indexed: dict[str, Any], requirements_python: Path) -> None:
    base = Path(sys.base_prefix).resolve()
    places = (indexed["folder"], str(requirements_python.parents[1]), str(base / "lib/python3.13"))
    script = str(Path(__file__).parent / "index_package.py")
    strange = [file for file in indexed["loaded"] if not file.startswith(places) and file != script]
    assert strange == []
    assert not [file for file in indexed["loaded"] if file.startswith(f"{base}/lib/python3.13/site-packages")]
    assert [file for file in indexed["loaded"] if file.startswith(f"{indexed['folder']}/app/functions/")]


def test_the_package_is_small(indexed: dict[str, Any]) -> None:
    assert indexed["bytes"] < MOST_BYTES
