"""Makes rows safe to show, by allow-list only, and proves it on the finished bytes.

Only what the policy names leaves; a kept value has its rule's shape and no detector finds anything in it.
Names of properties are as hostile as their values: an unknown one is counted and appears only as a pseudonym.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from typing import Any

from functions.errors import RedactionFailure
from functions.evidence.detectors import Detectors
from functions.evidence.policy import Drop, Keep, Policy, Pseudonymize, Rule
from functions.evidence.pseudonyms import Pseudonyms
from functions.traces.model import TABLES, Scalar, TraceRow

_TRACE_ID = re.compile(r"[0-9a-f]{32}")
_SPAN_ID = re.compile(r"[0-9a-f]{16}")

_REMEMBERED_VALUES = 10_000
_LONGEST_REMEMBERED = 128

# A letter escape in JSON ("\n") would stand before a number like a part of a word.
_JSON_ESCAPE = re.compile(rb"\\[bfnrt]")


@dataclass(frozen=True, slots=True)
class SanitizedRow:
    """A row that may be shown, and what was done to it.

    Attributes:
        row: Only safe ids, columns and properties.
        removed: How many values each rule dropped or replaced: "drop:Url", "pseudonymize:UserId", "unknown",
            "misfit:gen_ai.agent.name" (not of the rule's shape), "detector:email", "misfit:span_id".
        unknown: Pseudonyms of the names that the policy does not know.
        lookalikes: Ids of the row that a detector takes for something else; the rescan must excuse them.
    """

    row: TraceRow
    removed: Mapping[str, int]
    unknown: frozenset[str]
    lookalikes: frozenset[str]


@dataclass(slots=True)
class _Record:
    removed: Counter[str] = field(default_factory=Counter)
    unknown: set[str] = field(default_factory=set)


class Sanitizer:
    """Applies one policy. Pure: equal rows give equal results."""

    def __init__(self, policy: Policy, pseudonyms: Pseudonyms, detectors: Detectors) -> None:
        self._policy = policy
        self._pseudonyms = pseudonyms
        self._detectors = detectors
        # Nearly all names and values repeat from row to row. `typed`, because True, 1 and 1.0 are equal.
        self._unknown_name = lru_cache(maxsize=_REMEMBERED_VALUES)(partial(pseudonyms.of, "attribute"))
        self._judged = lru_cache(maxsize=_REMEMBERED_VALUES, typed=True)(self._judge)

    def sanitize(self, row: TraceRow) -> SanitizedRow:
        """Return what of a row may be shown.

        Raises:
            RedactionFailure: The row is of no table that the policy was written for.
        """
        if row.table not in TABLES:
            raise RedactionFailure(
                "A row is of a table that has no redaction rules.",
                next_step="Report this: the export asked for a table that it does not know.",
            )
        record = _Record()
        columns = self._safe(
            (
                (name, self._policy.rule_for_column(row.table, name), value)
                for name, value in row.columns.items()
            ),
            record,
        )
        properties = self._safe(
            ((name, self._policy.rule_for_property(name), value) for name, value in row.properties.items()),
            record,
        )
        safe = replace(
            row,
            trace_id=self._trace_id(row.trace_id, record),
            span_id=self._span_id("span_id", row.span_id, record),
            parent_id=self._span_id("parent_id", row.parent_id, record),
            columns=columns,
            properties={name: str(value) for name, value in properties.items()},
        )
        return SanitizedRow(safe, dict(record.removed), frozenset(record.unknown), self._lookalikes(safe))

    def _safe(self, values: Iterable[tuple[str, Rule | None, Any]], record: _Record) -> dict[str, Scalar]:
        safe: dict[str, Scalar] = {}
        for name, rule, value in values:
            if rule is None:
                record.removed["unknown"] += 1
                record.unknown.add(self._unknown_name(name))
                continue
            short = isinstance(value, Scalar) and len(str(value)) <= _LONGEST_REMEMBERED
            shown, reason = self._judged(rule, value) if short else self._judge(rule, value)
            if reason is not None:
                record.removed[reason] += 1
            if shown is not None:
                safe[name] = shown
        return safe

    def _judge(self, rule: Rule, value: Any) -> tuple[Scalar | None, str | None]:
        """Return what is shown (None: nothing) and the count that the value goes under (None: kept as is)."""
        match rule.action:
            case Drop():
                return None, f"drop:{rule.name}"
            case Pseudonymize(domain):
                if not isinstance(value, Scalar) or value == "":
                    return None, f"misfit:{rule.name}"
                return self._pseudonyms.of(domain, str(value)), f"pseudonymize:{rule.name}"
            case Keep(shape):
                kept = shape(value)
                if kept is None:
                    return None, f"misfit:{rule.name}"
                hits = self._detectors.find(str(kept))
                return (None, f"detector:{hits[0].type}") if hits else (kept, None)

    def _trace_id(self, value: str, record: _Record) -> str:
        if _TRACE_ID.fullmatch(value):
            return value
        record.removed["misfit:trace_id"] += 1
        return self._pseudonyms.hex_id("trace", value, 32)

    def _span_id(self, name: str, value: str, record: _Record) -> str:
        """A span id that is none becomes another that links the same rows; rows without one stay without."""
        if value == "" or _SPAN_ID.fullmatch(value):
            return value
        record.removed[f"misfit:{name}"] += 1
        return self._pseudonyms.hex_id("span", value, 16)

    def _lookalikes(self, row: TraceRow) -> frozenset[str]:
        """Return the ids in which a detector finds something; one with a letter can't look like a number."""
        ids = {row.trace_id, row.span_id, row.parent_id}
        return frozenset(value for value in ids if value.isdigit() and self._detectors.find(value))


def rescan(data: bytes, detectors: Detectors, *, lookalikes: Collection[str] = ()) -> None:
    """Search the finished bytes of one payload file for anything that must not leave.

    Ids of fixed length with a letter in them, instants, epochs and pseudonyms are nothing to the detectors.

    Args:
        data: UTF-8 text: JSON, JSON Lines, CSV, HTML.
        detectors: What to search with.
        lookalikes: The ids in the data that look like something else (`SanitizedRow.lookalikes`), excused
            where they stand exactly.

    Raises:
        RedactionFailure: Something was found, or the bytes are not text. It names types, never values.
    """
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        raise _withheld("bytes that are not UTF-8") from None
    text = _JSON_ESCAPE.sub(b"  ", data)
    excused = {value.encode("utf-8") for value in lookalikes}
    found = Counter(
        hit.type for hit in detectors.find_bytes(text) if text[hit.start : hit.end] not in excused
    )
    if found:
        raise _withheld(", ".join(f"{kind} ({count})" for kind, count in sorted(found.items())))


def _withheld(found: str) -> RedactionFailure:
    return RedactionFailure(
        f"The rescan of the finished bytes found {found}.",
        next_step="The export is withheld. Drop the attribute in redaction.yaml and export again.",
    )
