"""What a bundle may show: the rules of config/redaction.yaml, by table column and by property name.

What no rule names is not shown. A rule keeps values of a given shape, drops, or puts pseudonyms in place.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import orjson

from functions.evidence.shapes import SHAPES, Shape, list_of, one_of


@dataclass(frozen=True, slots=True)
class Keep:
    """Keep values that have the shape."""

    shape: Shape


@dataclass(frozen=True, slots=True)
class Drop:
    """Never show the value."""


@dataclass(frozen=True, slots=True)
class Pseudonymize:
    """Show a pseudonym of the domain in place of the value."""

    domain: str


@dataclass(frozen=True, slots=True)
class Rule:
    """What happens to one column or property; `name` is its name in the policy, safe to show."""

    name: str
    action: Keep | Drop | Pseudonymize


@dataclass(frozen=True, slots=True)
class Policy:
    """A redaction policy.

    Attributes:
        profile: The profile that it defines, "metadata".
        columns: Rules by column name, or by "Table.Column" where one table differs.
        properties: Rules by property name.
        hash: SHA-256 (hex) over the canonical JSON of the policy's body.
    """

    profile: str
    columns: Mapping[str, Rule]
    properties: Mapping[str, Rule]
    hash: str

    def rule_for_column(self, table: str, column: str) -> Rule | None:
        """Return the rule for a column of a table, or None where the policy does not name it."""
        return self.columns.get(f"{table}.{column}") or self.columns.get(column)

    def rule_for_property(self, name: str) -> Rule | None:
        """Return the rule for a property, or None where the policy does not name it."""
        return self.properties.get(name)


def redaction_policy(body: Mapping[str, Any]) -> Policy:
    """Build a policy from a body that redaction.schema.json has accepted."""
    canonical = orjson.dumps(body, option=orjson.OPT_SORT_KEYS)
    return Policy(
        profile=body["profile"],
        columns=_rules(body["columns"]),
        properties=_rules(body["properties"]),
        hash=hashlib.sha256(canonical).hexdigest(),
    )


def _rules(body: Mapping[str, Any]) -> Mapping[str, Rule]:
    return MappingProxyType({name: Rule(name, _action(action)) for name, action in body.items()})


def _action(action: str | Mapping[str, Any]) -> Keep | Drop | Pseudonymize:
    match action:
        case "drop":
            return Drop()
        case {"pseudonymize": str(domain)}:
            return Pseudonymize(domain)
        case {"keep": str(shape)}:
            return Keep(SHAPES[shape])
        case {"keep": {"one_of": values}}:
            return Keep(one_of(values))
        case {"keep": {"each_of": values}}:
            return Keep(list_of(one_of(values)))
        case _:
            raise ValueError("The policy has an action that its schema does not allow.")
