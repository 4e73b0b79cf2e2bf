"""Writes what a silence has hidden, once it has ended, as the body of an announcement. Pure.

The body of a `silence_report`, all times ISO 8601 in UTC:

    {"silence": {"id", "author", "reason", "matchers": {name: [pattern]}, "starts_at", "ends_at", "recurs"},
     "count": alerts that it hid, "open": how many of them are still open,
     "hidden": [{"alert_id", "check_id", "title", "unit", "key", "severity", "since", "until" or null,
                 "state", "value", "threshold" or null, "violations", "episodes"}, ...]}

`silence.starts_at` and `ends_at` are those of the occurrence; it `recurs` if there is a later one. `hidden`
has the worst MOST_TOLD. Keys, the reason and the author are hostile.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from math import inf

from functions.alerts.announcement import Announcement
from functions.alerts.hidden import Hidden, hidden_json
from functions.alerts.records import Json, instant_text
from functions.silences.recurrence import Occurrence
from functions.silences.silence import Silence

MOST_TOLD = 10

_RANKS = {"critical": 0, "high": 1, "medium": 2, "low": 3}


def silence_report(
    silence: Silence,
    occurrence: Occurrence,
    hidden: Sequence[Hidden],
    destinations: Iterable[str],
    now: datetime,
) -> Announcement:
    """Return the report of an occurrence that has ended and hid something."""
    body = {
        "silence": {
            "id": silence.id,
            "author": silence.author,
            "reason": silence.reason,
            "matchers": {name: list(patterns) for name, patterns in silence.matchers.items()},
            "starts_at": instant_text(occurrence.start),
            "ends_at": instant_text(occurrence.end),
            "recurs": any(one.start > occurrence.start for one in silence.occurrences()),
        },
        **told(hidden),
    }
    key = f"silence-{silence.named(occurrence).replace('@', '-')}"
    return Announcement(key, "silence_report", now, tuple(dict.fromkeys(destinations)), body)


def told(hidden: Sequence[Hidden], most: int = MOST_TOLD) -> Json:
    """Return what was hidden: how many alerts, how many of them are open, and the worst first."""
    return {
        "count": len(hidden),
        "open": sum(map(_is_open, hidden)),
        "hidden": [_line(one) for one in sorted(hidden, key=_badness)[:most]],
    }


def _badness(hidden: Hidden) -> tuple[int, bool, float, datetime, str]:
    """Sort by severity; what is open before what is over; then by how far it is beyond its limit."""
    factor = hidden.value / hidden.threshold if hidden.threshold else 0.0
    beyond = max(factor, 1 / factor if factor > 0 else inf) if hidden.threshold else 0.0
    return _RANKS[hidden.severity], not _is_open(hidden), -beyond, hidden.since, hidden.alert_id


def _is_open(hidden: Hidden) -> bool:
    return hidden.state in {"open", "acknowledged"}


def _line(hidden: Hidden) -> Mapping[str, object]:
    line = hidden_json(hidden)
    del line["silence"], line["episode"]
    return line
