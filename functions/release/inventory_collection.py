"""Collects an inventory through the Azure CLI. What can't be listed is noted as missing; the rest goes on.

The shapes are those of `az monitor app-insights component show`, `az monitor diagnostic-settings list`,
`az role assignment list`, `az monitor log-analytics workspace show` and `workspace table show`, and
`az graph query` (https://learn.microsoft.com/cli/azure/reference-index). Of a component only what is named
here is kept: the answer holds its connection string too.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from functions.errors import AzureCliError, AzureCliMissing, AzureCliNotFound, AzureCliSignedOut
from functions.release.azure_cli import AzureCli, Json
from functions.release.inventory import (
    READERS,
    DiagnosticSetting,
    Inventory,
    Missing,
    Resource,
    Role,
)
from functions.release.inventory_words import Words

COMPONENT = "microsoft.insights/components"
WORKSPACE = "microsoft.operationalinsights/workspaces"
AI_TYPES = (
    "microsoft.cognitiveservices/accounts",
    "microsoft.cognitiveservices/accounts/projects",
    "microsoft.machinelearningservices/workspaces",
    "microsoft.search/searchservices",
)
_HOSTS_OF_THEIR_OWN = frozenset({"microsoft.cognitiveservices/accounts", "microsoft.search/searchservices"})
"""A project is called at its account's host, a Machine Learning workspace at those of its endpoints."""
TABLES = ("AppDependencies", "AppEvents", "AppExceptions", "AppGenAIContent", "AppRequests", "AppTraces")
_PAGE = "1000"
_MOST_PAGES = 50
_OWNERS = ("owner", "owners", "technicalowner", "businessowner", "team", "contact")
_TYPES = ", ".join(f"'{type_}'" for type_ in (*AI_TYPES, COMPONENT, WORKSPACE))
RESOURCES = (
    f"resources | where type in~ ({_TYPES}) | project id, name, type, kind, location, tags, "
    "endpoint = tostring(properties.endpoint), local_auth_disabled = tobool(properties.disableLocalAuth), "
    "public_network = tostring(properties.publicNetworkAccess) | order by id asc"
)
RECEIVED = (
    "union requests, dependencies | where timestamp > ago(24h) "
    "| extend host = tolower(coalesce(tostring(customDimensions['server.address']), target)) "
    "| summarize rows = count() by host | top 500 by rows"
)


class Collector:
    """Collects one inventory.

    Args:
        az: Whom to ask.
        words: Makes what people wrote fit to be shown.
        clock: The present instant, UTC.
    """

    def __init__(self, az: AzureCli, words: Words, *, clock: Callable[[], datetime]) -> None:
        self._az = az
        self._words = words
        self._clock = clock
        self._missing: list[Missing] = []

    def collect(self, subscriptions: Sequence[str]) -> Inventory:
        """Return what there is.

        Args:
            subscriptions: Their ids; none for the one that is signed in to.

        Raises:
            AzureCliError: Nothing at all can be listed.
        """
        self._missing = []
        named = tuple(subscriptions) or (_text(_object(self._az.ask("account", "show")), "id"),)
        listed, all_listed = self._resources(named)
        found = [self._described(resource) for resource in listed]
        seen, sure = self._received(found)
        return Inventory(
            taken_at=self._clock(),
            subscriptions=named,
            pseudonym_key_id=self._words.key_id,
            resources=tuple(self._with_traces(resource, seen, sure=sure) for resource in found),
            missing=tuple(self._missing),
            all_listed=all_listed,
        )

    def _resources(self, subscriptions: Sequence[str]) -> tuple[list[Resource], bool]:
        """Return the resources as the resource graph knows them, and whether these are all."""
        rows: list[Mapping[str, Any]] = []
        page: list[str] = []
        total = 0
        for _ in range(_MOST_PAGES):
            answer = _object(
                self._az.ask(
                    "graph", "query", "-q", RESOURCES, "--first", _PAGE,
                    "--subscriptions", *subscriptions, *page,
                )
            )  # fmt: skip
            rows += _objects(answer.get("data"))
            total = int(_number(answer.get("total_records")) or len(rows))
            token = answer.get("skip_token")
            if not token:
                break
            page = ["--skip-token", str(token)]
        if len(rows) < total:
            self._missing.append(Missing("resources", f"{len(rows)} of {total} were listed."))
        return [self._resource(row) for row in rows], len(rows) >= total

    def _resource(self, row: Mapping[str, Any]) -> Resource:
        clean = self._words.clean
        given = row.get("tags")
        tags = {clean(str(name)): clean(str(value)) for name, value in sorted(_object(given).items())}
        settings = {
            name: row[name] if isinstance(row[name], bool) else clean(str(row[name]))
            for name in ("endpoint", "local_auth_disabled", "public_network")
            if row.get(name) not in {None, ""}
        }
        owners = {name.lower().replace("-", "").replace("_", ""): value for name, value in tags.items()}
        return Resource(
            id=clean(_text(row, "id").lower()),
            name=clean(_text(row, "name")),
            type=clean(_text(row, "type").lower()),
            kind=clean(_text(row, "kind")),
            region=clean(_text(row, "location")),
            owner=next((owners[name] for name in _OWNERS if name in owners), ""),
            tags=tags,
            settings=settings,
        )

    def _described(self, resource: Resource) -> Resource:
        sends = None if resource.type.count("/") > 1 else self._diagnostic_settings(resource)
        described = replace(resource, diagnostic_settings=() if resource.type.count("/") > 1 else sends)
        if resource.type == COMPONENT:
            settings = self._ask(resource, "the component", self._component)
        elif resource.type == WORKSPACE:
            settings = self._ask(resource, "the workspace", self._workspace)
        else:
            return described
        roles = self._ask(resource, "roles", self._roles)
        return replace(described, settings={**(resource.settings or {}), **(settings or {})}, roles=roles)

    def _diagnostic_settings(self, resource: Resource) -> tuple[DiagnosticSetting, ...] | None:
        def ask(resource: Resource) -> tuple[DiagnosticSetting, ...]:
            answer = self._az.ask("monitor", "diagnostic-settings", "list", "--resource", resource.id)
            # Older versions of the CLI wrap the list.
            entries = answer["value"] if isinstance(answer, Mapping) and "value" in answer else answer
            return tuple(
                DiagnosticSetting(
                    self._words.clean(_text(one, "name")),
                    self._words.clean(_text(one, "workspaceId").lower()),
                    tuple(
                        sorted(
                            self._words.clean(_text(log, "categoryGroup") or _text(log, "category"))
                            for log in _objects(one.get("logs"))
                            if log.get("enabled") is True
                        )
                    ),
                )
                for one in _objects(entries)
            )

        return self._ask(resource, "diagnostic settings", ask)

    def _component(self, resource: Resource) -> Mapping[str, Any]:
        held = _object(self._az.ask("monitor", "app-insights", "component", "show", "--app", resource.id))
        return {
            "workspace_id": self._words.clean(_text(held, "workspaceResourceId").lower()),
            "retention_days": _number(held.get("retentionInDays")),
            "sampling_percentage": _number(held.get("samplingPercentage")),
            "local_auth_disabled": held.get("disableLocalAuth") is True,
            "ingestion": self._words.clean(_text(held, "publicNetworkAccessForIngestion")),
            "query": self._words.clean(_text(held, "publicNetworkAccessForQuery")),
        }

    def _workspace(self, resource: Resource) -> Mapping[str, Any]:
        held = _object(self._az.ask("monitor", "log-analytics", "workspace", "show", "--ids", resource.id))
        settings: dict[str, Any] = {
            "customer_id": self._words.clean(_text(held, "customerId")),
            "retention_days": _number(held.get("retentionInDays")),
            "plan": self._words.clean(_text(_object(held.get("sku")), "name")),
        }
        _, _, subscription, _, group, *_ = resource.id.split("/")
        place = ("--subscription", subscription, "--resource-group", group, "--workspace-name", resource.name)
        for name in TABLES:
            try:
                table = _object(
                    self._az.ask(
                        "monitor", "log-analytics", "workspace", "table", "show", *place, "--name", name
                    )
                )
            except AzureCliNotFound:
                continue
            settings[f"{name}.plan"] = self._words.clean(_text(table, "plan"))
            settings[f"{name}.retention_days"] = _number(table.get("retentionInDays"))
            settings[f"{name}.total_retention_days"] = _number(table.get("totalRetentionInDays"))
        return settings

    def _roles(self, resource: Resource) -> tuple[Role, ...]:
        answer = self._az.ask("role", "assignment", "list", "--scope", resource.id, "--include-inherited")
        found = [
            Role(
                role=self._words.clean(_text(one, "roleDefinitionName")),
                principal=self._words.principal(_text(one, "principalId"), _text(one, "principalType")),
                kind=self._words.clean(_text(one, "principalType")),
                scope=self._words.clean(_text(one, "scope").lower()),
                reads=READERS.get(_text(one, "roleDefinitionName"), "unknown"),
            )
            for one in _objects(answer)
        ]
        return tuple(sorted(found, key=lambda one: (one.role, one.principal, one.scope)))

    def _received(self, resources: Sequence[Resource]) -> tuple[Mapping[str, Mapping[str, int]], bool]:
        """Return by component how many rows name which host, and whether all components were asked."""
        components = [one for one in resources if one.type == COMPONENT]
        answers = {one.id: self._ask(one, "its traces", self._hosts) for one in components}
        known = {id_: hosts for id_, hosts in answers.items() if hosts is not None}
        return known, len(known) == len(components)

    def _hosts(self, resource: Resource) -> Mapping[str, int]:
        answer = self._az.ask(
            "monitor", "app-insights", "query", "--apps", resource.id,
            "--analytics-query", RECEIVED, "--offset", "24h",
        )  # fmt: skip
        tables = _objects(_object(answer).get("tables"))
        rows = tables[0].get("rows") if tables else None
        return {str(row[0]): int(row[1]) for row in rows} if isinstance(rows, list) else {}

    def _with_traces(
        self, resource: Resource, seen: Mapping[str, Mapping[str, int]], *, sure: bool
    ) -> Resource:
        if resource.type == COMPONENT:
            hosts = seen.get(resource.id)
            return replace(resource, traces="unknown" if hosts is None else "received" if hosts else "none")
        if resource.type not in AI_TYPES:
            return resource
        if resource.type not in _HOSTS_OF_THEIR_OWN:
            return replace(resource, traces="unknown")
        endpoint = urlsplit(str((resource.settings or {}).get("endpoint", ""))).hostname or ""
        names = {resource.name.lower(), endpoint.partition(".")[0]} - {""}
        called = any(
            host.partition(".")[0] in names for hosts in seen.values() for host in hosts if "." in host
        )
        return replace(resource, traces="called" if called else "none" if sure else "unknown")

    def _ask[Found](self, resource: Resource, what: str, ask: Callable[[Resource], Found]) -> Found | None:
        try:
            return ask(resource)
        except (AzureCliMissing, AzureCliSignedOut) as error:
            why = str(error)
        except AzureCliError as error:
            why = error.message
        except (ValueError, TypeError, LookupError, AttributeError):
            why = "The Azure CLI answered in another shape than documented."
        self._missing.append(Missing(f"{what} of {resource.id}", why))
        return None


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _objects(value: Json) -> list[Mapping[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(one, Mapping) for one in value):
        message = "not a list of objects"
        raise TypeError(message)
    return list(value)


def _text(held: Mapping[str, Any], name: str) -> str:
    value = held.get(name)
    return value if isinstance(value, str) else ""


def _number(value: object) -> float | int | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
