"""What a bundle may show: the rules of config/redaction.yaml, by table, by column or property, by profile.

What no rule names is not shown. Which of several rules holds: an exact name before a prefix, the longer
prefix before the shorter one, then a table's own before the general one, then a profile's own.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

import orjson

from functions.evidence.redaction.shapes import SHAPES, Shape, buckets, list_of, one_of, to_hour

Profile = Literal["metadata", "content"]

PROFILES: tuple[Profile, ...] = ("metadata", "content")
"""How much a bundle shows: structure alone, or masked content too."""

Kind = Literal["columns", "properties"]
_KINDS: tuple[Kind, ...] = ("columns", "properties")
Place = tuple[str, ...]
"""Where a rule stands in redaction.yaml: keys from the top."""


@dataclass(frozen=True, slots=True)
class Keep:
    """Keep values that have the shape.

    Attributes:
        shape: Tells which values.
        searched: Whether a detector could find something in such a value: in short numbers none does.
    """

    shape: Shape
    searched: bool = True


@dataclass(frozen=True, slots=True)
class Drop:
    """Never show the value."""


@dataclass(frozen=True, slots=True)
class Pseudonymize:
    """Show a pseudonym of the domain in place of the value."""

    domain: str


@dataclass(frozen=True, slots=True)
class Mask:
    """Show the text in content.jsonl, with what the detectors find replaced; never in a row."""


@dataclass(frozen=True, slots=True)
class Generalize:
    """Show something coarser in place of the value: its hour, or the bucket that a number lies in."""

    shape: Shape


Action = Keep | Drop | Pseudonymize | Mask | Generalize


@dataclass(frozen=True, slots=True)
class Rule:
    """What happens to one column or property, or to all whose names begin alike.

    Attributes:
        name: Its name in the policy, safe to show: "Url", "AppEvents.Name" for one table, "llm.usage.*".
        action: What is done.
        prefix: How the names begin that it holds for; "" where it holds for one name.
        place: Where it stands in the file.
    """

    name: str
    action: Action
    prefix: str = ""
    place: Place = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Policy:
    """A redaction policy, as one profile sees it.

    Attributes:
        profile: The profile.
        version: The number that the file gives itself.
        rules: The rules that hold in the profile, by kind and table ("" for all tables).
        hash: SHA-256 (hex) over the canonical JSON of the file's body, the same in every profile.
        body: The file's body.
    """

    profile: Profile
    version: int
    rules: Mapping[tuple[Kind, str], "Rules"]
    hash: str
    body: Mapping[str, Any] = field(repr=False, compare=False)

    def rule_for_column(self, table: str, column: str) -> Rule | None:
        """Return the rule for a column of a table, or None where the policy does not name it."""
        return self._rule("columns", table, column)

    def rule_for_property(self, table: str, name: str) -> Rule | None:
        """Return the rule for a property of a table's rows, or None where the policy does not name it."""
        return self._rule("properties", table, name)

    def for_profile(self, profile: Profile) -> "Policy":
        """Return the same policy as another profile sees it."""
        return self if profile == self.profile else redaction_policy(self.body, profile)

    def _rule(self, kind: Kind, table: str, name: str) -> Rule | None:
        own, general = self.rules.get((kind, table), _NO_RULES), self.rules.get((kind, ""), _NO_RULES)
        exact = own.exact.get(name) or general.exact.get(name)
        if exact is not None:
            return exact
        found = [rule for rules in (own, general) for rule in rules.prefixes if name.startswith(rule.prefix)]
        return max(found, key=lambda rule: len(rule.prefix), default=None)  # of equals the first: the table's


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules for the columns or the properties of one table, or of all: by name, and by prefix."""

    exact: Mapping[str, Rule]
    prefixes: tuple[Rule, ...]


_NO_RULES = Rules(MappingProxyType({}), ())


def redaction_policy(body: Mapping[str, Any], profile: Profile = "metadata") -> Policy:
    """Build a policy from a body that redaction.schema.json has accepted."""
    canonical = orjson.dumps(body, option=orjson.OPT_SORT_KEYS)
    rules: dict[tuple[Kind, str], dict[str, Rule]] = {}
    for place, kind, table, name, action in entries(body):
        if place[0] == "profiles" and place[1] != profile:
            continue
        prefix = name.removesuffix("*") if name.endswith("*") else ""
        shown = f"{table}.{name}" if table else name
        # What stands under `profiles` comes last and so replaces the rule for every profile.
        rules.setdefault((kind, table), {})[name] = Rule(shown, read_action(action), prefix, place)
    return Policy(
        profile=profile,
        version=body["version"],
        rules=MappingProxyType({scope: _rules(named) for scope, named in rules.items()}),
        hash=hashlib.sha256(canonical).hexdigest(),
        body=body,
    )


def entries(body: Mapping[str, Any]) -> Iterator[tuple[Place, Kind, str, str, Any]]:
    """Yield each rule's place in the body, its kind, its table ("" for all), its name and its action."""
    yield from _entries(body, ())
    for profile, part in body.get("profiles", {}).items():
        yield from _entries(part, ("profiles", profile))


def _entries(part: Mapping[str, Any], place: Place) -> Iterator[tuple[Place, Kind, str, str, Any]]:
    holders: list[tuple[Place, str, Mapping[str, Any]]] = [((), "", part)]
    holders += [(("tables", table), table, own) for table, own in part.get("tables", {}).items()]
    for below, table, holder in holders:
        for kind in _KINDS:
            for name, action in holder.get(kind, {}).items():
                yield (*place, *below, kind, name), kind, table, name, action


def _rules(named: Mapping[str, Rule]) -> Rules:
    exact = {name: rule for name, rule in named.items() if not rule.prefix}
    prefixes = [rule for rule in named.values() if rule.prefix]
    return Rules(MappingProxyType(exact), tuple(prefixes))


def read_action(action: str | Mapping[str, Any]) -> Action:
    """Read an action that the schema has accepted."""
    match action:
        case "drop":
            return Drop()
        case "mask":
            return Mask()
        case {"pseudonymize": str(domain)}:
            return Pseudonymize(domain)
        case {"keep": kept}:
            return _keep(kept)
        case {"generalize": "hour"}:
            return Generalize(to_hour)
        case {"generalize": {"buckets": list(bounds)}}:
            return Generalize(buckets(bounds))
        case _:
            raise _not_allowed()


def _keep(kept: str | Mapping[str, Any]) -> Keep:
    match kept:
        case str(shape):
            return Keep(SHAPES[shape], searched=shape not in _NUMERIC)
        case {"one_of": values}:
            return Keep(one_of(values))
        case {"each_of": values}:
            return Keep(list_of(one_of(values)))
        case _:
            raise _not_allowed()


def _not_allowed() -> ValueError:
    return ValueError("The policy has an action that its schema does not allow.")


_NUMERIC = frozenset({"boolean", "integer", "number"})
SHAPES_WITH_WORDS = frozenset({"name", "model", "version", "hex_id", "id_list"})
"""The shapes that leave the sender room for a word or an id of its own."""
