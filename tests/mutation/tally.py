"""Counts how many mutants of a check its fixtures notice."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from functions.checks.definition import CheckDefinition
from functions.errors import QueryRejected, TracekeeperError
from tests.checks.bench import Workspace, build
from tests.checks.expectations import complaints
from tests.checks.fixtures import FIXTURES, read_cases
from tests.mutation.mutants import Mutant, mutants


@dataclass(frozen=True)
class Tally:
    """What became of one check's mutants.

    Attributes:
        check_id: The check.
        killed: How many its fixtures noticed.
        refused: How many the engine would not run: they say nothing about the fixtures.
        survivors: Those that nothing noticed.
    """

    check_id: str
    killed: int
    refused: int
    survivors: tuple[Mutant, ...]

    @property
    def run(self) -> int:
        return self.killed + len(self.survivors)


def tally(check: CheckDefinition, fixtures: Path = FIXTURES) -> Tally:
    """Run all mutants of a check against its fixtures.

    Raises:
        AssertionError: The fixtures do not hold for the check as it is.
    """
    killed, refused, survivors = 0, 0, []
    with TemporaryDirectory() as folder:
        workspaces = build(check, read_cases(fixtures / check.id), Path(folder))
        assert not _noticed(check, workspaces), f"the fixtures of {check.id} fail as it is"
        for mutant in mutants(check.query):
            try:
                noticed = _noticed(replace(check, query=mutant.query), workspaces)
            except QueryRejected:
                refused += 1
                continue
            if noticed:
                killed += 1
            else:
                survivors.append(mutant)
    return Tally(check.id, killed, refused, tuple(survivors))


def _noticed(check: CheckDefinition, workspaces: Sequence[Workspace]) -> bool:
    try:
        return any(
            complaints(built, found) for workspace in workspaces for built, found in workspace.findings(check)
        )
    except QueryRejected:
        raise
    except (TracekeeperError, AssertionError):
        return True  # the result broke the contract, or belongs to no case
