"""Decides what a limited role reaches: some agents, some tenants, or both. Pure.

A limit hides what it can't place: who is limited to agents sees nothing that names no agent.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Scope:
    """How far a role of somebody reaches.

    Attributes:
        agents: The only agents, by their names in agents.yaml; None: all.
        tenants: The only tenants, as telemetry names them; None: all. They are raw ids: for no log or answer.
    """

    agents: frozenset[str] | None = None
    tenants: frozenset[str] | None = None

    @property
    def unlimited(self) -> bool:
        """Whether everything is inside."""
        return self.agents is None and self.tenants is None

    def sees(self, agents: Collection[str], tenants: Collection[str]) -> bool:
        """Return whether what names these agents and tenants, and no others, may be shown.

        All that is named must be inside, and where there is a limit something must be named at all. Empty
        names are none.

        Args:
            agents: By their names in agents.yaml where these map what was sent; else as sent.
            tenants: As sent.
        """
        return _inside(agents, self.agents) and _inside(tenants, self.tenants)

    def within(self, other: "Scope") -> bool:
        """Return whether whoever has `other` may see all that this scope reaches."""
        return _no_wider(self.agents, other.agents) and _no_wider(self.tenants, other.tenants)

    def both(self, other: "Scope") -> "Scope":
        """Return what both reach."""
        return Scope(_shared(self.agents, other.agents), _shared(self.tenants, other.tenants))

    def body(self) -> dict[str, list[str] | None]:
        """Return it as documents keep it; for no answer, since it names tenants."""
        return {"agents": _listed(self.agents), "tenants": _listed(self.tenants)}


EVERYTHING = Scope()
"""What a role without a limit reaches."""


def stored_scope(body: Mapping[str, Any] | None) -> Scope:
    """Read back what `Scope.body` gave; None, of documents from before there were limits, is everything."""
    if body is None:
        return EVERYTHING
    return Scope(_set(body["agents"]), _set(body["tenants"]))


def united(scopes: Iterable[Scope]) -> Scope | None:
    """Return the scope that reaches exactly what one of these does; None where no single scope does.

    Agents of one and tenants of another must not meet: what neither reaches alone, both don't reach together.
    """
    whole: Scope | None = None
    for scope in scopes:
        if whole is None or whole.within(scope):
            whole = scope
        elif scope.within(whole):
            continue
        elif scope.tenants == whole.tenants:
            whole = Scope(_sum(whole.agents, scope.agents), whole.tenants)
        elif scope.agents == whole.agents:
            whole = Scope(whole.agents, _sum(whole.tenants, scope.tenants))
        else:
            return None
    return whole


def _inside(named: Collection[str], limit: frozenset[str] | None) -> bool:
    if limit is None:
        return True
    said = {name for name in named if name}
    return bool(said) and said <= limit


def _no_wider(inner: frozenset[str] | None, outer: frozenset[str] | None) -> bool:
    return outer is None or (inner is not None and inner <= outer)


def _sum(one: frozenset[str] | None, other: frozenset[str] | None) -> frozenset[str] | None:
    return None if one is None or other is None else one | other


def _shared(one: frozenset[str] | None, other: frozenset[str] | None) -> frozenset[str] | None:
    if one is None or other is None:
        return other if one is None else one
    return one & other


def _listed(names: frozenset[str] | None) -> list[str] | None:
    return None if names is None else sorted(names)


def _set(names: Iterable[str] | None) -> frozenset[str] | None:
    return None if names is None else frozenset(names)
