"""Compares two inventories, field by field. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from functions.release.inventory import Inventory, Resource
from functions.text_plot import safe

_WORDS = {"traces": "whether it receives traces", "owner": "its owner", "region": "its region"}


@dataclass(frozen=True, slots=True)
class Change:
    """One difference.

    Attributes:
        kind: What happened.
        id: The resource's.
        field: Which of its fields, with dots; "" for the resource itself.
        before: What it was; None where it was not there.
        after: What it is; None where it is not there any more.
        sentence: The same for people.
    """

    kind: Literal["added", "removed", "changed"]
    id: str
    field: str
    before: Any
    after: Any
    sentence: str


@dataclass(frozen=True, slots=True)
class Drift:
    """What differs, and what could not be compared, as sentences."""

    changes: tuple[Change, ...]
    not_compared: tuple[str, ...]


def drift(before: Inventory, now: Inventory) -> Drift:
    """Return how the later inventory differs from the earlier one."""
    old = {resource.id: resource for resource in before.resources}
    new = {resource.id: resource for resource in now.resources}
    changes: list[Change] = []
    blind: list[str] = []
    same_key = before.pseudonym_key_id == now.pseudonym_key_id
    if not same_key:
        blind.append("Roles: people have pseudonyms under different keys in the two.")
    if set(before.subscriptions) != set(now.subscriptions):
        blind.append("The two speak of different subscriptions: what was added or removed may only be that.")
    for id_ in sorted(new.keys() - old.keys()):
        if before.all_listed:
            changes.append(_whole("added", new[id_]))
        else:
            blind.append(
                f"{_named(new[id_])} may have been there before: not all resources were listed then."
            )
    for id_ in sorted(old.keys() - new.keys()):
        if now.all_listed:
            changes.append(_whole("removed", old[id_]))
        else:
            blind.append(f"{_named(old[id_])} may still be there: not all resources were listed now.")
    for id_ in sorted(old.keys() & new.keys()):
        changes += _fields(old[id_], new[id_], roles=same_key)
        blind += _unknown(old[id_], new[id_])
    return Drift(tuple(changes), tuple(blind))


def drift_body(found: Drift, against: str) -> dict[str, Any]:
    """Return the JSON object of data/drift.json; `against` is the SHA-256 of the earlier inventory.json."""
    return {
        "format": 1,
        "against_sha256": against,
        "counts": {"changes": len(found.changes), "not_compared": len(found.not_compared)},
        **asdict(found),
    }


def _whole(kind: Literal["added", "removed"], resource: Resource) -> Change:
    one = resource.name
    before, after = (None, one) if kind == "added" else (one, None)
    return Change(kind, resource.id, "", before, after, f"{_named(resource)} was {kind}.")


def _fields(before: Resource, now: Resource, *, roles: bool) -> Iterator[Change]:
    old, new = _flat(before, roles=roles), _flat(now, roles=roles)
    unknown = {name for name in ("diagnostic_settings", "roles") if None in _both(name, before, now)}
    for field in sorted(old.keys() | new.keys()):
        if field.partition(".")[0] in unknown or old.get(field) == new.get(field):
            continue
        if "unknown" in {old.get(field), new.get(field)} and field == "traces":
            continue
        was, is_ = old.get(field), new.get(field)
        named = f"{_named(now)}: {_WORDS.get(field, safe(field))}"
        if field not in old:
            yield Change("added", now.id, field, None, is_, f"{named} is new: {_shown(is_)}.")
        elif field not in new:
            yield Change("removed", now.id, field, was, None, f"{named} is gone; it was {_shown(was)}.")
        else:
            yield Change("changed", now.id, field, was, is_, f"{named} was {_shown(was)}, is {_shown(is_)}.")


def _unknown(before: Resource, now: Resource) -> Iterator[str]:
    for name, words in (("diagnostic_settings", "diagnostic settings"), ("roles", "roles")):
        if None in _both(name, before, now):
            yield f"{_named(now)}: its {words} could not be listed in one of the two."
    if before.traces != now.traces and "unknown" in {before.traces, now.traces}:
        yield f"{_named(now)}: whether it receives traces is not known in one of the two."


def _both(name: str, before: Resource, now: Resource) -> tuple[object, object]:
    return getattr(before, name), getattr(now, name)


def _flat(resource: Resource, *, roles: bool) -> Mapping[str, Any]:
    """Return the resource's fields by dotted name; of lists each entry is a field of its own."""
    flat: dict[str, Any] = {
        name: getattr(resource, name) for name in ("name", "kind", "region", "owner", "traces")
    }
    flat |= {f"tags.{name}": value for name, value in (resource.tags or {}).items()}
    flat |= {f"settings.{name}": value for name, value in (resource.settings or {}).items()}
    for setting in resource.diagnostic_settings or ():
        at = f"diagnostic_settings.{setting.name}"
        flat |= {f"{at}.workspace_id": setting.workspace_id, f"{at}.categories": list(setting.categories)}
    if roles:
        flat |= {f"roles.{one.role}.{one.principal}.{one.scope}": one.reads for one in resource.roles or ()}
    return flat


def _named(resource: Resource) -> str:
    return f"{safe(resource.type.rpartition('/')[2])} {safe(resource.name)}"


def _shown(value: object) -> str:
    if value == "":
        return "empty"
    return safe(", ".join(map(str, value)) if isinstance(value, list) else str(value))
