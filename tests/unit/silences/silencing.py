"""Silences and alerts to be silenced, as the tests of both need them."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from functions.alerts.alert import Alert, alert_id
from functions.alerts.episode import opened
from functions.silences.body import Author, read_silence_body
from functions.silences.silence import Silence
from tests.unit.alerts.building import CHECK, DISPATCHER, finding

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)  # a Monday
HOUR = timedelta(hours=1)
ADA = Author("person-1", "Ada")


def asked(**changes: Any) -> dict[str, Any]:
    """Return what a person sends for a silence of four hours over the agent dispatcher, with changes."""
    body: dict[str, Any] = {
        "reason": "The stock service moves.",
        "matchers": {"agent": ["dispatcher"]},
        "ends_at": (NOON + 4 * HOUR).isoformat(),
    }
    return {name: value for name, value in (body | changes).items() if value is not None}


def silence(**changes: Any) -> Silence:
    """Return the silence that `asked` asks for at NOON."""
    return read_silence_body(asked(**changes), silence_id="0123456789ab", author=ADA, now=NOON)


def alert(key: Mapping[str, str] = DISPATCHER, **changes: Any) -> Alert:
    """Return an open alert of CHECK."""
    return replace(opened(alert_id(CHECK.id, key), None, finding(0, key), CHECK), **changes)
