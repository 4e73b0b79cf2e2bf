"""Says in a few words what a span or an event tells beside its name and times. Pure; all of it is hostile."""

from collections.abc import Iterator
from datetime import UTC, datetime

from functions.evidence.report.step_reading import first
from functions.traces.agents import Attributes
from functions.traces.model import TraceRow

_REMARKABLE = frozenset({"length", "max_tokens", "content_filter", "refusal", "error"})
_MOST_DOCUMENTS = 6


def span_notes(row: TraceRow, attributes: Attributes) -> Iterator[str]:
    """Yield what a span tells of errors, of documents and of the age of its data."""
    failed = row.columns.get("Success") is False
    if error := row.properties.get("error.type", ""):
        yield f"error {error}"
    code = str(row.columns.get("ResultCode", ""))
    if failed and code not in {"", "0"}:
        yield f"result code {code}"
    for reason in row.properties.get("gen_ai.response.finish_reasons", "").split(","):
        if reason in _REMARKABLE:
            yield f"ended by {reason}"
    if count := first(row, *attributes.document_count):
        yield "no document found" if count == "0" else f"documents: {count}"
    if ids := first(row, *attributes.document_ids):
        listed = ids.split(",")
        more = len(listed) - _MOST_DOCUMENTS
        yield ", ".join(listed[:_MOST_DOCUMENTS]) + (f" and {more} more" if more > 0 else "")
    if age := data_age(row, attributes):
        yield age


def data_age(row: TraceRow, attributes: Attributes) -> str:
    """Return how old the data was that a span answered with; "" where it does not say."""
    as_of = first(row, *attributes.data_as_of)
    return _age(as_of, row.time) if as_of else ""


def event_note(row: TraceRow) -> str:
    """Return what an exception or an evaluation tells; "" for any other event."""
    if row.table == "AppExceptions":
        kind = row.columns.get("ExceptionType") or row.columns.get("OuterType") or ""
        return f"exception {kind}".rstrip()
    name = row.properties.get("gen_ai.evaluation.name", "")
    if not name:
        return ""
    told = (row.properties.get(f"gen_ai.evaluation.score.{part}", "") for part in ("label", "value"))
    return " ".join(("evaluation", name, *filter(None, told)))


def _age(as_of: str, at: datetime) -> str:
    try:
        instant = datetime.fromisoformat(as_of)
    except ValueError:
        return f"data as of {as_of}"
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=UTC)
    minutes = round((at - instant).total_seconds() / 60)
    if minutes < 0:
        return "data newer than the call"
    return f"data {minutes // 60} h {minutes % 60} min old" if minutes >= 60 else f"data {minutes} min old"
