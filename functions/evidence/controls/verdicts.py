"""What a control says about one run, in the shape in which parts hold it and controls.csv shows it.

Everything in these values may stand in a bundle: names that traces brought are sanitized before.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import batched
from typing import Any

from functions.overlay.basis import Basis
from functions.spreadsheet import encode_csv, encode_rows


class Control(StrEnum):
    """What each run is held to, in the order in which it is shown."""

    APPROVED_TOOLS = "approved_tools"
    REQUIRED_LOOKUPS = "required_lookups"
    DATA_FRESH = "data_fresh"
    APPROVED_DOCUMENTS = "approved_documents"
    LATENCY = "latency"
    NOTHING_EXPOSED = "nothing_exposed"
    CORRELATION = "correlation"


TITLES: Mapping[Control, str] = {
    Control.APPROVED_TOOLS: "Only approved tools were called",
    Control.REQUIRED_LOOKUPS: "The required look-ups were made",
    Control.DATA_FRESH: "The data was fresh",
    Control.APPROVED_DOCUMENTS: "Only approved editions of documents were used",
    Control.LATENCY: "The answer came within the objective",
    Control.NOTHING_EXPOSED: "No content was recorded that must not be",
    Control.CORRELATION: "Request, run and steps are connected",
}
"""Each control as a sentence that is true of a run that passes."""


class Result(StrEnum):
    """What a control found; a missing fact never passes."""

    PASS = "pass"  # noqa: S105 - no password
    FAIL = "fail"
    NOT_EVALUABLE = "not evaluable"


NO_RULE = "no rule: "
"""What the reason of a control begins with that has nothing to hold a run to."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one control says about one run, and why, in a short sentence."""

    control: Control
    result: Result
    reason: str


@dataclass(frozen=True, slots=True)
class RunVerdicts:
    """What all controls say about one run.

    Attributes:
        trace_id: Of the run's trace, as in the other files of a bundle.
        run_id: The span id of the run's own span.
        time: When it began, UTC.
        agent: Its agent, or the pseudonym of a name that may not be shown; "" where none is recorded.
        release: AppVersion, likewise.
        configuration: The hash of the configuration that it is judged under; "" where none is known.
        basis: How that is known.
        verdicts: One of each control, in their order.
        notes: What else was not recorded, without a verdict: "2 of 3 model calls without token counts".
    """

    trace_id: str
    run_id: str
    time: datetime
    agent: str
    release: str
    configuration: str
    basis: Basis
    verdicts: tuple[Verdict, ...]
    notes: tuple[str, ...] = ()

    @property
    def order(self) -> tuple[str, datetime, str]:
        """The key of the total order in which runs stand in a bundle."""
        return self.trace_id, self.time, self.run_id

    def body(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return {
            "trace_id": self.trace_id,
            "run_id": self.run_id,
            "time": self.time,
            "agent": self.agent,
            "release": self.release,
            "configuration": self.configuration,
            "basis": self.basis.value,
            "verdicts": [[one.control.value, one.result.value, one.reason] for one in self.verdicts],
            "notes": list(self.notes),
        }

    @classmethod
    def from_body(cls, body: Mapping[str, Any]) -> "RunVerdicts":
        """Read back what `body` gave, after its way through JSON."""
        return cls(
            trace_id=body["trace_id"],
            run_id=body["run_id"],
            time=datetime.fromisoformat(body["time"]),
            agent=body["agent"],
            release=body["release"],
            configuration=body["configuration"],
            basis=Basis(body["basis"]),
            verdicts=tuple(
                Verdict(Control(control), Result(result), reason)
                for control, result, reason in body["verdicts"]
            ),
            notes=tuple(body["notes"]),
        )


HEADER = (
    "trace_id",
    "run_id",
    "time",
    "agent",
    "release",
    "control",
    "result",
    "reason",
    "configuration",
    "basis",
    "notes",
)
"""The columns of controls.csv: one line a run and control."""

_RUNS_AT_ONCE = 500


def encode_controls(runs: Iterable[RunVerdicts]) -> Iterator[bytes]:
    """Yield controls.csv in whole lines, in the order of `runs`."""
    yield encode_csv(HEADER, ())
    for some in batched(runs, _RUNS_AT_ONCE, strict=False):
        yield encode_rows(line for run in some for line in _lines(run))


def _lines(run: RunVerdicts) -> Iterator[tuple[str, ...]]:
    time = run.time.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    for one in run.verdicts:
        yield (
            run.trace_id,
            run.run_id,
            time,
            run.agent,
            run.release,
            one.control.value,
            one.result.value,
            one.reason,
            run.configuration,
            run.basis.value,
            "; ".join(run.notes),
        )
