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


def report(tallies: Sequence[Tally], equivalents: Equivalents) -> tuple[list[str], bool]:
    """Return the rates and the survivors as lines, and whether all is as wanted."""
    lines, unexplained = [], 0
    for one in tallies:
        refused = f"   ({one.refused} could not be run)" if one.refused else ""
        lines.append(
            f"{one.check_id:28} {one.killed:4} of {one.run:4} {_share(one.killed, one.run)}{refused}"
        )
        for mutant in one.survivors:
            why = equivalents.reason(one.check_id, mutant)
            unexplained += why is None
            lines.append(f"    {mutant.change}   in   {mutant.line}\n        {why or 'NOT EXPLAINED'}")
    killed, run = sum(one.killed for one in tallies), sum(one.run for one in tallies)
    lines.append(f"\nKilled {killed} of {run} mutants, {_share(killed, run)}; wanted: above {WANTED:.0%}.")
    lines.append(f"{run - killed} survived; tests/mutation/equivalent.yaml does not explain {unexplained}.")
    return lines, killed > WANTED * run and not unexplained


def _share(killed: int, run: int) -> str:
    return f"{killed / max(1, run):6.1%}"


def run(names: Sequence[str]) -> Iterator[Tally]:
    """Run the mutants of the checks of these names, or of all, on all processors; in the order of ids."""
    checks = [check for check in load_configuration(SHIPPED).checks if not names or check.id in names]
    checks.sort(key=lambda check: -len(mutants(check.query)))  # the longest first
    with ProcessPoolExecutor(os.process_cpu_count(), mp_context=get_context("spawn")) as pool:
        yield from sorted(pool.map(tally, checks), key=lambda one: one.check_id)


if __name__ == "__main__":
    printed, as_wanted = report(list(run(sys.argv[1:])), read_equivalents())
    sys.stdout.write("\n".join(printed) + "\n")
    sys.exit(0 if as_wanted else 1)
