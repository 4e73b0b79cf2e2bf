"""Keeps what people were not told of while a silence or an inhibition kept an alert quiet. Pure.

The record is in the check's document, beside the alert: it outlives the alert, and is forgotten once the
silence has ended and its report is on its way.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime

from functions.alerts.alert import Alert, AlertState
from functions.alerts.records import Json, instant, instant_text
from functions.checks.definition import CheckDefinition, Severity

MOST_CHARACTERS = 200
"""Of a key's value: an alert's record outlives it for as long as a silence lasts."""


@dataclass(frozen=True, slots=True)
class Hidden:
    """What one silence or inhibition hid of one alert.

    Attributes:
        silence: What hid it, as `Alert.quieted_by` names it.
        alert_id: The alert.
        check_id: Its check, or what is wrong with that.
        title: The check's.
        unit: The check's.
        key: The alert's, each value cut at MOST_CHARACTERS. Hostile.
        severity: The alert's, when last hidden.
        since: When the first episode that was hidden began.
        until: When the latest one was over; None where it was not when last hidden.
        state: The alert's, when last hidden.
        value: The worst of the latest episode, in the check's unit.
        threshold: The alert's, likewise.
        violations: Of the latest episode.
        episode: The latest one.
        episodes: How many were hidden.
    """

    silence: str
    alert_id: str
    check_id: str
    title: str
    unit: str
    key: Mapping[str, str]
    severity: Severity
    since: datetime
    until: datetime | None
    state: AlertState
    value: float
    threshold: float | None
    violations: int
    episode: int
    episodes: int


def hide(hidden: tuple[Hidden, ...], alerts: Iterable[Alert], check: CheckDefinition) -> tuple[Hidden, ...]:
    """Write down what hides each of the alerts of `check` now: one record for each of its `quieted_by`.

    The very same records come back where they say so already.
    """
    records = {(one.silence, one.alert_id): one for one in hidden}
    for alert in alerts:
        for name in alert.quieted_by:
            place = (name, alert.id)
            records[place] = _record(name, records.get(place), alert, check)
    after = tuple(records.values())
    return hidden if after == hidden else after


def hidden_json(hidden: Hidden) -> Json:
    """Return a record as the check's document has it."""
    flat = {field.name: getattr(hidden, field.name) for field in fields(hidden)}
    return flat | {
        "key": dict(hidden.key),
        "since": instant_text(hidden.since),
        "until": hidden.until and instant_text(hidden.until),
    }


def read_hidden(body: Json) -> Hidden:
    """Read what `hidden_json` wrote.

    Raises:
        KeyError, TypeError, ValueError: It is something else.
    """
    until = body["until"] and instant(body["until"])
    return Hidden(**body | {"since": instant(body["since"]), "until": until})


def _record(name: str, before: Hidden | None, alert: Alert, check: CheckDefinition) -> Hidden:
    return Hidden(
        silence=name,
        alert_id=alert.id,
        check_id=alert.check_id,
        title=check.title,
        unit=check.unit,
        key={column: value[:MOST_CHARACTERS] for column, value in alert.key.items()},
        severity=alert.severity,
        since=before.since if before else alert.opened_at,
        until=alert.resolved_at,
        state=alert.state,
        value=alert.worst,
        threshold=alert.threshold,
        violations=alert.violations,
        episode=alert.episode,
        episodes=before.episodes + alert.episode - before.episode if before else 1,
    )


def is_silence(name: str) -> bool:
    """Return whether what keeps an alert quiet under this name is a silence; else it is an inhibition."""
    return "@" in name  # as `Silence.named` writes it; no inhibition's name may have one
