"""What people and models said, masked: the lines of content.jsonl in a bundle of the profile `content`.

Content comes from the rows of AppGenAIContent, or from the rows of the trace where it still lies in them.
Only what the policy masks in the profile is taken.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from functions.evidence.detectors import Detectors
from functions.evidence.policy import Policy
from functions.evidence.pseudonyms import Pseudonyms
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


@dataclass(frozen=True, slots=True)
class ContentPart:
    """One line of content.jsonl; everything in it may be shown.

    Attributes:
        trace_id: 32 hex digits.
        span_id: 16 hex digits, or "" where the row hangs on no span.
        time: When its row was, ISO 8601, UTC.
        kind: The attribute or column that it was in, by its name in the policy: "gen_ai.input.messages".
        number: Its place among the parts of that value, from 0.
        role: "system", "user", "assistant", "tool", "developer", "other", or "" where there is none.
        part: What it is: "text", "tool_call", "tool_call_response", "tool_definition", "reasoning", "other".
        tool: The tool's name, "" where there is none or it must not be shown.
        characters: How long the text was before it was masked.
        text: The masked text; None where only the structure is shown, or where nothing could make it safe.
        found: How many stretches each detector found in it.
        lookalikes: Ids of the line that a detector takes for something else; the rescan must excuse them.
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
    text: str | None
    found: Mapping[str, int]
    lookalikes: frozenset[str] = frozenset()

    @property
    def order(self) -> tuple[str, str, str, str, int, bytes]:
        """What lines are sorted by: a total order over equal telemetry, trace by trace."""
        return self.trace_id, self.time, self.span_id, self.kind, self.number, encode_content(self)

    def body(self) -> dict[str, Any]:
        """Return it as a JSON object, for a part of a job; `stored_content` reads it."""
        raise NotImplementedError


def stored_content(body: Mapping[str, Any]) -> ContentPart:
    """Return what `ContentPart.body` gave."""
    raise NotImplementedError


def encode_content(part: ContentPart) -> bytes:
    """Return the line of content.jsonl, with its end."""
    raise NotImplementedError


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
        raise NotImplementedError

    def inline(self, row: TraceRow) -> Iterable[ContentPart]:
        """Return the content that a raw row of the trace's tables still has in it."""
        raise NotImplementedError

    def moved(self, record: Mapping[str, Cell]) -> Iterator[ContentPart]:
        """Return the content of a row of AppGenAIContent.

        Args:
            record: Its cells by column: TimeGenerated, TraceId, SpanId and those of `CONTENT_COLUMNS`.

        Raises:
            SourceError: TimeGenerated is no datetime.
        """
        raise NotImplementedError
