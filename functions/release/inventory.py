"""What an inventory of the agents' Azure resources says, as JSON and as a table. Pure.

What could not be listed is None, never an empty list: nothing may be concluded from it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from functions.errors import InvalidRequest
from functions.spreadsheet import encode_csv

FORMAT = 1
COLUMNS = ("id", "type", "name", "region", "owner", "traces", "workspace", "diagnostic_settings", "readers")
READERS: Mapping[str, str] = {
    "Owner": "traces",
    "Contributor": "traces",
    "Reader": "traces",
    "Monitoring Reader": "traces",
    "Monitoring Contributor": "traces",
    "Log Analytics Reader": "traces",
    "Log Analytics Contributor": "traces",
    "Log Analytics Data Reader": "traces",
    "Privileged Monitoring Data Reader": "traces and protected content",
    "Monitoring Metrics Publisher": "nothing",
}
"""What a role reads; a role that is not here may read anything. Content in tables that are not protected is
read by all who read traces. (https://learn.microsoft.com/azure/azure-monitor/roles-permissions-security)"""


@dataclass(frozen=True, slots=True)
class DiagnosticSetting:
    """Where a resource sends logs: a workspace's id, or "" for another place; and the enabled categories."""

    name: str
    workspace_id: str
    categories: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Role:
    """Who has which role, and at which scope.

    Attributes:
        role: Its name.
        principal: The object id; of people a pseudonym.
        kind: "User", "Group", "ServicePrincipal", or what Azure says.
        scope: Where it was assigned, lower case.
        reads: What it lets them read; see READERS.
    """

    role: str
    principal: str
    kind: str
    scope: str
    reads: str


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource.

    Attributes:
        id: Its resource id, lower case.
        name: Its name.
        type: Its type, lower case.
        kind: Its kind, such as "OpenAI"; "" where it has none.
        region: Where it is.
        owner: What its tag of that name says; "" where there is none.
        tags: All of them.
        settings: What else of its configuration counts, by name.
        diagnostic_settings: None where they could not be listed.
        roles: Of components and workspaces; None where they could not be listed.
        traces: "received", "none" (in 24 hours), "called" (agents' traces name it), or "unknown"; "" where
            the question does not arise.
    """

    id: str
    name: str
    type: str
    kind: str = ""
    region: str = ""
    owner: str = ""
    tags: Mapping[str, str] | None = None
    settings: Mapping[str, Any] | None = None
    diagnostic_settings: tuple[DiagnosticSetting, ...] | None = ()
    roles: tuple[Role, ...] | None = ()
    traces: str = ""


@dataclass(frozen=True, slots=True)
class Missing:
    """What could not be listed, and why; a sentence free of secrets."""

    what: str
    why: str


@dataclass(frozen=True, slots=True)
class Inventory:
    """All that was found.

    Attributes:
        taken_at: When, UTC.
        subscriptions: Of which subscriptions.
        pseudonym_key_id: Under which key people have pseudonyms: two inventories compare under one key only.
        resources: By id.
        missing: What is not known.
        all_listed: Whether all resources were listed, so that one that is not here is not there.
    """

    taken_at: datetime
    subscriptions: tuple[str, ...]
    pseudonym_key_id: str
    resources: tuple[Resource, ...]
    missing: tuple[Missing, ...] = ()
    all_listed: bool = True

    @property
    def complete(self) -> bool:
        """Whether nothing is missing."""
        return self.all_listed and not self.missing


def inventory_body(inventory: Inventory) -> dict[str, Any]:
    """Return the JSON object of data/inventory.json."""
    return {
        "format": FORMAT,
        "complete": inventory.complete,
        "counts": {"resources": len(inventory.resources), "missing": len(inventory.missing)},
        **asdict(inventory),
    }


def inventory_from_body(body: object) -> Inventory:
    """Read back what `inventory_body` wrote.

    Raises:
        InvalidRequest: It is no such object.
    """
    try:
        held: Mapping[str, Any] = body if isinstance(body, Mapping) and body.get("format") == FORMAT else {}
        return Inventory(
            taken_at=datetime.fromisoformat(str(held["taken_at"])),
            subscriptions=tuple(map(str, held["subscriptions"])),
            pseudonym_key_id=str(held["pseudonym_key_id"]),
            resources=tuple(map(_resource, held["resources"])),
            missing=tuple(Missing(**one) for one in held["missing"]),
            all_listed=bool(held["all_listed"]),
        )
    except (KeyError, TypeError, ValueError):
        raise _unreadable() from None


def table(inventory: Inventory) -> bytes:
    """Return the resources as CSV that is safe to open in a spreadsheet."""
    return encode_csv(COLUMNS, map(_line, inventory.resources))


def _resource(held: Mapping[str, Any]) -> Resource:
    settings, roles = held["diagnostic_settings"], held["roles"]
    return Resource(
        **{
            **held,
            "diagnostic_settings": None
            if settings is None
            else tuple(
                DiagnosticSetting(**one | {"categories": tuple(one["categories"])}) for one in settings
            ),
            "roles": None if roles is None else tuple(Role(**one) for one in roles),
        }
    )


def _line(resource: Resource) -> Sequence[str | int | None]:
    readers = None if resource.roles is None else sum(role.reads != "nothing" for role in resource.roles)
    sent = resource.diagnostic_settings
    return (
        resource.id,
        resource.type,
        resource.name,
        resource.region,
        resource.owner,
        resource.traces,
        str((resource.settings or {}).get("workspace_id", "")),
        None if sent is None else len(sent),
        readers,
    )


def _unreadable() -> InvalidRequest:
    return InvalidRequest(
        "The file holds no inventory that this version can read.",
        next_step="Give the bundle of an earlier `tracekeeper inventory`, or its data/inventory.json.",
    )
