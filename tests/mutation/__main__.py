"""Prints how many mutations of the checks' queries their fixtures notice, and which they don't.

Ends with 1 where less than nine in ten are noticed, or one is not and nobody has said why.
"""

import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from functions.configuration import SHIPPED, load_configuration
from tests.mutation.equivalents import Equivalents, read_equivalents
from tests.mutation.mutants import mutants
from tests.mutation.tally import Tally, tally

WANTED = 0.9
"""The share of mutants that must be noticed."""


def told(one: Tally, equivalents: Equivalents) -> list[str]:
    """Return one check's rate and its survivors, each with the reason, as lines."""
    refused = f"   ({one.refused} could not be run)" if one.refused else ""
    return [
        f"{one.check_id:28} {one.killed:4} of {one.run:4} {_share(one.killed, one.run)}{refused}",
        *(
            f"    {mutant.change}   in   {mutant.line}\n        "
            f"{equivalents.reason(one.check_id, mutant) or 'NOT EXPLAINED'}"
            for mutant in one.survivors
        ),
    ]


def summed_up(tallies: Sequence[Tally], equivalents: Equivalents) -> tuple[list[str], bool]:
    """Return the rate over all checks as lines, and whether all is as wanted."""
    killed, run = sum(one.killed for one in tallies), sum(one.run for one in tallies)
    unexplained = sum(
        equivalents.reason(one.check_id, mutant) is None for one in tallies for mutant in one.survivors
    )
    lines = [
        f"\nKilled {killed} of {run} mutants, {_share(killed, run)}; wanted: above {WANTED:.0%}.",
        f"{run - killed} survived; tests/mutation/equivalent.yaml does not explain {unexplained}.",
    ]
    return lines, killed > WANTED * run and not unexplained


def _share(killed: int, run: int) -> str:
    return f"{killed / max(1, run):6.1%}"


def tallies_of(names: Sequence[str]) -> Iterator[Tally]:
    """Run the mutants of the checks of these names, or of all, on all processors."""
    checks = [check for check in load_configuration(SHIPPED).checks if not names or check.id in names]
    checks.sort(key=lambda check: -len(mutants(check.query)))  # the longest first
    with ProcessPoolExecutor(os.process_cpu_count(), mp_context=get_context("spawn")) as pool:
        yield from pool.map(tally, checks)


def main(names: Sequence[str]) -> int:
    """Print what becomes known as soon as it is."""
    equivalents, tallies = read_equivalents(), []
    for one in tallies_of(names):
        tallies.append(one)
        sys.stdout.write("\n".join(told(one, equivalents)) + "\n")
        sys.stdout.flush()
    lines, as_wanted = summed_up(tallies, equivalents)
    sys.stdout.write("\n".join(lines) + "\n")
    return 0 if as_wanted else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
