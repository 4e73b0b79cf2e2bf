"""Says what controls found about a trace in sentences for people."""

from collections.abc import Iterable

from functions.evidence.verdicts import RunVerdicts


def finding_sentences(runs: Iterable[RunVerdicts]) -> tuple[str, ...]:
    """Return a sentence for each control that failed, then for each that could not be judged.

    Controls that have no rule are left out; see docs/controls.md.

    Args:
        runs: Of one trace, in any order.
    """
    raise NotImplementedError
