"""Counts what a policy does to telemetry in a file, by attribute, without a word of what it removes."""

from collections import Counter
from collections.abc import Iterator

from functions.commands.telemetry_file import RecordedRow
from functions.evidence.redaction.policy import Kind
from functions.evidence.redaction.sanitizer import Sanitizer
from functions.evidence.redaction.shapes import SHAPES
from functions.text_plot import safe

_MOST_EXAMPLES = 3
_MOST_UNKNOWN = 50
_KEPT, _UNNAMED = "kept", "unknown"
_HIDDEN = "(a name that is not shown)"

Attribute = tuple[Kind, str]


class Trial:
    """What became of each attribute of some rows."""

    def __init__(self, sanitizer: Sanitizer) -> None:
        self._sanitizer = sanitizer
        self.outcomes: dict[Attribute, Counter[str]] = {}
        self.examples: dict[Attribute, set[str]] = {}

    def add(self, row: RecordedRow) -> None:
        """Judge one row."""
        kinds: tuple[tuple[Kind, dict[str, object]], ...] = (
            ("columns", dict(row.columns)),
            ("properties", dict(row.properties)),
        )
        for kind, values in kinds:
            for name, value in values.items():
                shown, reason = self._sanitizer.judge(kind, row.table, name, value)
                attribute = (kind, self._name(name, reason))
                self.outcomes.setdefault(attribute, Counter())[reason or _KEPT] += 1
                if shown is not None and reason is None:
                    self.examples.setdefault(attribute, set()).add(str(shown))

    def _name(self, name: str, reason: str | None) -> str:
        """A name that no rule knows is shown to who writes the policy, if it can be nothing but a name."""
        if reason != _UNNAMED:
            return name
        shown = SHAPES["name"](name)
        return _HIDDEN if shown is None or self._sanitizer.finds(name) else name


def report(trial: Trial) -> Iterator[str]:
    """Yield the lines of what is kept, replaced and removed."""
    sums: Counter[str] = Counter()
    groups: dict[str, list[str]] = {"kept": [], "replaced": [], "removed": [], "unknown": []}
    for attribute, outcomes in sorted(trial.outcomes.items()):
        for outcome, times in sorted(outcomes.items()):
            group = _group(outcome)
            sums[group] += times
            groups[group].append(_line(trial, attribute, outcome, times))
    for group, title in (
        ("kept", "Kept"),
        ("replaced", "Replaced"),
        ("removed", "Removed by name, shape or detector"),
        ("unknown", "Removed because no rule names it"),
    ):
        yield f"\n{title}: {sums[group]} values"
        yield from groups[group][:_MOST_UNKNOWN]
        if len(groups[group]) > _MOST_UNKNOWN:
            yield f"  ... and {len(groups[group]) - _MOST_UNKNOWN} more"


def differences(tried: Trial, current: Trial) -> Iterator[str]:
    """Yield a line for each attribute whose values fare otherwise under the one than under the other."""
    for attribute in sorted(tried.outcomes.keys() | current.outcomes.keys()):
        new, old = tried.outcomes.get(attribute, Counter()), current.outcomes.get(attribute, Counter())
        if new != old:
            kind, name = attribute
            yield f"  {safe(name)} ({kind}): {_told(new)}; in force: {_told(old)}"


def _told(outcomes: Counter[str]) -> str:
    return ", ".join(f"{outcome} {times}" for outcome, times in sorted(outcomes.items())) or "named otherwise"


def _line(trial: Trial, attribute: Attribute, outcome: str, times: int) -> str:
    told = f"  {times:7}  {safe(attribute[1])}"
    if outcome == _KEPT:
        seen = sorted(trial.examples.get(attribute, ()))
        shown = ", ".join(safe(text) for text in seen[:_MOST_EXAMPLES])
        return f"{told}: {shown}{', ...' if len(seen) > _MOST_EXAMPLES else ''}"
    return told if outcome == _UNNAMED else f"{told}: {outcome}"


def _group(outcome: str) -> str:
    if outcome in {_KEPT, _UNNAMED}:
        return outcome
    return "replaced" if outcome.startswith(("pseudonymize:", "generalize:", "mask:")) else "removed"
