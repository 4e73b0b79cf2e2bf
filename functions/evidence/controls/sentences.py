"""Says what controls found about a trace in sentences for people. Pure."""

from collections.abc import Iterable, Iterator

from functions.evidence.controls.verdicts import NO_RULE, Control, Result, RunVerdicts, Verdict

_LEADS: dict[Control, str] = {
    Control.APPROVED_TOOLS: "tools",
    Control.REQUIRED_LOOKUPS: "look-ups",
    Control.DATA_FRESH: "age of data",
    Control.APPROVED_DOCUMENTS: "documents",
    Control.LATENCY: "latency",
    Control.NOTHING_EXPOSED: "content",
    Control.CORRELATION: "correlation",
}
"""What could not be judged, in a sentence that says so."""


def finding_sentences(runs: Iterable[RunVerdicts]) -> tuple[str, ...]:
    """Return a sentence for each control that failed, then for what could not be judged, then the notes.

    A control without a rule says nothing. What several runs say alike is said once.

    Args:
        runs: Of one trace, in any order.
    """
    ordered = sorted(runs, key=lambda run: run.order)
    said = [
        *_said(ordered, Result.FAIL),
        *_said(ordered, Result.NOT_EVALUABLE),
        *(_sentence(run, note) for run in ordered for note in run.notes),
    ]
    return tuple(dict.fromkeys(said))


def _said(runs: Iterable[RunVerdicts], result: Result) -> Iterator[str]:
    for run in runs:
        found = [one for one in run.verdicts if one.result is result and not one.reason.startswith(NO_RULE)]
        if len(found) == len(Control) and len({one.reason for one in found}) == 1:
            yield _sentence(run, f"no control can be judged: {found[0].reason}")
            continue
        yield from (_sentence(run, _told(one)) for one in found)


def _told(verdict: Verdict) -> str:
    if verdict.result is Result.FAIL:
        return verdict.reason
    return f"{_LEADS[verdict.control]} can't be judged: {verdict.reason}"


def _sentence(run: RunVerdicts, told: str) -> str:
    return f"{run.agent or 'An agent without a name'}: {told}."
