"""What must hold before agents are released: release.yaml, as its schema and rules have accepted it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any


@dataclass(frozen=True, slots=True)
class RequiredDiagnostics:
    """The log categories (or groups) that a resource must send to an approved workspace."""

    resource_id: str
    categories: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GateException:
    """A failure that somebody answers for until a day.

    Attributes:
        rule: The rule that may fail.
        subject: What of it, as the verdict names it; "" where the rule has one verdict only.
        reason: Why.
        owner: Who answers for it.
        until: The last day (UTC) on which it holds.
    """

    rule: str
    subject: str
    reason: str
    owner: str
    until: date


@dataclass(frozen=True, slots=True)
class Policy:
    """What must hold in one environment.

    Attributes:
        environment: Its name.
        workspaces: The resource ids of approved workspaces, lower case.
        frameworks: What the agents are built with; see `switches.FRAMEWORKS`.
        content_recording: Whether prompts and answers are recorded: they must be, or must not.
        settings_attributes: Which attributes the app's settings must give to the resource.
        trace_attributes: Which attributes every run must carry.
        samplers: The samplers that are allowed.
        minimum_ratio: The least share of traces that must be kept, 0 to 1.
        retention_days: How long rows must stay for queries at least.
        diagnostics: Which resources must send which logs.
        minimum_runs: How many runs must have arrived in the last hour at least.
        exceptions: Those of this environment.
    """

    environment: str
    workspaces: frozenset[str]
    frameworks: tuple[str, ...]
    content_recording: bool
    settings_attributes: tuple[str, ...]
    trace_attributes: tuple[str, ...]
    samplers: tuple[str, ...]
    minimum_ratio: float
    retention_days: int
    diagnostics: tuple[RequiredDiagnostics, ...]
    minimum_runs: int
    exceptions: tuple[GateException, ...] = ()


def policy(body: Mapping[str, Any], environment: str) -> Policy:
    """Build the policy of an environment from a body of release.yaml that was found right."""
    held = merged(body, environment)
    return Policy(
        environment=environment,
        workspaces=frozenset(workspace.lower() for workspace in held["workspaces"]),
        frameworks=tuple(held["frameworks"]),
        content_recording=held["content_recording"],
        settings_attributes=tuple(held["settings_attributes"]),
        trace_attributes=tuple(held["trace_attributes"]),
        samplers=tuple(held["sampling"]["samplers"]),
        minimum_ratio=float(held["sampling"]["minimum_ratio"]),
        retention_days=held["retention_days"],
        diagnostics=tuple(
            RequiredDiagnostics(entry["resource"].lower(), tuple(entry["categories"]))
            for entry in held["diagnostic_settings"]
        ),
        minimum_runs=held["minimum_runs"],
        exceptions=tuple(
            GateException(
                entry["rule"],
                entry.get("subject", ""),
                entry["reason"],
                entry["owner"],
                date.fromisoformat(entry["until"]),
            )
            for entry in body.get("exceptions", ())
            if entry["environment"] == environment
        ),
    )


def merged(body: Mapping[str, Any], environment: str) -> Mapping[str, Any]:
    """Return what holds in an environment: a key of its own replaces that of the defaults, whole."""
    own: Mapping[str, Any] = body["environments"][environment]
    return {**body.get("defaults", {}), **own}
