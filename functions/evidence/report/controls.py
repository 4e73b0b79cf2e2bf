"""Adds up what the controls say over all runs of an export, in bounded memory, and shows it."""

from collections import Counter
from collections.abc import Mapping, Sequence

from functions.evidence.controls.verdicts import NO_RULE, TITLES, Control, Result, RunVerdicts, Verdict
from functions.evidence.report.html import (
    NOTHING,
    Html,
    code,
    count,
    joined,
    moment,
    name,
    paragraph,
    section,
    table,
    text,
)

MOST_FAILED_RUNS = 100
"""Failed runs shown with their reasons; the others are counted."""

_MOST_REASONS = 1_000
_SHOWN_REASONS = 40
_MOST_CONFIGURATIONS = 20
_BASES: Mapping[str, str] = {
    "observed": "observed: it had come into force here by then",
    "stated": "stated: its file says that it holds since then",
}
_ANY_OTHER = "any other reason"


class ControlTally:
    """The sum over all runs.

    Attributes:
        runs: How many were judged.
        failed: How many failed at least one control.
        sound: How many passed every control that has a rule for them, at least one.
        results: How many runs got which result by which control.
        unruled: For how many runs a control has no rule; they are among the not evaluable ones.
    """

    def __init__(self) -> None:
        self.runs = 0
        self.failed = 0
        self.sound = 0
        self.results: Counter[tuple[Control, Result]] = Counter()
        self.unruled: Counter[Control] = Counter()
        self._failed_runs: list[RunVerdicts] = []
        self._unknown: Counter[tuple[Control, str]] = Counter()
        self._configurations: Counter[tuple[str, str]] = Counter()

    def add(self, verdicts: Sequence[RunVerdicts]) -> None:
        """Count some runs."""
        for run in verdicts:
            self.runs += 1
            found = [one.result for one in run.verdicts if not has_no_rule(one)]
            failed = Result.FAIL in found
            self.failed += failed
            self.sound += bool(found) and all(result is Result.PASS for result in found)
            if failed and len(self._failed_runs) < MOST_FAILED_RUNS:
                self._failed_runs.append(run)
            for one in run.verdicts:
                self.results[one.control, one.result] += 1
                self.unruled[one.control] += has_no_rule(one)
                if one.result is Result.NOT_EVALUABLE:
                    self._count_reason(one.control, one.reason)
            held_to = (run.configuration, run.basis.value)
            known = held_to in self._configurations or len(self._configurations) < _MOST_CONFIGURATIONS
            self._configurations[held_to if known else ("", _ANY_OTHER)] += 1

    def _count_reason(self, control: Control, reason: str) -> None:
        known = (control, reason) in self._unknown or len(self._unknown) < _MOST_REASONS
        self._unknown[control, reason if known else _ANY_OTHER] += 1

    def sentence(self) -> str:
        """Return what the controls came to, as markup, for the report's answer."""
        if not self.runs:
            return "No run was judged."
        judged = f"{count(self.runs, 'run was', 'runs were')} held to {len(Control)} controls: "
        outcome = f"{self.failed:,} failed at least one" if self.failed else "no run failed any of them"
        rest = self.runs - self.failed - self.sound
        judged += f"{outcome}, {self.sound:,} passed all that have a rule for them"
        if rest:
            judged += (
                f", and {rest:,} failed none but could not be judged on all, since facts were not recorded"
            )
        return judged + "."

    def chapter(self, drawn: frozenset[str]) -> Html:
        """Return the chapter about controls.

        Args:
            drawn: Ids of the traces that have a timeline in the report.
        """
        if not self.runs:
            return section("controls", "Controls", paragraph("No run was judged."))
        return section(
            "controls",
            "Controls",
            paragraph(
                "Each run is held to each control by the configuration that was valid when it ran. A control "
                "passes only where the fact it needs was recorded; what it could not judge is counted apart, "
                "as is what no rule was agreed for."
            ),
            table(
                "Runs by control and result",
                ("Control", "Pass", "Fail", "Not evaluable"),
                map(self._line, Control),
                numbers={1, 2, 3},
            ),
            self._failures(drawn),
            self._reasons(),
            self._held_to(),
        )

    def _line(self, control: Control) -> tuple[Html, ...]:
        passed, failed, unknown = (self.results[control, result] for result in Result)
        mark = f'<strong class="bad">✕ {failed:,}</strong>' if failed else "0"
        title = Html(
            f'<strong>{_short(control)}</strong><br><span class="dim">{text(TITLES[control])}</span>'
        )
        unruled = self.unruled[control]
        no_rule = f'<br><span class="dim">{unruled:,} no rule</span>' if unruled else ""
        return title, Html(f"{passed:,}"), Html(mark), Html(f"{unknown:,}{no_rule}")

    def _failures(self, drawn: frozenset[str]) -> Html:
        if not self.failed:
            return paragraph("No run failed a control.")
        more = self.failed - len(self._failed_runs)
        return joined(
            (
                table(
                    f"Failed runs ({self.failed:,})",
                    ("What failed, why, and in which trace", "Agent, release", "Began (UTC)"),
                    (_failed_line(run, drawn) for run in self._failed_runs),
                ),
                paragraph(
                    f"{count(more, 'further failed run is', 'further failed runs are')} in "
                    "<code>data/controls.csv</code> (column result: fail)."
                )
                if more
                else "",
            )
        )

    def _reasons(self) -> Html:
        if not self._unknown:
            return Html("")
        ranked = sorted(
            self._unknown.items(), key=lambda one: (tuple(Control).index(one[0][0]), -one[1], one[0])
        )
        rows = ((_short(control), text(reason), Html(f"{n:,}")) for (control, reason), n in ranked)
        left = len(ranked) - _SHOWN_REASONS
        return joined(
            (
                table(
                    "Why runs were not evaluable",
                    ("Control", "Reason", "Runs"),
                    list(rows)[:_SHOWN_REASONS],
                    numbers={2},
                ),
                paragraph(f"{left:,} further reasons are in <code>data/controls.csv</code>.")
                if left > 0
                else "",
            )
        )

    def _held_to(self) -> Html:
        rows = (
            (code(hash_) if hash_ else Html("not known"), text(_BASES.get(basis, basis)), Html(f"{runs:,}"))
            for (hash_, basis), runs in sorted(self._configurations.items())
        )
        return table(
            "Configurations that runs were judged by",
            ("SHA-256 of the configuration", "How it is known", "Runs"),
            rows,
            numbers={2},
        )


def has_no_rule(verdict: Verdict) -> bool:
    """Tell a control that nothing was agreed for from one whose fact was not recorded."""
    return verdict.result is Result.NOT_EVALUABLE and verdict.reason.startswith(NO_RULE)


def failed_controls(verdicts: Sequence[RunVerdicts]) -> int:
    """Return how many controls failed over all runs of a trace."""
    return sum(one.result is Result.FAIL for run in verdicts for one in run.verdicts)


def verdict_words(verdicts: Sequence[RunVerdicts]) -> str:
    """Say in a line what the controls found in a trace."""
    if not verdicts:
        return "No run of this trace was judged."
    failed = [
        f"{one.control.replace('_', ' ')} ({one.reason})"
        for run in verdicts
        for one in run.verdicts
        if one.result is Result.FAIL
    ]
    if failed:
        return f"✕ Failed: {'; '.join(dict.fromkeys(failed))}"
    left = [one for run in verdicts for one in run.verdicts if not has_no_rule(one)]
    unknown = [one.control.replace("_", " ") for one in left if one.result is Result.NOT_EVALUABLE]
    if unknown:
        return f"Failed no control; not evaluable: {', '.join(dict.fromkeys(unknown))}"
    return "Passed all controls that have a rule for it" if left else "No control has a rule for it"


def _failed_line(run: RunVerdicts, drawn: frozenset[str]) -> tuple[Html, ...]:
    trace = code(run.trace_id)
    shown = f'<a href="#trace-{run.trace_id}">{trace}</a>' if run.trace_id in drawn else trace
    reasons = (
        f'<span class="bad">✕</span> {_short(one.control)}: {text(one.reason)}'
        for one in run.verdicts
        if one.result is Result.FAIL
    )
    agent = joined((name(part) for part in (run.agent, run.release) if part), ", ") or NOTHING
    return joined((*reasons, shown), "<br>"), agent, moment(run.time)


def _short(control: Control) -> Html:
    return text(control.replace("_", " "))
