"""What `azd deploy` uploads: the project's files without those that .funcignore names."""

import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

TOP = frozenset({"function_app.py", "host.json", "requirements.txt", "functions", "config"})
"""All that may stand at the top of the package."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A line of .funcignore, as far as ours uses gitignore's rules: names, `*`, a slash at the front, `!`.

    Attributes:
        pattern: A name.
        top: Whether it stands for the project's own folder only.
        keeps: Whether it takes back what an earlier line left out.
    """

    pattern: str
    top: bool
    keeps: bool

    def matches(self, path: Path) -> bool:
        """Whether it names this file or folder, which has a path from the project's folder."""
        return (not self.top or len(path.parts) == 1) and fnmatchcase(path.name, self.pattern)


def read_rules(text: str) -> tuple[Rule, ...]:
    """Read .funcignore.

    Raises:
        ValueError: A line needs rules that we don't know; the message has the line.
    """
    rules = []
    for line in (one.strip() for one in text.splitlines()):
        if not line or line.startswith("#"):
            continue
        form = re.fullmatch(r"(!?)(/?)([\w.*-]+)", line)
        if form is None or "**" in line:
            raise ValueError(f".funcignore: {line}: only names, *, a slash at the front and ! are used here")
        rules.append(Rule(form[3], top=bool(form[2]), keeps=bool(form[1])))
    return tuple(rules)


def packaged(root: Path) -> list[Path]:
    """List the files that are uploaded, by their paths from `root`, sorted."""
    rules = read_rules((root / ".funcignore").read_text(encoding="utf-8"))
    return sorted(_kept(root, Path(), rules))


def _kept(root: Path, folder: Path, rules: Sequence[Rule]) -> Iterator[Path]:
    for entry in (root / folder).iterdir():
        path = folder / entry.name
        decided = [rule.keeps for rule in rules if rule.matches(path)]
        if decided and not decided[-1]:
            continue
        if entry.is_dir():
            yield from _kept(root, path, rules)
        else:
            yield path


def write_package(root: Path, file: Path) -> list[Path]:
    """Write the zip that is uploaded, and list what is in it."""
    paths = packaged(root)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as package:
        for path in paths:
            package.write(root / path, path.as_posix())
    return paths
