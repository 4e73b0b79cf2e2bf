"""Measures everything and prints one table: `make bench`.

    python -m bench.run [--smoke | --large] [MODULE ...]

Each module is a process of its own, so that none inherits the memory of another. What it says while it works
goes to stderr. A module that fails is a line of the table, and so is a figure whose peer is missing. Results
are kept (bench/results.py), but not those of --smoke. Returns 0 only where all is measured and all goals met.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

from bench.figures import Figure, Part, Scale, figure_from_json, not_measured
from bench.machine import this_machine
from bench.measuring import add_scale, say
from bench.results import load, save
from bench.table import as_text, verdicts

MODULES = {
    "cold_start": Part.COLD_START,
    "checks": Part.TICK,
    "views": Part.VIEWS,
    "alerts": Part.ALERTS,
    "sanitizer": Part.SANITIZER,
    "detectors": Part.DETECTORS,
    "export": Part.EXPORT,
    "report": Part.REPORT,
    "seals": Part.SEALS,
    "verify": Part.VERIFY,
    "portal": Part.PORTAL,
}
AT_MOST_SECONDS = 3_600


class PartFailed(Exception):
    """A module ended without figures; the message says why."""


def measured(module: str, scale: Scale) -> list[Figure]:
    """Return what a module measures in a process of its own.

    Raises:
        PartFailed: It ended without figures.
    """
    command = [sys.executable, "-m", f"bench.{module}", "--json"]
    if scale is not Scale.USUAL:
        command.append(f"--{scale}")
    try:
        ran = subprocess.run(  # noqa: S603 - our own
            command, stdout=subprocess.PIPE, text=True, timeout=AT_MOST_SECONDS, check=False
        )
        return [figure_from_json(each) for each in json.loads(ran.stdout)]
    except subprocess.TimeoutExpired:
        raise PartFailed(f"took more than {AT_MOST_SECONDS} s") from None
    except ValueError:
        raise PartFailed(f"ended with {ran.returncode} and without figures; see what it printed") from None


def main(
    modules: Sequence[str], scale: Scale, measured: Callable[[str, Scale], Sequence[Figure]] = measured
) -> int:
    """Measure, print and keep; return how the process ends."""
    machine, began = this_machine(), time.monotonic()
    figures: list[Figure] = []
    whole = set()
    for number, module in enumerate(modules, start=1):
        say(f"\n[{number}/{len(modules)}, {time.monotonic() - began:.0f} s] {module}")
        try:
            figures += measured(module, scale)
            whole.add(MODULES[module])
        except PartFailed as failure:
            say(f"{module}: {failure}")
            figures.append(not_measured(MODULES[module], f"bench.{module}", "", f"FAILED: {failure}"))
        if scale is not Scale.SMOKE:  # each time, so that a run that is broken off keeps what it has
            save(load().after(machine.to_json(), figures, whole))
    if scale is not Scale.SMOKE:
        figures = [line.figure for line in load().lines]
    print(f"{as_text(figures)}\n\n{verdicts(figures)}")
    return 1 if any(each.value is None or each.met is False for each in figures) else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="bench.run")
    parser.add_argument("modules", nargs="*", choices=[*MODULES, []], metavar="MODULE")
    add_scale(parser)
    asked = parser.parse_args()
    sys.exit(main(asked.modules or list(MODULES), asked.scale))
