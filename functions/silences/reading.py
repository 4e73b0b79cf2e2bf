"""Answers what people ask of silences: which there are, how they stand, and what each hides now."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from functions.alerts.reading import readable_states
from functions.alerts.records import Json, instant_text
from functions.alerts.state import CheckState
from functions.silences.ends import hidden_by
from functions.silences.report import told
from functions.silences.silence import Silence, silence_json
from functions.storage.documents import Documents

MOST_SHOWN = 50
"""Of what a silence hides, the worst first."""


def list_silences(documents: Documents, silences: Iterable[Silence], now: datetime) -> Json:
    """Return the silences, those that last longest first.

    Returns:
        `silences`, each with its `state`, what it `hides` now (null while it is not in force) and the
        `reports` of its times that are over; under `unreadable` the names of documents whose alerts are not
        known.

    Raises:
        StorageError: The store could not be listed.
    """
    states, unreadable = readable_states(documents)
    ordered = sorted(silences, key=lambda one: (one.until, one.id), reverse=True)
    return {"silences": [_shown(one, states, now) for one in ordered], "unreadable": list(unreadable)}


def silence_summary(silence: Silence, now: datetime) -> Json:
    """Return a silence as people see it, without what it hides."""
    reports: Sequence[Json] = [
        {"start": instant_text(one.start), "at": instant_text(one.at), "hid": one.hid}
        for one in silence.reports
    ]
    return silence_json(silence) | {"state": silence.state(now), "reports": reports}


def _shown(silence: Silence, states: Mapping[str, CheckState], now: datetime) -> Json:
    current = next((one for one in silence.occurrences() if one.start <= now < one.end), None)
    hides = None
    if current:
        hides = told([hidden for hidden, _ in hidden_by(silence.named(current), states)], MOST_SHOWN)
    return silence_summary(silence, now) | {"hides": hides}
