"""What is recorded of a run, as far as controls need it. Names and ids in it are hostile."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

MOST_LISTS = 100
"""Different lists of documents that are read of one run."""


@dataclass(frozen=True, slots=True)
class ToolCalls:
    """Calls of one tool that the configuration names, or of all others together.

    Attributes:
        names: The tool's name, or the first fifty of the others; "" where none is recorded. Hostile.
        known: Whether the configuration names it.
        calls: How many.
        succeeded: Calls that did.
        unsaid: Calls of which it is not recorded whether they did.
        undated: Calls that succeeded without saying how old their data is.
        oldest_minutes: Age of the oldest data of those that succeeded; None where none is dated.
        newest_minutes: Age of the newest; below 0 where it is dated after the call.
    """

    names: tuple[str, ...]
    known: bool
    calls: int
    succeeded: int
    unsaid: int
    undated: int
    oldest_minutes: float | None
    newest_minutes: float | None


@dataclass(frozen=True, slots=True)
class Documents:
    """What a run's searches found.

    Attributes:
        unnamed: Those that found something, or may have, and do not say what.
        lists: Different lists of ids as recorded, the first `MOST_LISTS` and one. Hostile.
    """

    unnamed: int = 0
    lists: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TraceFacts:
    """What holds for all runs of a trace.

    Attributes:
        sampled: Rows that stand for more than one.
        tops: Requests and spans without a parent: the beginning of the trace.
        loose: Model, tool and search spans that belong to no run known.
        orphans: Spans whose parent is not there.
        exposed: Attributes with content on rows that belong to no run known, to their count.
    """

    sampled: int = 0
    tops: int = 1
    loose: int = 0
    orphans: int = 0
    exposed: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What is recorded of one run. Names and ids in it are hostile.

    Attributes:
        trace_id: OperationId.
        run_id: Id of its own span.
        time: When it began, UTC.
        received: When its own span was received, UTC.
        agent: As agents.yaml names it; "" where none is recorded.
        release: AppVersion; "" where none is recorded.
        intent: What the user wanted, likewise.
        route: The name of the trace's first request, likewise.
        dimensions: Of the business, by name.
        success: Whether it ended well; None where that is not recorded.
        duration_ms: How long it took, likewise.
        carried: Which of conversation, tenant, environment and release it carries.
        well_formed: Whether its conversation id, if any, has the form agreed.
        model_calls: How many there were.
        usage_missing: Those without token counts.
        tool_requests: Those that ended because the model asked for a tool.
        dialect: Of its own span, as the views tell them apart; "" where a request stands in for the run.
        tools: Its calls.
        documents: Its searches.
        exposed: Attributes with content in its rows, to how many rows.
        trace: What holds for its trace.
    """

    trace_id: str
    run_id: str
    time: datetime
    received: datetime
    agent: str
    release: str = ""
    intent: str = ""
    route: str = ""
    dimensions: Mapping[str, str] = field(default_factory=dict)
    success: bool | None = True
    duration_ms: float | None = None
    carried: frozenset[str] = frozenset()
    well_formed: bool = True
    model_calls: int = 0
    usage_missing: int = 0
    tool_requests: int = 0
    dialect: str = "opentelemetry"
    tools: tuple[ToolCalls, ...] = ()
    documents: Documents = Documents()
    exposed: Mapping[str, int] = field(default_factory=dict)
    trace: TraceFacts = TraceFacts()
