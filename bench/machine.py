"""Says on what machine, when and from which commit a run was measured, and whether others worked there."""

import os
import platform
import subprocess
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

QUIET = 0.05
"""The share of all processors that others may use in a run that counts as quiet."""


@dataclass(frozen=True)
class Machine:
    """Describes one run; seconds of processors are counted from its making to `to_json`."""

    begun: datetime
    commit: str
    load: float
    busy: float
    ours: float
    clock: float

    def to_json(self) -> dict[str, Any]:
        """Return the description; `others` is the share of all processors that others used meanwhile."""
        cores = os.cpu_count() or 1
        seconds = time.monotonic() - self.clock
        others = max(0.0, (_busy() - self.busy) - (_ours() - self.ours)) / (seconds * cores)
        return {
            "date": f"{self.begun:%Y-%m-%dT%H:%M:%SZ}",
            "seconds": round(seconds),
            "commit": self.commit,
            "processor": _processor(),
            "cores": cores,
            "memory_gb": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9, 1),
            "os": f"{platform.freedesktop_os_release()['PRETTY_NAME']}, kernel {platform.release()}",
            "python": platform.python_version(),
            "load_at_start": round(self.load, 2),
            "load_at_end": round(os.getloadavg()[0], 2),
            "others": round(others, 3),
            "quiet": others < QUIET,
        }


def this_machine() -> Machine:
    """Begin to describe a run."""
    return Machine(datetime.now(UTC), _commit(), os.getloadavg()[0], _busy(), _ours(), time.monotonic())


def _busy() -> float:
    """Return the seconds that all processors have worked for anyone since the machine started."""
    user, nice, system, _, _, irq, softirq, steal, *_ = (
        int(each) for each in Path("/proc/stat").read_text("ascii").split("\n", 1)[0].split()[1:]
    )
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def _ours() -> float:
    """Return the seconds that this process and those that it has waited for have used."""
    return sum(os.times()[:4])


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    named = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())


def _commit() -> str:
    """Return the commit that is checked out, and whether files differ from it but those that a run writes."""
    commit = _git("rev-parse", "--short=12", "HEAD") or "unknown"
    others = (".", ":!bench/results.json", ":!docs/performance.md")
    return (
        f"{commit}-dirty" if _git("status", "--porcelain", "--untracked-files=no", "--", *others) else commit
    )


def _git(*words: str) -> str:
    ran = subprocess.run(["git", *words], capture_output=True, text=True, check=False)  # noqa: S603, S607 - fixed
    return ran.stdout.strip()
