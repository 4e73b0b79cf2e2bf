"""Decides what people can ask by, from the agents' attributes and the redaction policy. Pure."""

from collections.abc import Iterable, Iterator

from functions.evidence.redaction.policy import Action, Keep, Policy, Pseudonymize
from functions.evidence.redaction.pseudonyms import Pseudonyms
from functions.evidence.selection.selection import PROFILES, Asking
from functions.traces.agents import Attributes
from functions.traces.model import TABLES

CASE, DIMENSION = "case", "dimension"
"""The domains of pseudonyms of what the policy does not show and gives no domain of its own."""


def asking_for(
    attributes: Attributes,
    policy: Policy,
    pseudonyms: Pseudonyms,
    *,
    case_attribute: str | None = None,
    profiles: tuple[str, ...] = PROFILES[:1],
) -> Asking:
    """Return what people can ask by here.

    Args:
        attributes: The dimensions, and the properties that carry them.
        policy: A dimension whose properties it keeps is shown; of another one, pseudonyms are.
        pseudonyms: Those of exports.
        case_attribute: The property that holds case numbers; None: none does.
        profiles: Those that exports have.
    """
    return Asking(
        pseudonym=pseudonyms.of,
        dimensions={
            name: _domain(policy, properties) for name, properties in sorted(attributes.dimensions.items())
        },
        case_domain=None if case_attribute is None else case_domain(policy, case_attribute),
        profiles=profiles,
    )


def case_domain(policy: Policy, attribute: str) -> str:
    """Return the domain of case numbers' pseudonyms: that of the property in exports, where it has one."""
    return next(_domains(policy, (attribute,)), CASE)


def _domain(policy: Policy, properties: tuple[str, ...]) -> str | None:
    """Return the domain of a dimension's pseudonyms; None where the policy keeps its values everywhere."""
    if properties and all(isinstance(action, Keep) for action in _actions(policy, properties)):
        return None
    return next(_domains(policy, properties), DIMENSION)


def _domains(policy: Policy, properties: Iterable[str]) -> Iterator[str]:
    return (one.domain for one in _actions(policy, properties) if isinstance(one, Pseudonymize))


def _actions(policy: Policy, properties: Iterable[str]) -> Iterator[Action | None]:
    for name in properties:
        for table in TABLES:
            rule = policy.rule_for_property(table, name)
            yield rule.action if rule else None
