"""An Azure CLI that answers what it was given, in memory; and one as a program on PATH."""

import json
import stat
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from functions.release.azure_cli import AzureCli, Json, failure, reading_command

Answers = Mapping[tuple[str, ...], Any]
"""By words that occur in a command, in that order: what it prints, or the text that it fails with (Fails)."""


class Fails(str):
    """What a command prints to stderr as it fails."""

    __slots__ = ()


_PROGRAM = """#!{python}
import json, sys
arguments = sys.argv[1:]
with open({asked!r}, "a") as file:
    file.write(json.dumps(arguments) + "\\n")
def fits(words):
    rest = iter(arguments)
    return all(word in rest for word in words)
found = [one for one in json.load(open({answers!r})) if fits(one[0])]
nothing = [[], True, "ERROR: (ResourceNotFound) nothing"]
words, fails, answer = max(found, key=lambda one: len(one[0]), default=nothing)
if fails:
    print(answer, file=sys.stderr)
    sys.exit(1)
print(json.dumps(answer))
"""


class FakeAzureCli(AzureCli):
    """Answers with what fits best: most words; where nothing fits, there is no such resource.

    Args:
        answers: What is known.
    """

    def __init__(self, answers: Answers) -> None:
        self.answers = dict(answers)
        self.asked: list[tuple[str, ...]] = []

    def ask(self, *arguments: str) -> Json:
        command = reading_command(arguments)
        self.asked.append(arguments)
        found = [words for words in self.answers if _fits(words, arguments)]
        answer: Any = (
            self.answers[max(found, key=len)] if found else Fails("ERROR: (ResourceNotFound) nothing")
        )
        if isinstance(answer, Fails):
            raise failure(command, answer)
        copied: Json = json.loads(json.dumps(answer))
        return copied


def write_program(folder: Path, answers: Answers) -> Path:
    """Write a program `az` that answers the same; it appends its arguments to `asked.jsonl` beside it."""
    table = [(words, isinstance(answer, Fails), answer) for words, answer in answers.items()]
    (folder / "answers.json").write_text(json.dumps(table))
    program = folder / "az"
    program.write_text(
        _PROGRAM.format(
            python=sys.executable, asked=str(folder / "asked.jsonl"), answers=str(folder / "answers.json")
        )
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return program


def _fits(words: Sequence[str], arguments: Sequence[str]) -> bool:
    rest = iter(arguments)
    return all(word in rest for word in words)
