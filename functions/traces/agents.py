"""What a deployment's agents are called, what they owe their users, and which properties carry our facts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any


@dataclass(frozen=True, slots=True)
class Attributes:
    """How a deployment's telemetry is read.

    For each fact the names of the span properties that may carry it (the first one present wins), and which
    agent is meant by which name.

    Attributes:
        tenant: The customer an agent works for.
        intent: What the user wanted, as the application classified it.
        prompt_version: The version of the prompt in use.
        environment: For example production or staging.
        data_as_of: The instant up to which a tool's answer was current (ISO 8601).
        document_count: How many documents a retrieval returned.
        document_ids: Which documents a retrieval returned.
        dimensions: Name of a dimension of the business (warehouse, carrier) to its properties.
        names: A name under which an agent is sent, or the beginning of one and a "*", to the agent's own.
    """

    tenant: tuple[str, ...]
    intent: tuple[str, ...]
    prompt_version: tuple[str, ...]
    environment: tuple[str, ...]
    data_as_of: tuple[str, ...]
    document_count: tuple[str, ...]
    document_ids: tuple[str, ...]
    dimensions: Mapping[str, tuple[str, ...]]
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RequiredLookup:
    """A tool that a run must have called with success before it answers, if all that is said fits the run.

    Attributes:
        tool: The tool's name in the spans.
        intents: The intents it is required for; empty means any.
        after_tool: Only runs that called this tool owe the look-up; "" means any run.
        routes: The names of the trace's first request; empty means any.
        dimension: The dimension of the business whose value decides; "" means none does.
        values: The values of that dimension for which it is required.
    """

    tool: str
    intents: tuple[str, ...]
    after_tool: str = ""
    routes: tuple[str, ...] = ()
    dimension: str = ""
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Freshness:
    """How old the data in a tool's answer may be."""

    tool: str
    max_age_minutes: float


@dataclass(frozen=True, slots=True)
class StepObjective:
    """How long the steps of a kind may take: their 95th percentile, in milliseconds.

    Attributes:
        operation: chat, execute_tool, retrieval or embeddings.
        tool: Only calls of this tool; "" means any.
        model: Only calls of this model; "" means any.
        p95_ms: The limit.
    """

    operation: str
    tool: str
    model: str
    p95_ms: float


@dataclass(frozen=True, slots=True)
class EvaluationObjective:
    """The score that an evaluation of the agent's answers has to reach, in the evaluation's own scale."""

    name: str
    minimum_score: float


@dataclass(frozen=True, slots=True)
class Agent:
    """One agent: who answers for it, what it owes its users and what it may do.

    Attributes:
        name: As its spans give it.
        owner: Who is told.
        group: What reports put it together with others under; "" where it stands alone.
        required_lookups: What it must have called before it answers.
        freshness: How old its tools' data may be.
        review_by: When its owner has to look at this entry again.
        approved_tools: The only tools it may call; None where it may call any.
        approved_documents: The only editions of documents that its answers may rest on, as their ids in the
            spans, or the beginning of one and a "*"; None where any may be used.
        run_p95_ms: How long 95% of its runs may take at most, in milliseconds.
        steps: How long the steps of its runs may take.
        evaluations: The scores it has to reach.
        daily_usd: What its model calls may cost a day (UTC).
        monthly_usd: What its model calls may cost a calendar month (UTC).
        silent_after_minutes: It is declared to send at least that often; None where it may fall silent.
        id_format: Its conversation ids have this shape, a regular expression (RE2).
        content_allowed: Whether prompts, answers and arguments may be recorded.
        required_fields: Facts that each of its runs must carry: conversation, tenant, environment, release.
    """

    name: str
    owner: str
    group: str = ""
    required_lookups: tuple[RequiredLookup, ...] = ()
    freshness: tuple[Freshness, ...] = ()
    review_by: date | None = None
    approved_tools: tuple[str, ...] | None = None
    approved_documents: tuple[str, ...] | None = None
    run_p95_ms: float | None = None
    steps: tuple[StepObjective, ...] = ()
    evaluations: tuple[EvaluationObjective, ...] = ()
    daily_usd: float | None = None
    monthly_usd: float | None = None
    silent_after_minutes: float | None = None
    id_format: str | None = None
    content_allowed: bool = True
    required_fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Agents:
    """agents.yaml as a value; `by_name` holds the agents by their names in the spans.

    Equal only to itself, so that what is written of it can be kept by it.

    Attributes:
        attributes: How the telemetry is read.
        by_name: The agents.
        since: The first day (UTC) for whose runs the file's author says that it holds; None where it is not
            said.
    """

    attributes: Attributes
    by_name: Mapping[str, Agent]
    since: date | None = None


@dataclass(frozen=True, slots=True)
class OverdueReview:
    """An agent's entry that its owner has not looked at in time."""

    name: str
    owner: str
    review_by: date
    days: int


def overdue(declared: Agents, today: date) -> tuple[OverdueReview, ...]:
    """Return the reviews whose day (UTC) is past, the longest overdue first; the day itself is in time."""
    reviews = [
        OverdueReview(agent.name, agent.owner, agent.review_by, (today - agent.review_by).days)
        for agent in declared.by_name.values()
        if agent.review_by is not None and agent.review_by < today
    ]
    return tuple(sorted(reviews, key=lambda review: (review.review_by, review.name)))


def agents(body: Mapping[str, Any]) -> Agents:
    """Build the agents from a body that agents.schema.json has accepted."""
    return Agents(
        attributes=_attributes(body["attributes"], _names(body["agents"])),
        by_name={name: _agent(name, entry) for name, entry in body["agents"].items()},
        since=date.fromisoformat(body["since"]) if "since" in body else None,
    )


def _names(entries: Mapping[str, Mapping[str, Any]]) -> Mapping[str, str]:
    names = {sent: name for name, entry in entries.items() for sent in entry.get("names", ())}
    beginnings = tuple(sent.removesuffix("*") for sent in names if sent.endswith("*"))
    # What another agent's beginning would take from an agent stays its own.
    return names | {name: name for name in entries if name.startswith(beginnings)}


def _attributes(body: Mapping[str, Any], names: Mapping[str, str]) -> Attributes:
    return Attributes(
        tenant=tuple(body["tenant"]),
        intent=tuple(body["intent"]),
        prompt_version=tuple(body["prompt_version"]),
        environment=tuple(body["environment"]),
        data_as_of=tuple(body["data_as_of"]),
        document_count=tuple(body["document_count"]),
        document_ids=tuple(body["document_ids"]),
        dimensions={name: tuple(properties) for name, properties in body["dimensions"].items()},
        names=names,
    )


def _agent(name: str, body: Mapping[str, Any]) -> Agent:
    objectives, budgets = body.get("objectives", {}), body.get("budgets", {})
    return Agent(
        name=name,
        owner=body["owner"],
        group=body.get("group", ""),
        required_lookups=tuple(_required_lookup(entry) for entry in body.get("required_lookups", ())),
        freshness=tuple(
            Freshness(entry["tool"], float(entry["max_age_minutes"])) for entry in body.get("freshness", ())
        ),
        review_by=date.fromisoformat(body["review_by"]) if "review_by" in body else None,
        approved_tools=tuple(body["approved_tools"]) if "approved_tools" in body else None,
        approved_documents=tuple(body["approved_documents"]) if "approved_documents" in body else None,
        run_p95_ms=objectives.get("run_p95_ms"),
        steps=tuple(
            StepObjective(entry["operation"], entry.get("tool", ""), entry.get("model", ""), entry["p95_ms"])
            for entry in objectives.get("steps", ())
        ),
        evaluations=tuple(
            EvaluationObjective(entry["name"], entry["minimum_score"])
            for entry in objectives.get("evaluations", ())
        ),
        daily_usd=budgets.get("daily_usd"),
        monthly_usd=budgets.get("monthly_usd"),
        silent_after_minutes=body.get("silent_after_minutes"),
        id_format=body.get("id_format"),
        content_allowed=body.get("content_allowed", True),
        required_fields=tuple(body.get("required_fields", ())),
    )


def _required_lookup(body: Mapping[str, Any]) -> RequiredLookup:
    where = body.get("where", {})
    return RequiredLookup(
        tool=body["tool"],
        intents=tuple(body.get("intents", ())),
        after_tool=body.get("after_tool", ""),
        routes=tuple(body.get("routes", ())),
        dimension=where.get("dimension", ""),
        values=tuple(where.get("is", ())),
    )
