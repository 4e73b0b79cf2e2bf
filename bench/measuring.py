"""What the measuring modules share: clocks, peaks, processes of their own, and the command line of each."""

import argparse
import gc
import json
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bench.figures import Figure, Progress, Scale
from bench.table import as_text

Measure = Callable[[Progress, Scale], Sequence[Figure]]


def say(line: str) -> None:
    """Tell a person how far it is: on stderr, so that stdout is what was measured."""
    print(line, file=sys.stderr, flush=True)


def best_of(
    repeats: int, work: Callable[[], object], clock: Callable[[], float] = time.perf_counter
) -> float:
    """Return the seconds of the fastest of so many runs: what else the machine does only ever adds."""
    seconds = []
    for _ in range(repeats):
        began = clock()
        work()
        seconds.append(clock() - began)
    return min(seconds)


def traced_peak_mb(work: Callable[[], object]) -> float:
    """Return the most megabytes that Python's allocator held above the start while it worked."""
    gc.collect()
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1] / 1e6
    finally:
        tracemalloc.stop()


def peak_mb() -> float:
    """Return the most memory that this process ever had in use, in MB: interpreter, libraries and all.

    The operating system's VmHWM, not ru_maxrss: a child begins with what its parent had.
    """
    status = Path("/proc/self/status").read_text("ascii").splitlines()
    (peak,) = (line.split()[1] for line in status if line.startswith("VmHWM:"))
    return int(peak) * 1024 / 1e6


def in_subprocess(command: Sequence[str], environment: dict[str, str] | None = None) -> Any:
    """Run a process and return what it printed, which is JSON; what it says of itself goes to our stderr."""
    ran = subprocess.run(  # noqa: S603 - the project's own
        command, env=environment, stdout=subprocess.PIPE, check=True, text=True
    )
    return json.loads(ran.stdout)


def add_scale(parser: argparse.ArgumentParser) -> None:
    """Let a command line take `--smoke` or `--large`, as `scale`."""
    scales = parser.add_mutually_exclusive_group()
    for scale, help_ in (
        (Scale.SMOKE, "seconds of work, only to see that it runs"),
        (Scale.LARGE, "also the figures of 1,000,000 spans"),
    ):
        scales.add_argument(
            f"--{scale}", dest="scale", action="store_const", const=scale, default=Scale.USUAL, help=help_
        )


def main(measure: Measure) -> int:
    """Be the command line of a module: measure, print the table, return 1 where a goal is missed.

    `--smoke` and `--large` say how much; `--json` prints the figures as a list of JSON objects instead.
    """
    parser = argparse.ArgumentParser()
    add_scale(parser)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    figures = measure(say, asked.scale)
    print(json.dumps([each.to_json() for each in figures]) if asked.json else as_text(figures))
    return 1 if any(each.met is False for each in figures) else 0
