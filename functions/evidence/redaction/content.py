"""What people and models said, masked: the lines of content.jsonl in a bundle of the profile `content`.

Content comes from the rows of AppGenAIContent, or from the rows of the trace where it still lies in them.
Only what the policy masks in the profile is taken.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

import orjson

from functions.errors import RedactionFailure, SourceError
from functions.evidence.detectors import Detectors
from functions.evidence.redaction.masking import mask
from functions.evidence.redaction.messages import UNSHOWN, MessagePart, read_parts
from functions.evidence.redaction.policy import Mask, Policy
from functions.evidence.redaction.pseudonyms import Pseudonyms
from functions.evidence.redaction.rescan import rescan
from functions.evidence.redaction.sanitizer import safe_span_id, safe_trace_id
from functions.evidence.redaction.shapes import SHAPES
from functions.traces.model import TraceRow
from functions.traces.source import Cell

CONTENT_TABLE = "AppGenAIContent"

CONTENT_COLUMNS: Mapping[str, str] = {
    "InputMessages": "gen_ai.input.messages",
    "OutputMessages": "gen_ai.output.messages",
    "SystemInstructions": "gen_ai.system_instructions",
    "ToolDefinitions": "gen_ai.tool.definitions",
    "ToolCallArguments": "gen_ai.tool.call.arguments",
    "ToolCallResult": "gen_ai.tool.call.result",
    "EvaluationExplanation": "gen_ai.evaluation.explanation",
}
"""The columns of AppGenAIContent that hold content, and the attributes whose values they were."""

POINTER = "_MS.GenAIContentId"

NAMES_STAY = (
    "Names and street addresses of people can't be found by patterns: they are still in this content. "
    "Show it only to those who may know them, or ask for the structure alone."
)
"""For the report and redactions.json of a bundle with masked text."""


Shown = Literal["masked", "structure", "withheld"]


@dataclass(frozen=True, slots=True)
class ContentPart:
    """One line of content.jsonl; everything in it may be shown.

    Attributes:
        trace_id: 32 hex digits.
        span_id: 16 hex digits, or "" where the row hangs on no span.
        time: When its row was, ISO 8601, UTC.
        kind: The rule of the policy that it was taken by: "gen_ai.input.messages", "AppTraces.Message".
        number: Its place among the parts of that value, from 0.
        role: "system", "user", "assistant", "tool", "developer", "other", or "" where there is none.
        part: What it is: "text", "tool_call", "tool_call_response", "tool_definition", "reasoning", "other".
        tool: The tool's name, "" where there is none or it must not be shown.
        characters: How long the text was before it was masked.
        shown: "masked", or "structure" where the text was not asked for, or "withheld" where it is none or
            nothing made it safe.
        text: The masked text; None unless `shown` is "masked".
        found: How many stretches each detector found in it.
    """

    trace_id: str
    span_id: str
    time: str
    kind: str
    number: int
    role: str
    part: str
    tool: str
    characters: int
    shown: Shown
    text: str | None
    found: Mapping[str, int]

    @property
    def order(self) -> tuple[str, str, str, str, int, bytes]:
        """What parts are sorted by: a total order over equal telemetry, trace by trace."""
        return self.trace_id, self.time, self.span_id, self.kind, self.number, encode_content(self)


def content_line(part: ContentPart) -> bytes:
    """Return it as a line of a job's part (without its end), trace id first: lines sort as the parts do.

    The mark before the time lets it come behind all rows of its trace.
    """
    head = f'["{part.trace_id}","~{part.time}","{part.span_id}","{part.kind}","{part.number:09}",'
    return head.encode() + orjson.dumps(asdict(part), option=orjson.OPT_SORT_KEYS) + b"]"


def content_of(line: bytes) -> ContentPart:
    """Read back what `content_line` gave."""
    return ContentPart(**orjson.loads(line)[5])


def encode_content(part: ContentPart) -> bytes:
    """Return the line of content.jsonl, with its end."""
    line = {name: getattr(part, name) for name in _FIELDS}
    return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)


_FIELDS = tuple(ContentPart.__dataclass_fields__)


def points_to_content(row: TraceRow) -> bool:
    """Say whether a raw row's content was moved to AppGenAIContent.

    A reader who may not see a protected table gets no rows and no error: count the rows that point there, and
    the rows that the table gave, and call the export incomplete where they differ.
    """
    return POINTER in row.properties


class ContentReader:
    """Turns raw rows into lines that may be shown. Pure: equal rows give equal lines.

    Args:
        policy: As the profile `content` sees it.
        pseudonyms: For ids that are none.
        detectors: What to mask by.
        structure_only: Give roles, lengths and tool names, and no text.
    """

    def __init__(
        self, policy: Policy, pseudonyms: Pseudonyms, detectors: Detectors, *, structure_only: bool = False
    ) -> None:
        self._policy = policy
        self._pseudonyms = pseudonyms
        self._detectors = detectors
        self._structure_only = structure_only

    def inline(self, row: TraceRow) -> Iterator[ContentPart]:
        """Yield the content that a raw row of the trace's tables still has in it."""
        moved = points_to_content(row)
        where = (row.trace_id, row.span_id or row.parent_id, row.time)
        for name, value in row.properties.items():
            if moved and name in _MOVED:
                continue  # the value is a pointer
            rule = self._policy.rule_for_property(row.table, name)
            if rule is not None and isinstance(rule.action, Mask):
                yield from self._parts(where, rule.name, name, value)
        for name, cell in row.columns.items():
            rule = self._policy.rule_for_column(row.table, name)
            if rule is not None and isinstance(rule.action, Mask):
                yield from self._parts(where, rule.name, name, str(cell))

    def moved(self, record: Mapping[str, Cell]) -> Iterator[ContentPart]:
        """Yield the content of a row of AppGenAIContent.

        Args:
            record: Its cells by column: TimeGenerated, TraceId, SpanId and those of `CONTENT_COLUMNS`.

        Raises:
            SourceError: TimeGenerated is no datetime.
        """
        time = record["TimeGenerated"]
        if not isinstance(time, datetime):
            raise SourceError(
                "The source answered with another type than asked for in the column TimeGenerated.",
                next_step="Check the table's schema in the workspace.",
            )
        where = (str(record["TraceId"] or ""), str(record["SpanId"] or ""), time)
        for column, name in CONTENT_COLUMNS.items():
            cell = record.get(column)
            rule = self._policy.rule_for_property(CONTENT_TABLE, name)
            if cell not in {None, ""} and rule is not None and isinstance(rule.action, Mask):
                yield from self._parts(where, rule.name, name, str(cell))

    def _parts(
        self, where: tuple[str, str, datetime], kind: str, name: str, text: str
    ) -> Iterator[ContentPart]:
        trace_id, span_id, time = where
        trace_id = safe_trace_id(trace_id, self._pseudonyms, self._detectors)
        span_id = safe_span_id(span_id, self._pseudonyms, self._detectors)
        moment = time.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        text = text.encode("utf-8", "replace").decode()  # a lone surrogate stands for nothing
        for number, part in enumerate(read_parts(name, text)):
            yield self._proven(
                ContentPart(
                    trace_id=trace_id,
                    span_id=span_id,
                    time=moment,
                    kind=kind,
                    number=number,
                    role=part.role,
                    part=part.part,
                    tool=self._tool(part.tool),
                    characters=_length(part.value),
                    **self._shown(part),
                )
            )

    def _shown(self, part: MessagePart) -> Mapping[str, Any]:
        if self._structure_only:
            return {"shown": "structure", "text": None, "found": {}}
        if part.part in UNSHOWN:
            return {"shown": "withheld", "text": None, "found": {}}
        masked = mask(part.value, self._detectors)
        return {
            "shown": "withheld" if masked.text is None else "masked",
            "text": masked.text,
            "found": masked.found,
        }

    def _tool(self, name: str) -> str:
        shown = SHAPES["name"](name)
        return "" if shown is None or self._detectors.find(name) else name

    def _proven(self, part: ContentPart) -> ContentPart:
        """Return the line as the rescan accepts it: without its text, where something is found in that."""
        try:
            rescan(encode_content(part), self._detectors)
        except RedactionFailure:
            return replace(part, shown="withheld", text=None, tool="")
        return part


_MOVED = frozenset(CONTENT_COLUMNS.values())


def _length(value: Any) -> int:
    return len(value) if isinstance(value, str) else len(orjson.dumps(value).decode())
