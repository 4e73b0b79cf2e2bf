"""Decides how far a role of somebody reaches, by the entries under `access` in agents.yaml. Pure.

Whatever is not known narrows: of whom the token lists no groups, any group's entry may be meant.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from functions.access.principal import Principal
from functions.access.roles import Role
from functions.access.scope import EVERYTHING, Scope, united
from functions.errors import Forbidden


@dataclass(frozen=True, slots=True)
class Entry:
    """What one role reaches of one person, application or group.

    Attributes:
        role: The role that is limited; it is given in the directory, never here.
        person: The object id of a person or application; "" where the entry names a group.
        group: The object id of a group; "" where it names a person.
        scope: What the role reaches.
    """

    role: Role
    person: str
    group: str
    scope: Scope


@dataclass(frozen=True, slots=True)
class AccessRules:
    """The section `access`.

    Attributes:
        entries: In the order of the file.
        closed: Whether a role lets nobody in of whom no entry names it.
    """

    entries: tuple[Entry, ...] = ()
    closed: bool = False


UNLIMITED = AccessRules()
"""What holds where agents.yaml has no such section: roles reach everything."""


def access_rules(body: Mapping[str, Any]) -> AccessRules:
    """Build the rules from a section that agents.schema.json has accepted."""
    return AccessRules(tuple(map(_entry, body.get("entries", ()))), body.get("default") == "none")


def scope_of(principal: Principal, role: Role, rules: AccessRules) -> Scope:
    """Return how far the role of somebody who has it reaches.

    All entries that name them add up. An entry by object id holds whatever groups are known.

    Raises:
        Forbidden: No entry lets them in where one must; their groups are not known, and matter; or their
            entries can't be added up.
    """
    entries = [entry for entry in rules.entries if entry.role is role]
    named = [entry for entry in entries if _names(entry, principal)]
    # A token that lists none may be of somebody in no group, or of an app registration that asks for none.
    told = principal.groups_known and principal.groups
    if not named and not told and any(entry.group for entry in entries):
        raise Forbidden(
            f"The role {role} is limited by groups, and the sign-in does not tell yours.",
            next_step="Ask the owner of the app registration to have tokens list the groups assigned to the "
            "application, or whoever keeps agents.yaml for an entry with your object id.",
        )
    if not named:
        if rules.closed:
            raise Forbidden(
                f"No entry says what the role {role} reaches for you.",
                next_step="Ask whoever keeps agents.yaml for an entry under access.",
            )
        return EVERYTHING
    scope = united(entry.scope for entry in named)
    if scope is None:
        raise Forbidden(
            f"Your entries for the role {role} limit different agents and tenants, and can't be added up.",
            next_step="Ask whoever keeps agents.yaml for a single entry with your object id.",
        )
    return scope


def reach(principal: Principal, rules: AccessRules) -> Mapping[Role, Scope]:
    """Return how far each role of somebody reaches; roles that let them in nowhere are left out."""
    scopes = {}
    for role in Role:
        if role in principal.roles:
            with suppress(Forbidden):
                scopes[role] = scope_of(principal, role, rules)
    return scopes


def _entry(body: Mapping[str, Any]) -> Entry:
    return Entry(
        Role(body["role"]),
        body.get("id", "").lower(),
        body.get("group", "").lower(),
        Scope(
            frozenset(body["agents"]) if "agents" in body else None,
            frozenset(body["tenants"]) if "tenants" in body else None,
        ),
    )


def _names(entry: Entry, principal: Principal) -> bool:
    if entry.person:
        return entry.person == principal.object_id.lower()
    return entry.group in principal.groups
