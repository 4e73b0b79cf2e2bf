"""Holds an inventory to release.yaml, by the release gate's own rules. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from functions.release.gate_facts import Component, DiagnosticSetting, Facts, Retention, Unknown
from functions.release.gate_policy import Policy
from functions.release.gate_rules import diagnostic_settings, retention, workspace
from functions.release.gate_verdicts import Verdict
from functions.release.inventory import Inventory, Resource
from functions.release.inventory_collection import COMPONENT, TABLES
from functions.traces.agents import Attributes

_UNKNOWN = Unknown("It could not be listed.", "See what is missing, and take the inventory again.")


def judged(
    inventory: Inventory, policy: Policy, attributes: Attributes
) -> Iterator[tuple[Resource | None, Verdict]]:
    """Yield what holds of each component (workspace and retention), then of what must send its logs."""
    held = {one.id: one for one in inventory.resources}
    for one in inventory.resources:
        if one.type == COMPONENT:
            facts = _facts(held, policy, attributes, one)
            yield one, workspace(facts, policy)
            yield one, retention(facts, policy)
    for verdict in diagnostic_settings(_facts(held, policy, attributes, None), policy):
        yield held.get(verdict.subject), verdict


def _facts(
    held: Mapping[str, Resource], policy: Policy, attributes: Attributes, component: Resource | None
) -> Facts:
    linked = _setting(component, "workspace_id")
    return Facts(
        settings=_UNKNOWN,
        component=_UNKNOWN
        if component is None or linked is None
        else Component(component.id, linked or None, "", _setting(component, "sampling_percentage") or 100),
        customer_id=_UNKNOWN,
        retention=_retention(held.get(linked or "")),
        diagnostics={
            required.resource_id: _diagnostics(held.get(required.resource_id))
            for required in policy.diagnostics
        },
        last_hour=_UNKNOWN,
        attributes=attributes,
    )


def _retention(linked: Resource | None) -> Retention | Unknown:
    days = _setting(linked, "retention_days")
    if days is None:
        return _UNKNOWN
    own = {name: _setting(linked, f"{name}.retention_days") for name in TABLES}
    return Retention(days, {name: its for name, its in own.items() if its is not None})


def _diagnostics(resource: Resource | None) -> tuple[DiagnosticSetting, ...] | Unknown:
    if resource is None or resource.diagnostic_settings is None:
        return _UNKNOWN
    return tuple(
        DiagnosticSetting(one.workspace_id or None, frozenset(one.categories))
        for one in resource.diagnostic_settings
    )


def _setting(resource: Resource | None, name: str) -> Any:
    return (resource.settings or {}).get(name) if resource else None
