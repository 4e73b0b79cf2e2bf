"""Decides which exports somebody with a limited role may see, and which alerts they may name in a request."""

from functions.access.scope import Scope
from functions.alerts.reading import read_alert
from functions.errors import NotFound
from functions.evidence.exports.export import Export
from functions.storage.documents import Documents


def within_reach(export: Export, person: str, scope: Scope) -> bool:
    """Return whether the person may see the export: they asked for it, or may see all that it may hold."""
    return export.requester == person or export.selection.scope.within(scope)


def hold_within_reach(export: Export, person: str, scope: Scope) -> Export:
    """Return the export, if the person may see it.

    Raises:
        NotFound: They may not; it says what is said of an export that there is not.
    """
    if not within_reach(export, person, scope):
        raise NotFound("There is no such export.", next_step="Check its id in the list of exports.")
    return export


def hold_alert_within_reach(documents: Documents, body: object, scope: Scope) -> None:
    """Look whether a request for an export names an alert beyond the scope.

    Raises:
        NotFound: It does, or there is no such alert: the two can't be told apart.
    """
    selector = body.get("selector") if isinstance(body, dict) else None
    alert_id = selector.get("alert_id") if isinstance(selector, dict) else None
    if isinstance(alert_id, str) and not scope.unlimited:
        read_alert(documents, alert_id, scope)
