"""Makes rows safe to show, by allow-list only; `rescan` proves it on the finished bytes.

Only what the policy names leaves; a kept value has its rule's shape and no detector finds anything in it.
Names of properties are as hostile as their values: an unknown one is counted and appears only as a pseudonym,
and of one that only a prefix knows the rest does.
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from functions.errors import RedactionFailure
from functions.evidence.detectors import Detectors
from functions.evidence.policy import Drop, Generalize, Keep, Kind, Mask, Policy, Pseudonymize, Rule
from functions.evidence.pseudonyms import Pseudonyms
from functions.traces.model import TABLES, Scalar, TraceRow

_TRACE_ID = re.compile(r"[0-9a-f]{32}")
_SPAN_ID = re.compile(r"[0-9a-f]{16}")

_REMEMBERED_NAMES = 10_000
_REMEMBERED_VALUES = 4_000
_LONGEST_REMEMBERED = 128

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
        lookalikes: Ids that the rescan must excuse: none, since those that look like a card are replaced.
    """

    row: TraceRow
    reasons: tuple[str, ...]
    unknown: frozenset[str]
    lookalikes: frozenset[str] = frozenset()

    @property
    def removed(self) -> Mapping[str, int]:
        """How many values went under each reason."""
        return Counter(self.reasons)


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What is shown of a value (None: nothing), and the reason that it goes under (None: kept as it is)."""

    shown: Scalar | None
    reason: str | None
    previous: str | None = None


class _Plan:
    """What happens to the values of one column or property of one table; remembers its verdicts."""

    __slots__ = ("always", "name", "rule", "unknown", "verdicts")

    def __init__(self, name: str, rule: Rule | None, always: str | None, unknown: str) -> None:
        self.name = name
        self.rule = rule
        self.always = always
        self.unknown = unknown
        self.verdicts: dict[str, _Verdict] = {}


class Sanitizer:
    """Applies one policy. Pure: equal rows give equal results. For one thread."""

    def __init__(self, policy: Policy, pseudonyms: Pseudonyms, detectors: Detectors) -> None:
        self._policy = policy
        self._pseudonyms = pseudonyms
        self._detectors = detectors
        # Nearly all names and values repeat from row to row.
        self._columns: dict[str, dict[str, _Plan]] = {table: {} for table in TABLES}
        self._properties: dict[str, dict[str, _Plan]] = {table: {} for table in TABLES}

    def sanitize(self, row: TraceRow) -> SanitizedRow:
        """Return what of a row may be shown.

        Raises:
            RedactionFailure: The row is of no table that the policy was written for.
        """
        table = row.table
        if table not in self._columns:
            raise RedactionFailure(
                "A row is of a table that has no redaction rules.",
                next_step="Report this: the export asked for a table that it does not know.",
            )
        reasons: list[str] = []
        unknown: list[str] = []
        columns = self._safe("columns", table, row.columns, reasons, unknown)
        properties = self._safe("properties", table, row.properties, reasons, unknown)
        trace_id = safe_trace_id(row.trace_id, self._pseudonyms, self._detectors)
        span_id = safe_span_id(row.span_id, self._pseudonyms, self._detectors)
        parent_id = safe_span_id(row.parent_id, self._pseudonyms, self._detectors)
        if trace_id != row.trace_id:
            reasons.append("misfit:trace_id")
        if span_id != row.span_id:
            reasons.append("misfit:span_id")
        if parent_id != row.parent_id:
            reasons.append("misfit:parent_id")
        return SanitizedRow(
            TraceRow(table, trace_id, span_id, parent_id, row.time, row.received, columns, properties),
            tuple(reasons),
            frozenset(unknown) if unknown else _NOTHING,
        )

    def judge(self, kind: Kind, table: str, name: str, value: Any) -> tuple[Scalar | None, str | None]:
        """Return what is shown of one value, and its reason; see `SanitizedRow.reasons`."""
        plan = self._plan_by(self._rule(kind, table, name), name)
        if plan.always is not None:
            return None, plan.always
        verdict = self._judge(plan.rule, value, as_text=kind == "properties")
        return verdict.shown, verdict.reason

    def finds(self, text: str) -> bool:
        """Say whether a detector finds something in a text."""
        return bool(self._detectors.find(text))

    def _rule(self, kind: Kind, table: str, name: str) -> Rule | None:
        find = self._policy.rule_for_column if kind == "columns" else self._policy.rule_for_property
        return find(table, name)

    def _safe(
        self,
        kind: Kind,
        table: str,
        values: Mapping[str, Any],
        reasons: list[str],
        unknown: list[str],
    ) -> dict[str, Any]:
        safe: dict[str, Any] = {}
        plans = (self._columns if kind == "columns" else self._properties)[table]
        for name, value in values.items():
            plan = plans.get(name) or self._plan(kind, table, name, plans)
            if plan.always is not None:
                reasons.append(plan.always)
                if plan.unknown:
                    unknown.append(plan.unknown)
                continue
            verdict = plan.verdicts.get(value) if value.__class__ is str else None
            if verdict is None:
                verdict = self._verdict(plan, value, as_text=kind == "properties")
            if verdict.reason is not None:
                reasons.append(verdict.reason)
            if verdict.shown is not None:
                safe[plan.name] = verdict.shown
                if verdict.previous is not None:
                    safe[plan.name + PREVIOUS] = verdict.previous
        return safe

    def _plan(self, kind: Kind, table: str, name: str, plans: dict[str, _Plan]) -> _Plan:
        plan = self._plan_by(self._rule(kind, table, name), name)
        if len(plans) >= _REMEMBERED_NAMES:
            plans.clear()
        plans[name] = plan
        return plan

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
            if len(plan.verdicts) >= _REMEMBERED_VALUES:
                plan.verdicts.clear()
            plan.verdicts[value] = verdict
        return verdict

    def _judge(self, rule: Rule | None, value: Any, *, as_text: bool) -> _Verdict:
        match rule:
            case Rule(name=name, action=Pseudonymize(domain)):
                if not isinstance(value, Scalar) or value == "":
                    return _Verdict(None, f"misfit:{name}")
                older = self._pseudonyms.previous
                return _Verdict(
                    self._pseudonyms.of(domain, str(value)),
                    f"pseudonymize:{name}",
                    older.of(domain, str(value)) if older else None,
                )
            case Rule(name=name, action=Keep(shape) | Generalize(shape) as action):
                shown = shape(value)
                if shown is None:
                    return _Verdict(None, f"misfit:{name}")
                searched = not isinstance(action, Keep) or action.searched
                if searched and (hits := self._detectors.find(str(shown))):
                    return _Verdict(None, f"detector:{hits[0].type}")
                reason = f"generalize:{name}" if isinstance(action, Generalize) else None
                return _Verdict(str(shown) if as_text else shown, reason)
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


_NOTHING: frozenset[str] = frozenset()
