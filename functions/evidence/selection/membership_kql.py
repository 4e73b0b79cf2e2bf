"""Writes the KQL that says which traces an export is about. Pure.

Every query leaves out rows that were ingested after the request, so that a job that is repeated means the
same traces. What is personal in a query is written by a function that the caller gives: once as it is, for
the source, and once as a pseudonym, for whoever reads the query.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from functions.access.scope import Scope
from functions.evidence.selection.selectors import Given, TimeWindow
from functions.traces.agents import Attributes
from functions.traces.kql import compose, first_property, instant, text
from functions.traces.model import CANARY_ROLE, TABLES
from functions.traces.sent_names import SENT_NAME, stands_for

TRACE_ID = "^[0-9a-f]{32}$"
SPAN_ID = "^[0-9a-f]{16}$"
"""What OpenTelemetry's ids look like; a row may carry anything."""

_LOGS = ("AppTraces", "AppEvents")  # the views have none of their rows but evaluations
_CONVERSATIONS = ("gen_ai.conversation.id", "traceloop.association.properties.session_id")

Write = Callable[[Given], str]
"""Returns how a value that was given appears in a query: as it is, or as what stands for it."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Which rows are looked at: TimeGenerated in [since, until), ingested before the cutoff. UTC."""

    since: datetime
    until: datetime
    cutoff: datetime

    def where(self) -> str:
        """Return the step that keeps these rows of a table."""
        return (
            f"where TimeGenerated >= {instant(self.since)} and TimeGenerated < {instant(self.until)}"
            f" and ingestion_time() < {instant(self.cutoff)}"
        )


@dataclass(frozen=True, slots=True)
class Limit:
    """How far a requester's role reaches; see `Scope`. Tenants are personal."""

    agents: tuple[str, ...] | None
    tenants: tuple[Given, ...] | None


def limit_of(scope: Scope, pseudonym: Callable[[str], str]) -> Limit | None:
    """Return the limit of a scope, None where it has none; `pseudonym` is that of a tenant."""
    if scope.unlimited:
        return None
    tenants = None if scope.tenants is None else sorted(scope.tenants)
    return Limit(
        agents=None if scope.agents is None else tuple(sorted(scope.agents)),
        tenants=None if tenants is None else tuple(Given(one, pseudonym(one)) for one in tenants),
    )


def views(attributes: Attributes, bounds: Bounds, among: Iterable[str] | None = None) -> str:
    """Return the statements that define `spans` and `runs`; of these traces alone, where ids are given."""
    composed = compose(
        "",
        attributes=attributes,
        tables=(),
        received_from=bounds.since,
        received_to=bounds.cutoff,
        every=timedelta(days=1),
        lookback=timedelta(0),
        settle=timedelta(0),
        among="" if among is None else ", ".join(map(text, among)),
    )
    return f"{composed.strip()}\n"


def all_in_window(window: TimeWindow, bounds: Bounds) -> str:
    """Return the query for the OperationIds with a row in the window, whoever they are of."""
    inside = Bounds(window.start, window.end, bounds.cutoff)
    steps = (
        inside.where(),
        f"where isnotempty(OperationId) and AppRoleName != {text(CANARY_ROLE)}",
        "project OperationId",
    )
    return f"{union(*steps)}\n| distinct OperationId"


def fitting_in_window(window: TimeWindow, write: Write) -> str:
    """Return the query over `spans` for the OperationIds with a row in the window that fits its filters."""
    return (
        f"spans\n| where {_began(window)}{_fits(window, write)}"
        "\n| project OperationId = TraceId\n| distinct OperationId"
    )


def population(window: TimeWindow, stratum: str | None, write: Write, *, limited: bool) -> str:
    """Return the query over `runs` for a sample's population: TraceId, RunId, Stratum, ItemCount, Usable."""
    inside = "\n| where TraceId in (Inside)" if limited else ""
    return (
        f"runs\n| where {_began(window)}{_fits(window, write)}"
        f"{inside}\n| project TraceId, RunId, Stratum = {_stratum(stratum)}, ItemCount,"
        f" Usable = TraceId matches regex {text(TRACE_ID)} and RunId matches regex {text(SPAN_ID)}"
    )


def inside_let(limit: Limit, attributes: Attributes, bounds: Bounds, write: Write) -> str:
    """Return the statement that defines `Inside`: OperationIds of traces that the limit lets through.

    All agents and tenants that a trace names, in logs too, must be inside, and it must name some. Needs
    `spans`.
    """
    legs = [_names_of_spans(limit, write)]
    legs += [_names_of_logs(table, limit, attributes, bounds, write) for table in _LOGS]
    sums = ", ".join(
        f"{name} = {'min' if name.endswith('Inside') else 'max'}({name})"
        for name in ("AgentNamed", "AgentInside", "TenantNamed", "TenantInside")
    )
    holds = " and ".join(
        f"{kind}Named == 1 and {kind}Inside == 1"
        for kind, limited in (("Agent", limit.agents), ("Tenant", limit.tenants))
        if limited is not None
    )
    return (
        "let Inside = union\n"
        + ",\n".join(f"  ({leg})" for leg in legs)
        + f"\n| summarize {sums} by OperationId"
        f"\n| where {holds}\n| project OperationId;\n"
    )


def named_cases(attribute: str, cases: Iterable[Given], bounds: Bounds) -> str:
    """Return the query for the traces of cases: Case, OperationId, First and Last TimeGenerated."""
    case = f"tostring(Properties[{text(attribute)}])"
    among = ", ".join(text(one.value) for one in cases)
    rows = union(
        bounds.where(),
        f"where {case} in ({among}) and OperationId matches regex {text(TRACE_ID)}",
        f"project OperationId, TimeGenerated, Case = {case}",
    )
    return f"{rows}\n| summarize {_FIRST_AND_LAST} by Case, OperationId"


def named_conversation(conversation: Given, bounds: Bounds) -> str:
    """Return the query for traces that name the conversation anywhere: OperationId, First and Last."""
    named = [f"tostring(Properties[{text(name)}])" for name in _CONVERSATIONS]
    either = " or ".join(f"{column} == {text(conversation.value)}" for column in (*named, "SessionId"))
    rows = union(
        bounds.where(),
        f"where ({either}) and OperationId matches regex {text(TRACE_ID)}",
        "project OperationId, TimeGenerated",
    )
    return f"{rows}\n| summarize {_FIRST_AND_LAST} by OperationId"


def of_conversation(conversation: Given) -> str:
    """Return the query over `spans` for the traces that belong to the conversation, as the views have it."""
    return (
        f"spans\n| where Conversation == {text(conversation.value)}"
        "\n| project OperationId = TraceId\n| distinct OperationId"
    )


def first_and_last(trace_ids: Iterable[str], bounds: Bounds) -> str:
    """Return the query for when these traces have rows: OperationId, First and Last TimeGenerated."""
    rows = union(bounds.where(), among(trace_ids), "project OperationId, TimeGenerated")
    return f"{rows}\n| summarize {_FIRST_AND_LAST} by OperationId"


def among(trace_ids: Iterable[str]) -> str:
    """Return the step over a table that keeps the rows of these traces."""
    return f"where OperationId in ({', '.join(map(text, trace_ids))})"


def union(*steps: str) -> str:
    """Return the union of all tables that hold rows of traces, each with these steps."""
    legs = (f"  ({' | '.join((table, *steps))})" for table in TABLES)
    return "union\n" + ",\n".join(legs)


_FIRST_AND_LAST = "First = min(TimeGenerated), Last = max(TimeGenerated)"


def _began(window: TimeWindow) -> str:
    return f"Time >= {instant(window.start)} and Time < {instant(window.end)}"


def _fits(window: TimeWindow, write: Write) -> str:
    conditions = []
    if window.agent is not None:
        conditions.append(f"Agent == {text(window.agent)}")
    if window.release is not None:
        conditions.append(f"Release == {text(window.release)}")
    if window.tenant is not None:
        conditions.append(f"Tenant == {text(write(window.tenant))}")
    for name, given in window.dimensions.items():
        conditions.append(f"{_dimension(name)} == {text(write(given))}")
    return "".join(f"\n| where {condition}" for condition in conditions)


def _stratum(stratum: str | None) -> str:
    columns: Mapping[str | None, str] = {
        None: '""',
        "agent": "Agent",
        "release": "Release",
        "day": 'format_datetime(Time, "yyyy-MM-dd")',
    }
    return columns[stratum] if stratum in columns else _dimension(str(stratum))


def _dimension(name: str) -> str:
    return f"tostring(Dimensions[{text(name)}])"


def _names_of_spans(limit: Limit, write: Write) -> str:
    agents = "true" if limit.agents is None else f"Agent in ({_listed(limit.agents)})"
    return f"spans | project OperationId = TraceId, Agent, Tenant | extend {_told(agents, limit, write)}"


def _names_of_logs(table: str, limit: Limit, attributes: Attributes, bounds: Bounds, write: Write) -> str:
    named = [stands_for("Agent", agent, attributes.names) for agent in limit.agents or ()]
    agents = "true" if limit.agents is None else " or ".join(named) or "false"
    return (
        f"{table} | {bounds.where()}"
        f" | extend Agent = {SENT_NAME}, Tenant = {first_property(attributes.tenant)}"
        f" | where isnotempty(OperationId) and (isnotempty(Agent) or isnotempty(Tenant))"
        f" | project OperationId, Agent, Tenant | extend {_told(agents, limit, write)}"
    )


def _told(agent_inside: str, limit: Limit, write: Write) -> str:
    tenants = None if limit.tenants is None else _listed(write(one) for one in limit.tenants)
    tenant_inside = "true" if tenants is None else f"Tenant in ({tenants})"
    return (
        f"AgentNamed = toint(isnotempty(Agent)), AgentInside = toint(isempty(Agent) or {agent_inside}),"
        f" TenantNamed = toint(isnotempty(Tenant)), TenantInside = toint(isempty(Tenant) or {tenant_inside})"
        " | project-away Agent, Tenant"
    )


def _listed(values: Iterable[str]) -> str:
    # A list must not be empty; no name is "".
    return ", ".join(map(text, values)) or '""'
