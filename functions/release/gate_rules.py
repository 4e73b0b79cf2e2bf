"""The rules of the release gate: facts and a policy in, verdicts out. What can't be told is never a pass."""

from collections.abc import Iterator

from functions.release.gate_app_rules import (
    connection_string,
    content_recording,
    resource_attribute,
    sampling,
    tracing_on,
)
from functions.release.gate_facts import Component, Facts, LastHour, Unknown
from functions.release.gate_policy import Policy, RequiredDiagnostics
from functions.release.gate_verdicts import Rule, Verdict

TABLES = ("AppRequests", "AppDependencies", "AppExceptions", "AppTraces", "AppEvents", "AppGenAIContent")
"""The tables that the views read."""


def verdicts(facts: Facts, policy: Policy, release: str | None = None) -> tuple[Verdict, ...]:
    """Judge all rules.

    Args:
        facts: What was read.
        policy: What must hold.
        release: The release that is to go out; None where any will do.
    """
    return (
        connection_string(facts),
        tracing_on(facts, policy),
        content_recording(facts, policy),
        *(resource_attribute(facts, policy, name, release) for name in policy.settings_attributes),
        sampling(facts, policy),
        ingestion_sampling(facts, policy),
        workspace(facts, policy),
        retention(facts, policy),
        *diagnostic_settings(facts, policy),
        traces_arrive(facts, policy),
        *(trace_attribute(facts, name) for name in policy.trace_attributes),
        content_in_traces(facts, policy),
        sampling_in_traces(facts, policy),
    )


def ingestion_sampling(facts: Facts, policy: Policy) -> Verdict:
    """The component keeps enough of what arrives."""
    say = Rule("ingestion_sampling")
    if isinstance(facts.component, Unknown):
        return say.unknown(facts.component)
    if facts.component.sampling_percentage < 100 * policy.minimum_ratio:
        return say.failed(
            "The component drops more of what arrives than is allowed.",
            "Raise the share under 'Usage and estimated costs', 'Data sampling'.",
        )
    return say.passed("The component keeps enough of what arrives.")


def workspace(facts: Facts, policy: Policy) -> Verdict:
    """The component keeps its rows in an approved workspace."""
    say = Rule("workspace")
    if isinstance(facts.component, Unknown):
        return say.unknown(facts.component)
    linked = facts.component.workspace_id
    if linked is None:
        return say.failed("The component is linked to no workspace.", "Migrate it to an approved one.")
    if linked.lower() not in policy.workspaces:
        return say.failed(
            "The component is linked to a workspace that is not approved.",
            "Link it to an approved one, or have this one approved in release.yaml.",
        )
    return say.passed("The workspace is approved.")


def retention(facts: Facts, policy: Policy) -> Verdict:
    """Rows stay long enough for queries, in every table that is read."""
    say = Rule("retention")
    kept = facts.retention
    if isinstance(kept, Unknown):
        return say.unknown(kept)
    days = {table: kept.table_days.get(table, kept.workspace_days) for table in TABLES}
    short = [table for table, its in days.items() if its < policy.retention_days]
    if short:
        return say.failed(
            f"{', '.join(short)} keep rows for less than {policy.retention_days} days.",
            "Raise the interactive retention under 'Tables', 'Manage table'.",
        )
    return say.passed("Every table keeps rows long enough.")


def diagnostic_settings(facts: Facts, policy: Policy) -> Iterator[Verdict]:
    """Every resource that must sends its logs to an approved workspace."""
    if not policy.diagnostics:
        yield Rule("diagnostic_settings").passed("release.yaml requires none.")
    for required in policy.diagnostics:
        yield _diagnostics_of(facts, policy, required)


def traces_arrive(facts: Facts, policy: Policy) -> Verdict:
    """Enough runs arrived in the last hour, where the app sends."""
    say = Rule("traces_arrive")
    hour = _hour(facts)
    if isinstance(hour, Unknown):
        return say.unknown(hour)
    if hour.runs < policy.minimum_runs:
        return say.failed(
            f"{hour.runs} runs arrived in the last hour, and {policy.minimum_runs} are needed.",
            "Ask the agents something, wait some minutes for ingestion, and run the gate again.",
        )
    return say.passed(f"{hour.runs} runs arrived in the last hour.")


def trace_attribute(facts: Facts, name: str) -> Verdict:
    """Every run of the last hour carries an attribute."""
    say = Rule("trace_attribute", name)
    hour = _hour_with_runs(facts)
    if isinstance(hour, Unknown):
        return say.unknown(hour)
    if hour.without[name]:
        return say.failed(
            f"{hour.without[name]} of {hour.runs} runs carry none.",
            "Set it on the request's or the agent's span: most resource attributes do not reach the rows.",
        )
    return say.passed("Every run carries it.")


def content_in_traces(facts: Facts, policy: Policy) -> Verdict:
    """The last hour's traces hold content where the policy wants it, and nowhere else."""
    say = Rule("content_in_traces")
    hour = _hour_with_runs(facts)
    if isinstance(hour, Unknown):
        return say.unknown(hour)
    if policy.content_recording and not hour.with_content:
        return say.failed("No row holds content, though it must be recorded.", "Switch its recording on.")
    if hour.with_content and not policy.content_recording:
        return say.failed(
            f"{hour.with_content} rows hold content, though it must not be recorded.",
            "Switch its recording off, in the settings and in the code.",
        )
    return say.passed("It is as the policy says.")


def sampling_in_traces(facts: Facts, policy: Policy) -> Verdict:
    """Where all traces must be kept, none of the last hour stands for others that were left out."""
    say = Rule("sampling_in_traces")
    hour = _hour_with_runs(facts)
    if isinstance(hour, Unknown):
        return say.unknown(hour)
    if hour.sampled and policy.minimum_ratio == 1:
        return say.failed(
            f"{hour.sampled} of {hour.runs} runs stand for others that were left out.",
            "Look for a sampler in the code, in a collector or at the component.",
        )
    return say.passed("It does not contradict the policy.")


def _diagnostics_of(facts: Facts, policy: Policy, required: RequiredDiagnostics) -> Verdict:
    say = Rule("diagnostic_settings", required.resource_id)
    there = facts.diagnostics[required.resource_id]
    if isinstance(there, Unknown):
        return say.unknown(there)
    approved = [one for one in there if one.workspace_id and one.workspace_id.lower() in policy.workspaces]
    sent = {category.lower() for one in approved for category in one.categories}
    missing = [name for name in required.categories if not sent & {name.lower(), "alllogs"}]
    if missing:
        return say.failed(
            f"It does not send {', '.join(missing)} to an approved workspace.",
            "Add a diagnostic setting: `az monitor diagnostic-settings create`.",
        )
    return say.passed("It sends what it must.")


def _hour(facts: Facts) -> LastHour | Unknown:
    """Return the traces, if they were read where the app sends."""
    hour, component = facts.last_hour, facts.component
    if isinstance(hour, Unknown):
        return hour
    if isinstance(component, Component) and hour.place == component.resource_id.lower():
        return hour
    if isinstance(facts.customer_id, Unknown):
        return facts.customer_id
    if hour.place != facts.customer_id.lower():
        return Unknown(
            "The traces were not read where the component keeps them.",
            "Set LOGS_RESOURCE_ID to the component, or LOGS_WORKSPACE_ID to its workspace's id.",
        )
    return hour


def _hour_with_runs(facts: Facts) -> LastHour | Unknown:
    hour = _hour(facts)
    if isinstance(hour, LastHour) and not hour.runs:
        return Unknown("No run arrived in the last hour.", "Ask the agents something and run the gate again.")
    return hour


RULES = (
    "connection_string",
    "tracing_on",
    "content_recording",
    "resource_attribute",
    "sampling",
    "ingestion_sampling",
    "workspace",
    "retention",
    "diagnostic_settings",
    "traces_arrive",
    "trace_attribute",
    "content_in_traces",
    "sampling_in_traces",
)
"""All rules, as verdicts and exceptions name them."""

WITH_SUBJECT = frozenset({"resource_attribute", "diagnostic_settings", "trace_attribute"})
"""Those that say something of each attribute or resource by itself."""
