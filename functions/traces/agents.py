"""What a deployment's agents are called, what they owe their users, and which properties carry our facts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Attributes:
    """For each fact the names of the span properties that may carry it; the first one present wins.

    Attributes:
        tenant: The customer an agent works for.
        intent: What the user wanted, as the application classified it.
        prompt_version: The version of the prompt in use.
        environment: For example production or staging.
        data_as_of: The instant up to which a tool's answer was current (ISO 8601).
        document_count: How many documents a retrieval returned.
        document_ids: Which documents a retrieval returned.
        dimensions: Name of a dimension of the business (warehouse, carrier) to its properties.
    """

    tenant: tuple[str, ...]
    intent: tuple[str, ...]
    prompt_version: tuple[str, ...]
    environment: tuple[str, ...]
    data_as_of: tuple[str, ...]
    document_count: tuple[str, ...]
    document_ids: tuple[str, ...]
    dimensions: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class RequiredLookup:
    """A tool that a run must have called with success before it answers.

    Attributes:
        tool: The tool's name in the spans.
        intents: The intents it is required for; empty means every run.
    """

    tool: str
    intents: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Freshness:
    """How old the data in a tool's answer may be."""

    tool: str
    max_age_minutes: float


@dataclass(frozen=True, slots=True)
class Agent:
    """One agent: who answers for it and what it owes its users."""

    name: str
    owner: str
    required_lookups: tuple[RequiredLookup, ...]
    freshness: tuple[Freshness, ...]


@dataclass(frozen=True, slots=True)
class Agents:
    """agents.yaml as a value; `by_name` holds the agents by their names in the spans."""

    attributes: Attributes
    by_name: Mapping[str, Agent]


def agents(body: Mapping[str, Any]) -> Agents:
    """Build the agents from a body that agents.schema.json has accepted."""
    return Agents(
        attributes=_attributes(body["attributes"]),
        by_name={name: _agent(name, entry) for name, entry in body["agents"].items()},
    )


def _attributes(body: Mapping[str, Any]) -> Attributes:
    return Attributes(
        tenant=tuple(body["tenant"]),
        intent=tuple(body["intent"]),
        prompt_version=tuple(body["prompt_version"]),
        environment=tuple(body["environment"]),
        data_as_of=tuple(body["data_as_of"]),
        document_count=tuple(body["document_count"]),
        document_ids=tuple(body["document_ids"]),
        dimensions={name: tuple(properties) for name, properties in body["dimensions"].items()},
    )


def _agent(name: str, body: Mapping[str, Any]) -> Agent:
    return Agent(
        name=name,
        owner=body["owner"],
        required_lookups=tuple(
            RequiredLookup(entry["tool"], tuple(entry.get("intents", ())))
            for entry in body.get("required_lookups", ())
        ),
        freshness=tuple(
            Freshness(entry["tool"], float(entry["max_age_minutes"])) for entry in body.get("freshness", ())
        ),
    )
