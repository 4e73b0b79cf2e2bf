"""Reads through `az` what the gate must know of the component, its workspace and the logs of other resources.

What the commands print is read in either spelling: some versions nest it under `properties`, or begin names
with a capital (https://learn.microsoft.com/cli/azure/monitor).
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from functions.errors import TracekeeperError
from functions.release.azure_cli import AzureCli
from functions.release.gate_facts import Component, DiagnosticSetting, Retention, Unknown

_ID = re.compile(
    r"/subscriptions/(?P<subscription>[^/]+)/resourcegroups/(?P<group>[^/]+)/providers/"
    r"(?P<kind>microsoft\.insights/components|microsoft\.operationalinsights/workspaces)/(?P<name>[^/]+)",
    re.IGNORECASE,
)


def read_component(azure: AzureCli, component_id: str) -> Component | Unknown:
    """Return the component of a resource id."""
    where = _where(component_id, "--app")
    if isinstance(where, Unknown):
        return where
    return _known(
        lambda: _component(azure.ask("monitor", "app-insights", "component", "show", *where), component_id)
    )


def read_workspace(azure: AzureCli, workspace_id: str) -> tuple[str | Unknown, Retention | Unknown]:
    """Return the id by which a workspace is queried, and how long its tables keep rows."""
    where = _where(workspace_id, "--workspace-name")
    if isinstance(where, Unknown):
        return where, where
    shown = _known(lambda: _plain(azure.ask("monitor", "log-analytics", "workspace", "show", *where)))
    if isinstance(shown, Unknown):
        return shown, shown
    found = shown
    customer = _known(lambda: _text(found, "customerid").lower())
    retention = _known(
        lambda: Retention(
            _days(found["retentionindays"]),
            _table_days(azure.ask("monitor", "log-analytics", "workspace", "table", "list", *where)),
        )
    )
    return customer, retention


def read_diagnostics(azure: AzureCli, resource_id: str) -> tuple[DiagnosticSetting, ...] | Unknown:
    """Return the diagnostic settings of a resource."""
    return _known(
        lambda: _diagnostics(azure.ask("monitor", "diagnostic-settings", "list", "--resource", resource_id))
    )


def _known[T](read: Callable[[], T]) -> T | Unknown:
    try:
        return read()
    except TracekeeperError as error:
        return Unknown(error.message, error.next_step)
    except (KeyError, TypeError, ValueError, AttributeError):
        return Unknown("The Azure CLI's answer has not the form that is known.", "Update it: `az upgrade`.")


def _where(resource_id: str, option: str) -> tuple[str, ...] | Unknown:
    found = _ID.fullmatch(resource_id)
    if found is None:
        return Unknown("A resource id is none of a component or workspace.", "Copy it from 'JSON view'.")
    return (
        *(option, found["name"]),
        *("--resource-group", found["group"]),
        *("--subscription", found["subscription"]),
    )


def _component(answer: Any, component_id: str) -> Component:
    found = _plain(answer)
    share = found.get("samplingpercentage")
    workspace = found.get("workspaceresourceid")
    return Component(
        resource_id=component_id.lower(),
        workspace_id=str(workspace) if workspace else None,
        instrumentation_key=_text(found, "instrumentationkey"),
        sampling_percentage=100.0 if share is None else float(share),
    )


def _table_days(answer: Any) -> dict[str, int]:
    tables = [_plain(table) for table in answer]
    # A table without a number of its own follows the workspace; -1 says the same.
    return {
        _text(table, "name"): int(table["retentionindays"])
        for table in tables
        if (table.get("retentionindays") or -1) > 0
    }


def _diagnostics(answer: Any) -> tuple[DiagnosticSetting, ...]:
    listed = answer["value"] if isinstance(answer, dict) else answer
    return tuple(_diagnostic(_plain(one)) for one in listed)


def _diagnostic(found: Mapping[str, Any]) -> DiagnosticSetting:
    workspace = found.get("workspaceid")
    logs = [log for log in found.get("logs") or () if log["enabled"] is True]
    names = (log.get("category") or log.get("categoryGroup") for log in logs)
    return DiagnosticSetting(str(workspace) if workspace else None, frozenset(name for name in names if name))


def _plain(answer: Any) -> dict[str, Any]:
    """Return an object with its `properties` beside its own names, all in lower case."""
    nested = answer.get("properties") or {}
    return {
        name.lower(): value for part in (nested, answer) for name, value in part.items() if value is not None
    }


def _text(found: Mapping[str, Any], name: str) -> str:
    value = found[name]
    if not isinstance(value, str) or not value:
        raise ValueError(name)
    return value


def _days(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError("days")  # noqa: TRY004 - caught as an answer of an unknown form
    return value
