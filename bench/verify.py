"""How fast a bundle is verified, beside sha256sum over the same files.

    python -m bench.verify

Three bundles as exports make them (bench/bundles.py). sha256sum reads the unpacked files of the payload, and
does nothing but hash them. We hash them too, and count what each line says of which trace, hold the files
against each other, and inflate the zip. Everything has been read once before, so that the disk plays no part.
Each run is a fresh process, ours and sha256sum in turns; a figure is the payload's bytes by the median time.

- as a function: `verify_bundle` of a zip, without the start of the interpreter and the verifier's import;
- unpacked: the same of the folder;
- command: `tracekeeper verify` of the zip, all of the process.
"""

import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import median

from bench.bundles import write_bundle
from bench.figures import Figure, Growth, Part, Peer, Progress, Scale, at_least, not_measured
from bench.measuring import in_subprocess, main

LEAST_RATIO = 0.7

_SIZES = {
    Scale.SMOKE: (500, 2_000, 10_000),
    Scale.USUAL: (2_000, 20_000, 200_000),
    Scale.LARGE: (2_000, 20_000, 200_000, 1_000_000),
}
_REPEATS = {Scale.SMOKE: 1, Scale.USUAL: 7, Scale.LARGE: 7}
_AS_FUNCTION, _UNPACKED, _COMMAND = "a zip, as a function", "unpacked, as a function", "the command"
_ALONE = """
import json, sys, time
from pathlib import Path
from functions.evidence.verification.verification import Verified, verify_bundle
began = time.perf_counter()
verified = verify_bundle(Path(sys.argv[1]))
seconds = time.perf_counter() - began
assert isinstance(verified, Verified)
print(json.dumps(seconds))
"""


def measure(progress: Progress, scale: Scale) -> Sequence[Figure]:
    """Verify each bundle in each way, in turns with sha256sum."""
    hasher = shutil.which("sha256sum")
    if hasher is None:
        return [
            not_measured(Part.VERIFY, way, "MB/s", "sha256sum is not installed", at_least(LEAST_RATIO))
            for way in (_AS_FUNCTION, _UNPACKED, _COMMAND)
        ]
    speeds: dict[str, dict[int, float]] = defaultdict(dict)
    sizes = []
    for spans in _SIZES[scale]:
        with tempfile.TemporaryDirectory(prefix="bench-verify-") as folder:
            path, bag = Path(folder, "bundle.zip"), Path(folder, "unpacked")
            payload = write_bundle(path, spans)
            shutil.unpack_archive(path, bag)
            sizes.append((payload / 1e6, path.stat().st_size / 1e6))
            progress(f"verify: {spans:,} spans, {sizes[-1][0]:.0f} MB, {sizes[-1][1]:.1f} MB as a zip")
            ways = {
                "sha256sum": partial(_seconds, [hasher, *_payload(bag)]),
                _AS_FUNCTION: partial(_alone, path),
                _UNPACKED: partial(_alone, bag),
                _COMMAND: partial(_seconds, [sys.executable, "-m", "functions.cli", "verify", str(path)]),
            }
            for way, seconds in _in_turns(ways, _REPEATS[scale]).items():
                speeds[way][spans] = payload / 1e6 / seconds
    unpacked, packed = sizes[-1]
    largest = _SIZES[scale][-1]
    notes = {
        _AS_FUNCTION: f"{unpacked:.0f} MB, {packed:.0f} MB as a zip: we inflate, sha256sum reads the files",
        _UNPACKED: "both read the same files",
        _COMMAND: "with the start of the interpreter: it is most of the time that a small bundle takes",
    }
    return [
        Figure(
            Part.VERIFY,
            way,
            speeds[way][largest],
            "MB/s",
            Peer("sha256sum", speeds["sha256sum"][largest]),
            at_least(LEAST_RATIO),
            Growth("spans", speeds[way]),
            note,
        )
        for way, note in notes.items()
    ]


def _in_turns(ways: Mapping[str, Callable[[], float]], repeats: int) -> Mapping[str, float]:
    taken: dict[str, list[float]] = {way: [] for way in ways}
    for number in range(repeats + 1):
        for way, run in ways.items():
            seconds = run()
            if number:  # the first one reads from the disk and compiles
                taken[way].append(seconds)
    return {way: median(seconds) for way, seconds in taken.items()}


def _payload(bag: Path) -> list[str]:
    return sorted(map(str, (bag / "bundle/data").iterdir()))


def _alone(path: Path) -> float:
    seconds: float = in_subprocess([sys.executable, "-c", _ALONE, str(path)])
    return seconds


def _seconds(command: Sequence[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)  # noqa: S603 - the project's own, and sha256sum
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main(measure))
