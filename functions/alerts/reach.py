"""Decides which alerts somebody with a limited role may see. Pure.

An alert is told by its key alone: it stands for all runs that share the key. So who is limited to tenants
sees the alerts of checks that tell tenants apart, and no others.
"""

from collections.abc import Mapping

from functions.access.scope import Scope
from functions.config_subjects import OF_A_CHECK, OF_THE_WATCH

_ABOUT_THE_WATCH = OF_A_CHECK.keys() | OF_THE_WATCH.keys()


def within_reach(check_id: str, key: Mapping[str, str], scope: Scope) -> bool:
    """Return whether an alert with this key may be shown to whoever has this scope.

    What is wrong with the watch itself concerns everybody, and names no agent.
    """
    if check_id in _ABOUT_THE_WATCH:
        return True
    return scope.sees((key.get("Agent", ""),), (key.get("Tenant", ""),))
