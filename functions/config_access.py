"""The rules that the section `access` of agents.yaml obeys beyond its schema.

An entry that says nothing, or something else than it seems to say, would let in whom nobody meant.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from functions.access.entries import access_rules
from functions.access.roles import Role
from functions.access.scope import united
from functions.config_file import ConfigFile, Place
from functions.errors import ConfigurationError

Errors = Iterator[ConfigurationError]

_LIMITS = ("agents", "tenants")


def access_breaches(agents: ConfigFile) -> Errors:
    """Find entries that can't hold as they are written."""
    section = agents.body.get("access", {})
    entries = section.get("entries", [])
    for index, entry in enumerate(entries):
        yield from _entry_breaches(agents, ("access", "entries", index), entry)
    yield from _apart(agents, entries)
    if section.get("default") == "none" and not entries:
        yield agents.wrong(
            ("access", "default"),
            "would let nobody in, since there are no entries",
            next_step="Add entries, or remove default.",
        )


def _entry_breaches(agents: ConfigFile, place: Place, entry: Mapping[str, Any]) -> Errors:
    if ("id" in entry) == ("group" in entry):
        yield agents.wrong(
            place,
            "must name either an id or a group",
            next_step="Give the object id of a person or application under id, or of a group under group.",
        )
    limits = [limit for limit in _LIMITS if limit in entry]
    if limits and entry.get("role") == Role.AUDIT_READ:
        yield agents.wrong(
            (*place, limits[0]),
            f"can't limit {Role.AUDIT_READ}: the access log is one chain, of all agents and tenants",
            next_step=f"Remove {limits[0]}.",
        )
    known = agents.body.get("agents", {})
    for index, agent in enumerate(entry.get("agents", ())):
        if agent not in known:
            yield agents.wrong(
                (*place, "agents", index),
                "is no agent under agents",
                next_step="Write its own name as there, not one that is sent, or add the agent.",
            )
    if "tenants" in entry and agents.body.get("attributes", {}).get("tenant") == []:
        yield agents.wrong(
            (*place, "tenants"),
            "needs attributes.tenant, which names no property",
            next_step="List the property that carries it under attributes.tenant.",
        )


def _apart(agents: ConfigFile, entries: list[Mapping[str, Any]]) -> Errors:
    """Find entries for the same that don't add up, or of which one makes the other void."""
    whole = [(index, entry) for index, entry in enumerate(entries) if "role" in entry]
    for index, entry in whole:
        for before, other in whole[:index]:
            if _whose(entry) != _whose(other):
                continue
            one, two = (built.scope for built in access_rules({"entries": [other, entry]}).entries)
            if united((one, two)) is None:
                yield agents.wrong(
                    ("access", "entries", index),
                    f"can't be added to entry {before} for the same: that limits other agents and tenants",
                    next_step="Limit both by agents or both by tenants, or merge them into one.",
                )
            elif one.within(two) or two.within(one):
                yield agents.wrong(
                    ("access", "entries", index),
                    f"names the same as entry {before}, and the wider of the two makes the other void",
                    next_step="Remove one of the two.",
                )


def _whose(entry: Mapping[str, Any]) -> tuple[str, str, str]:
    return entry["role"], entry.get("id", "").lower(), entry.get("group", "").lower()
