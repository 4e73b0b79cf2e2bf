"""Prints how many mutations of the checks' queries their fixtures notice, and which they don't.

Ends with 1 where nine in ten or fewer of those that change something are noticed, or one is not and nobody
has said why.
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
    same = _same(one, equivalents)
    more = [f"{same} change nothing"] if same else []
    more += [f"{one.refused} could not be run"] if one.refused else []
    rate = f"{one.check_id:28} {one.killed:4} of {one.run - same:4} {_share(one.killed, one.run - same)}"
    lines = [f"{rate}   ({', '.join(more)})" if more else rate]
    for mutant in one.survivors:
        said = equivalents.of(one.check_id, mutant)
        why = "NOT EXPLAINED" if said is None else said.why or f"Accepted: {said.accepted}"
        lines.append(f"    {mutant.change}   in   {mutant.line}\n        {why}")
    return lines


def summed_up(tallies: Sequence[Tally], equivalents: Equivalents) -> tuple[list[str], bool]:
    """Return the rate over all checks as lines, and whether all is as wanted."""
    killed, run = sum(one.killed for one in tallies), sum(one.run for one in tallies)
    same = sum(_same(one, equivalents) for one in tallies)
    unexplained = sum(
        equivalents.of(one.check_id, mutant) is None for one in tallies for mutant in one.survivors
    )
    lines = [
        f"\nKilled {killed} of {run} mutants, {_share(killed, run)}.",
        f"{same} of them change nothing that is judged.",
        f"Killed of the others: {_share(killed, run - same)}; wanted: above {WANTED:.0%}.",
        f"{run - killed} survived; tests/mutation/equivalent.yaml does not explain {unexplained}.",
    ]
    return lines, killed > WANTED * (run - same) and not unexplained


def _same(one: Tally, equivalents: Equivalents) -> int:
    said = [equivalents.of(one.check_id, mutant) for mutant in one.survivors]
    return sum(entry is not None and bool(entry.why) for entry in said)


def _share(killed: int, run: int) -> str:
    return f"{killed / max(1, run):.1%}"


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
