"""Gives what may be shown for a name from a trace: itself if the policy keeps it, or a pseudonym."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache

from functions.evidence.redaction.pseudonyms import Pseudonyms
from functions.evidence.redaction.sanitizer import SanitizedRow
from functions.traces.model import TraceRow

_TABLE = "AppDependencies"
_EPOCH = datetime.fromtimestamp(0, UTC)
_REMEMBERED = 10_000


class ShownNames:
    """Names as the redaction policy lets them be seen. Pure: equal names give equal answers.

    Args:
        sanitize: `Sanitizer.sanitize`.
        pseudonyms: For names that may not be shown.
        documents: The property that carries document ids, whose rule decides about them; "" where none does.
    """

    def __init__(
        self, sanitize: Callable[[TraceRow], SanitizedRow], pseudonyms: Pseudonyms, documents: str = ""
    ) -> None:
        self._sanitize = sanitize
        self._pseudonyms = pseudonyms
        self._properties = {
            "agent": "gen_ai.agent.name",
            "tool": "gen_ai.tool.name",
            "document": documents,
        }
        self.name = lru_cache(maxsize=_REMEMBERED)(self._name)

    def _name(self, kind: str, value: str) -> str:
        """Return what is shown for an agent, a tool, a document or a release; "" stays ""."""
        if not value:
            return ""
        if kind == "release":
            shown = self._row(columns={"AppVersion": value}).columns.get("AppVersion")
        else:
            name = self._properties[kind]
            shown = self._row(properties={name: value}).properties.get(name)
        return str(shown) if shown else self._pseudonyms.of(kind, value)

    def ids(self, trace_id: str, run_id: str) -> tuple[str, str]:
        """Return a trace's and a span's id as the other files of a bundle show them."""
        row = self._row(trace_id, run_id)
        return row.trace_id, row.span_id

    def _row(
        self,
        trace_id: str = "0" * 32,
        span_id: str = "",
        columns: dict[str, str] | None = None,
        properties: dict[str, str] | None = None,
    ) -> TraceRow:
        row = TraceRow(_TABLE, trace_id, span_id, "", _EPOCH, _EPOCH, columns or {}, properties or {})
        return self._sanitize(row).row
