"""Decides which silences somebody with a limited role may make, see and end. Pure."""

from collections.abc import Mapping

from functions.access.scope import Scope

_WILD = frozenset("*?[")


def within_reach(matchers: Mapping[str, tuple[str, ...]], scope: Scope) -> bool:
    """Return whether a silence can hide only what the scope holds: each limit is met by whole names in it."""
    return _met(matchers, ("agent", "Agent"), scope.agents) and _met(matchers, ("Tenant",), scope.tenants)


def _met(
    matchers: Mapping[str, tuple[str, ...]], names: tuple[str, ...], limit: frozenset[str] | None
) -> bool:
    if limit is None:
        return True
    return any(
        name in matchers and all(one in limit and not _WILD & set(one) for one in matchers[name])
        for name in names
    )
