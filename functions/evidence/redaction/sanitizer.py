"""Makes rows safe to show, by allow-list only; `rescan` proves it on the finished bytes.

Only what the policy names leaves; a kept value has its rule's shape and no detector finds anything in it.
Names of properties are as hostile as their values: an unknown one is counted and appears only as a pseudonym,
and of one that only a prefix knows the rest does.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from functions.errors import RedactionFailure
from functions.evidence.detectors import Detectors
from functions.evidence.redaction.policy import Drop, Generalize, Keep, Kind, Mask, Policy, Pseudonymize, Rule
from functions.evidence.redaction.pseudonyms import Pseudonyms
from functions.evidence.redaction.shapes import Shape
from functions.traces.model import TABLES, Scalar, TraceRow

_TRACE_ID = re.compile(r"[0-9a-f]{32}")
_SPAN_ID = re.compile(r"[0-9a-f]{16}")

_SURE_TRACE_ID = re.compile(r"(?=[0-9]*[a-f])[0-9a-f]{32}")
_SURE_SPAN_ID = re.compile(r"(?=[0-9]*[a-f])[0-9a-f]{16}|")
"""With a letter in it an id looks like nobody's number."""

_MakeSafe = Callable[[str, Pseudonyms, Detectors], str]

_MOST_LAYOUTS = 2_000
_MOST_REMEMBERED = 50_000
"""Verdicts, some 20 MB of them."""

_LONGEST_REMEMBERED = 128
_WHOLE = frozenset({bool, int})

PREVIOUS = ".previous"
"""Behind a name: its value's pseudonym under the previous key, while both keys are in use."""


@dataclass(frozen=True, slots=True)
class SanitizedRow:
    """A row that may be shown, and what was done to it.

    Attributes:
        row: Only safe ids, columns and properties.
        reasons: For each value dropped or replaced the rule: "drop:Url", "pseudonymize:UserId",
            "generalize:tool.age", "mask:gen_ai.prompt" (it goes to content.jsonl), "unknown",
            "misfit:span_id", "misfit:gen_ai.agent.name" (not of the rule's shape), "detector:email".
        unknown: Pseudonyms of the names that the policy does not know.
    """

    row: TraceRow
    reasons: tuple[str, ...]
    unknown: frozenset[str]

    @property
    def removed(self) -> Mapping[str, int]:
        """How many values went under each reason."""
        return Counter(self.reasons)


_Verdict = tuple[Scalar | None, str | None, str | None]
"""What is shown of a value (None: nothing), the reason that it goes under (None: kept as it is), and the
pseudonym under the previous key, where there is one."""


class _Plan:
    """What happens to the values of one column or property of one table; remembers its verdicts."""

    __slots__ = ("always", "measure", "name", "numbers", "rule", "texts", "unknown")

    def __init__(self, name: str, rule: Rule | None, always: str | None, unknown: str) -> None:
        self.name = name
        self.rule = rule
        self.always = always
        self.unknown = unknown
        # Measured values hardly ever repeat, so that they are not remembered but judged by the shape at once.
        self.measure: Shape | None = None
        match rule:
            case Rule(action=Keep(shape, searched=False)):
                self.measure = shape
        self.texts: dict[str, _Verdict] = {}
        self.numbers: dict[tuple[type, Any], _Verdict] = {}  # by type, because True and 1 are equal


@dataclass(frozen=True, slots=True)
class _Layout:
    """What happens to rows that have the same columns or properties.

    Attributes:
        judged: The names whose values are judged, and the plans for these.
        reasons: For each other name the reason that its value goes under.
        unknown: Pseudonyms of the names that no rule knows.
    """

    judged: tuple[tuple[str, _Plan], ...]
    reasons: tuple[str, ...]
    unknown: frozenset[str]


class Sanitizer:
    """Applies one policy. Pure: equal rows give equal results. Safe to share between threads."""

    def __init__(self, policy: Policy, pseudonyms: Pseudonyms, detectors: Detectors) -> None:
        self._policy = policy
        self._pseudonyms = pseudonyms
        self._detectors = detectors
        # Nearly all names and values repeat from row to row, and most rows have the same names as others.
        self._plans: dict[tuple[Kind, str, str], _Plan] = {}
        self._layouts: dict[tuple[Kind, str, tuple[str, ...]], _Layout] = {}
        self._remembered = 0

    def sanitize(self, row: TraceRow) -> SanitizedRow:
        """Return what of a row may be shown.

        Raises:
            RedactionFailure: The row is of no table that the policy was written for.
        """
        table = row.table
        if table not in TABLES:
            raise RedactionFailure(
                "A row is of a table that has no redaction rules.",
                next_step="Report this: the export asked for a table that it does not know.",
            )
        reasons: list[str] = []
        columns, unknown = self._safe("columns", table, row.columns, reasons)
        properties, more = self._safe("properties", table, row.properties, reasons)
        trace_id, span_id, parent_id = row.trace_id, row.span_id, row.parent_id
        if _SURE_TRACE_ID.fullmatch(trace_id) is None:
            trace_id = self._safe_id(safe_trace_id, "misfit:trace_id", trace_id, reasons)
        if _SURE_SPAN_ID.fullmatch(span_id) is None:
            span_id = self._safe_id(safe_span_id, "misfit:span_id", span_id, reasons)
        if _SURE_SPAN_ID.fullmatch(parent_id) is None:
            parent_id = self._safe_id(safe_span_id, "misfit:parent_id", parent_id, reasons)
        return SanitizedRow(
            TraceRow(table, trace_id, span_id, parent_id, row.time, row.received, columns, properties),
            tuple(reasons),
            unknown | more if more else unknown,
        )

    def judge(self, kind: Kind, table: str, name: str, value: Any) -> tuple[Scalar | None, str | None]:
        """Return what is shown of one value, and its reason; see `SanitizedRow.reasons`."""
        plan = self._plan_by(self._rule(kind, table, name), name)
        if plan.always is not None:
            return None, plan.always
        return self._judge(plan.rule, value, as_text=kind == "properties")[:2]

    def finds(self, text: str) -> bool:
        """Say whether a detector finds something in a text."""
        return bool(self._detectors.find(text))

    def _rule(self, kind: Kind, table: str, name: str) -> Rule | None:
        find = self._policy.rule_for_column if kind == "columns" else self._policy.rule_for_property
        return find(table, name)

    def _safe(
        self, kind: Kind, table: str, values: Mapping[str, Any], reasons: list[str]
    ) -> tuple[dict[str, Any], frozenset[str]]:
        layout = self._layouts.get((kind, table, names := tuple(values))) or self._layout(kind, table, names)
        reasons += layout.reasons
        safe: dict[str, Any] = {}
        for name, plan in layout.judged:
            value = values[name]
            if value.__class__ is str:
                verdict = plan.texts.get(value)
            elif value.__class__ is float and plan.measure and (measured := plan.measure(value)) is not None:
                safe[plan.name] = measured
                continue
            else:
                verdict = plan.numbers.get((value.__class__, value)) if value.__class__ in _WHOLE else None
            if verdict is None:
                verdict = self._verdict(plan, value, as_text=kind == "properties")
            shown, reason, previous = verdict
            if reason is not None:
                reasons.append(reason)
            if shown is not None:
                safe[plan.name] = shown
                if previous is not None:
                    safe[plan.name + PREVIOUS] = previous
        return safe, layout.unknown

    def _layout(self, kind: Kind, table: str, names: tuple[str, ...]) -> _Layout:
        plans = [(name, self._plan(kind, table, name)) for name in names]
        layout = _Layout(
            tuple((name, plan) for name, plan in plans if plan.always is None),
            tuple(plan.always for _, plan in plans if plan.always is not None),
            frozenset(plan.unknown for _, plan in plans if plan.unknown),
        )
        if len(self._layouts) >= _MOST_LAYOUTS:
            self._forget()
        self._layouts[kind, table, names] = layout
        return layout

    def _plan(self, kind: Kind, table: str, name: str) -> _Plan:
        plan = self._plans.get((kind, table, name))
        if plan is None:
            plan = self._plan_by(self._rule(kind, table, name), name)
            self._plans[kind, table, name] = plan
        return plan

    def _safe_id(self, make: _MakeSafe, reason: str, value: str, reasons: list[str]) -> str:
        safe = make(value, self._pseudonyms, self._detectors)
        if safe != value:
            reasons.append(reason)
        return safe

    def _plan_by(self, rule: Rule | None, name: str) -> _Plan:
        if rule is None:
            return _Plan("", None, "unknown", self._pseudonyms.of("attribute", name))
        match rule.action:
            case Drop():
                return _Plan("", rule, f"drop:{rule.name}", "")
            case Mask():
                return _Plan("", rule, f"mask:{rule.name}", "")
        rest = name.removeprefix(rule.prefix)
        shown = rule.prefix + self._pseudonyms.of("attribute", rest) if rule.prefix else name
        return _Plan(shown, rule, None, "")

    def _verdict(self, plan: _Plan, value: Any, *, as_text: bool) -> _Verdict:
        verdict = self._judge(plan.rule, value, as_text=as_text)
        if value.__class__ is str and len(value) <= _LONGEST_REMEMBERED:
            plan.texts[value] = verdict
        elif value.__class__ in _WHOLE:
            plan.numbers[value.__class__, value] = verdict
        else:
            return verdict
        self._remembered += 1
        if self._remembered >= _MOST_REMEMBERED:
            self._forget()
        return verdict

    def _forget(self) -> None:
        """Begin anew: whoever sends telemetry may send any number of names and values."""
        self._plans.clear()
        self._layouts.clear()
        self._remembered = 0

    def _judge(self, rule: Rule | None, value: Any, *, as_text: bool) -> _Verdict:
        match rule:
            case Rule(action=Keep(shape, searched=False)) if (shown := shape(value)) is not None:
                return (str(shown) if as_text else shown), None, None
            case Rule(name=name, action=Pseudonymize(domain)):
                if not isinstance(value, Scalar) or value == "":
                    return None, f"misfit:{name}", None
                older = self._pseudonyms.previous
                return (
                    self._pseudonyms.of(domain, str(value)),
                    f"pseudonymize:{name}",
                    older.of(domain, str(value)) if older else None,
                )
            case Rule(name=name, action=Keep(shape) | Generalize(shape) as action):
                shown = shape(value)
                if shown is None:
                    return None, f"misfit:{name}", None
                searched = not isinstance(action, Keep) or action.searched
                if searched and (hits := self._detectors.find(str(shown))):
                    return None, f"detector:{hits[0].type}", None
                reason = f"generalize:{name}" if isinstance(action, Generalize) else None
                return (str(shown) if as_text else shown), reason, None
            case _:
                raise ValueError("This rule has no verdicts.")


def safe_trace_id(value: str, pseudonyms: Pseudonyms, detectors: Detectors) -> str:
    """Return a trace id as it is, or what stands for one that is none or looks like somebody's number."""
    if _TRACE_ID.fullmatch(value) and not (value.isdigit() and detectors.find(value)):
        return value
    return pseudonyms.hex_id("trace", value, 32)


def safe_span_id(value: str, pseudonyms: Pseudonyms, detectors: Detectors) -> str:
    """Return a span id likewise: what stands for it links the same rows; "" stays so."""
    if not value or (_SPAN_ID.fullmatch(value) and not (value.isdigit() and detectors.find(value))):
        return value
    return pseudonyms.hex_id("span", value, 16)
