"""Reads why some mutants are not noticed by any fixture: equivalent.yaml."""

from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.mutation.mutants import Mutant

PATH = Path(__file__).with_name("equivalent.yaml")


@dataclass(frozen=True, slots=True)
class Equivalent:
    """Some mutants that no fixture notices, and why.

    Attributes:
        check_id: The check, or "everywhere".
        change: The mutant's change.
        line: A part of the line it is in.
        why: Why they change nothing that is judged; "" where they do.
        accepted: Why nobody minds that they do.
    """

    check_id: str
    change: str
    line: str
    why: str = ""
    accepted: str = ""

    def covers(self, check_id: str, mutant: Mutant) -> bool:
        return (
            self.check_id in {"everywhere", check_id}
            and self.change == mutant.change
            and self.line in mutant.line
        )


@dataclass(frozen=True, slots=True)
class Equivalents:
    """All of them."""

    entries: tuple[Equivalent, ...]

    def of(self, check_id: str, mutant: Mutant) -> Equivalent | None:
        """Return what is said about this mutant, or None where nobody has said anything."""
        return next((entry for entry in self.entries if entry.covers(check_id, mutant)), None)


def read_equivalents(path: Path = PATH) -> Equivalents:
    """Read the file: check id (or "everywhere") to a list of {change, line, why or accepted}."""
    body = yaml.safe_load(path.read_text("utf-8"))
    return Equivalents(
        tuple(Equivalent(check_id, **entry) for check_id, entries in body.items() for entry in entries)
    )
