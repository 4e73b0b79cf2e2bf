"""Finds out what keeps an alert quiet now: silences in force, and active alerts of checks that inhibit it."""

import logging
from collections.abc import Callable, Mapping
from functools import cache
from itertools import chain

from functions.alerts.alert import Alert
from functions.alerts.routing import Inhibitors, inhibited_by, inhibiting, inhibitors_among
from functions.alerts.rules import AlertRules
from functions.alerts.state import PREFIX, state_from_json
from functions.errors import StorageError
from functions.storage.documents import Documents

Quieted = Callable[[Alert], tuple[str, ...]]
"""Returns the names of what keeps an alert quiet."""

_log = logging.getLogger(__name__)


class Quieting:
    """Begins anew for each check's turn; reads nothing where there is no alert to ask about.

    Args:
        documents: Where the checks' states are.
        rules: What inhibits what, and whose agents are.
        silencing: Reads the silences in force, and returns what says which of them keep an alert quiet.
    """

    def __init__(self, documents: Documents, rules: AlertRules, silencing: Callable[[], Quieted]) -> None:
        self._documents = documents
        self._rules = rules
        self._silencing = silencing

    def begin(self) -> Quieted:
        """Return what tells for each alert of one turn, by what is read once, when first asked."""
        silenced = cache(self._silencing)

        @cache
        def inhibitors(muted: str) -> Inhibitors:
            active = (self._active(check_id) for check_id in inhibiting(muted, self._rules))
            return inhibitors_among(chain.from_iterable(active), self._rules)

        return lambda alert: silenced()(alert) + inhibited_by(alert, self._rules, inhibitors(alert.check_id))

    def _active(self, check_id: str) -> list[tuple[str, Mapping[str, str]]]:
        """Return the active alerts of a check; none where its document can't be read: rather more is told."""
        name = PREFIX + check_id
        try:
            held = self._documents.read(name)
            alerts = state_from_json(name, held.body).alerts.values() if held else ()
        except StorageError as error:
            _log.error("Nothing is kept quiet by %s: %s", check_id, error)
            return []
        return [(alert.check_id, alert.key) for alert in alerts if alert.active]
