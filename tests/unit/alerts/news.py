"""One piece of news of each kind, and those that a card or an event could stumble over.

They are put together by hand, so that what cards look like does not hang on when alerts open.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import orjson

from functions.alerts.alert import Alert, Notice, NoticeKind, alert_id, snapshot
from functions.alerts.announcement import Announcement
from functions.alerts.failures import CHECK_FAILED
from functions.alerts.hidden import Hidden
from functions.alerts.outbox import Telling
from functions.checks.finding import Finding
from functions.silences.recurrence import Occurrence
from functions.silences.report import silence_report
from functions.traces.source import Cell
from tests.unit.alerts.building import CHECK, DISPATCHER, START, finding
from tests.unit.silences.silencing import silence

BASE_URL = "https://tracekeeper.example.net"
MINUTE = timedelta(minutes=1)
SHOWS: Mapping[str, Cell] = MappingProxyType(
    {"Runs": 2, "Conversations": 2, "Release": "2026.11.3", "PromptVersion": "p-14"}
)
HOSTILE = {
    "Agent": "<at>everyone</at> [pay](https://evil.example/x) **now**\u202e",
    "Tool": "# <img src=x onerror=alert(1)>\n1. `rm` __x__ {{DATE(2026-01-01T00:00:00Z)}} "
    + "long " * 20_000,
}
TRACES = tuple(hashlib.sha256(bytes([n])).hexdigest()[:32] for n in range(4))
SUMMARY = Path(__file__).parents[1] / "summary"


def alert(**changes: Any) -> Alert:
    """Return an alert that has been open for 15 minutes, found in two windows, with changes."""
    two = tuple(
        finding(n, value=value, trace_ids=TRACES[2 * n : 2 * n + 2], shows=SHOWS)
        for n, value in enumerate((95.4, 61.0))
    )
    one = Alert(
        id=alert_id(CHECK.id, DISPATCHER),
        check_id=CHECK.id,
        severity="high",
        owner="platform",
        key=DISPATCHER,
        state="open",
        episode=1,
        opened_at=START,
        last_seen=START + 10 * MINUTE,
        resolved_at=None,
        quiet=0,
        value=61.0,
        threshold=30.0,
        worst=95.4,
        violations=4,
        runs=4,
        shows=SHOWS,
        findings=two,
        findings_dropped=0,
    )
    changed = {name: value for name, value in changes.items() if name != "findings"}
    return replace(one, findings=changes.get("findings", two), **changed)


def telling(kind: NoticeKind, after: timedelta = 15 * MINUTE, earlier: int = 0, **changes: Any) -> Telling:
    """Return the notice about `alert(**changes)` that was made so long after START."""
    return Telling(Notice(snapshot(alert(**changes)), kind, 1, earlier, START + after, ("teams",)), CHECK)


def changed_release() -> Sequence[Finding]:
    """Return findings of two windows with a release in between."""
    before, after = alert().findings
    return replace(before, shows={**SHOWS, "Release": "2026.11.2"}), after


def announced(name: str) -> Announcement:
    """Return the announcement of a week's summary or a test."""
    kind: Any = {"week": "weekly_summary", "test": "test"}[name]
    return Announcement(
        f"{kind}-1", kind, START, ("teams",), orjson.loads((SUMMARY / f"{name}.json").read_bytes())
    )


def exported(**changes: Any) -> Announcement:
    """Return the announcement of a scheduled export: complete, unless `changes` to its body say otherwise."""
    body = {
        "schedule": "weekly-operations-review",
        "export_id": "9f86d081884c7d659a2feaa0c55ad015",
        "day": "2026-11-23",
        "start": "2026-11-15T23:00:00Z",
        "end": "2026-11-22T23:00:00Z",
        "zone": "Europe/Berlin",
        "profile": "metadata",
        "ticket": "OPS-WEEKLY",
        "state": "done",
        "complete": True,
        "traces": 1204,
        "spans": 18_630,
        "rows": 20_017,
        "why": None,
        "missed_weeks": 0,
    }
    key = "scheduled_export-weekly-operations-review-2026-11-23"
    return Announcement(key, "scheduled_export", START, ("teams",), body | changes)


NO_BUNDLE = {
    "state": "failed",
    "complete": None,
    "traces": None,
    "spans": None,
    "rows": None,
    "why": "Withheld: the finished files held something that must not leave.",
}
"""What an export that failed changes in the body of `exported`."""


def reported(count: int = 12) -> Announcement:
    """Return the report of a silence that hid so many alerts, every third of them over."""
    occurrence = Occurrence(START - timedelta(hours=4), START)
    hidden = [_hidden(n, over=n % 3 == 0) for n in range(count)]
    return silence_report(silence(), occurrence, hidden, ["teams"], START)


def storm(size: int = 5000, **key: str) -> list[Telling]:
    """Return so many notices of as many agents: one in ten critical, one in twenty resolved."""
    return [
        telling(
            "resolved" if n % 20 == 19 else "opened",
            id=f"{n:016x}",
            key={"Agent": key.get("Agent", f"agent-{n:04}"), "Tool": "get_shipment_status"},
            severity="critical" if n % 10 == 0 else "high" if n % 3 == 0 else "medium",
            runs=n,
            state="resolved" if n % 20 == 19 else "open",
            resolved_at=START + 25 * MINUTE if n % 20 == 19 else None,
        )
        for n in range(size)
    ]


def tellings() -> Mapping[str, Telling]:
    """Return one of each kind, by name."""
    over = {"state": "resolved", "resolved_at": START + 25 * MINUTE, "quiet": 3}
    hostile = replace(alert().findings[-1], key=HOSTILE)
    return {
        "opened": telling("opened"),
        "opened-changed-release": telling("opened", findings=changed_release()),
        "opened-late": telling("opened", findings=(replace(alert().findings[-1], late=True),)),
        "reopened": telling("reopened", earlier=2, episode=4),
        "flapping": telling(
            "reopened", episode=5, openings=tuple(START - n * 10 * MINUTE for n in range(4, -1, -1))
        ),
        "repeated": telling("repeated", timedelta(hours=4.5)),
        "worsened": telling("worsened", 40 * MINUTE, value=240.0, worst=240.0),
        "escalated": telling("escalated", 35 * MINUTE, severity="critical"),
        "resolved": telling("resolved", 25 * MINUTE, acknowledged_at=START + 17 * MINUTE, **over),
        "passed": telling("passed", 25 * MINUTE, **over),
        "hostile": telling(
            "opened",
            key=HOSTILE,
            owner="[x](y)",
            shows={"Release": "[x](y)", "PromptVersion": "<at>a</at>"},
            findings=(replace(hostile, shows={"Release": "![a](b)"}), hostile),
        ),
        "check-failed": telling(
            "opened",
            check_id=CHECK_FAILED,
            key={"Check": CHECK.id},
            value=3.0,
            worst=3.0,
            threshold=None,
            violations=1,
            runs=0,
            shows={"Error": "SourceRefused"},
            findings=(),
        ),
        "silence-report": Telling(reported(), None),
        "weekly-summary": Telling(announced("week"), None),
        "scheduled-export": Telling(exported(), None),
        "scheduled-export-failed": Telling(exported(**NO_BUNDLE, missed_weeks=1), None),
        "scheduled-export-incomplete": Telling(exported(complete=False), None),
        "test": Telling(announced("test"), None),
    }


def _hidden(n: int, *, over: bool) -> Hidden:
    since = START - timedelta(hours=3) + n * MINUTE
    return Hidden(
        silence="0123456789ab@2026-11-23T22:55:00Z",
        alert_id=f"{n:016x}",
        check_id=CHECK.id,
        title=CHECK.title,
        unit=CHECK.unit,
        key={"Agent": f"agent-{n}", "Tool": "get_shipment_status"},
        severity="critical" if n == 4 else "high",
        since=since,
        until=since + 40 * MINUTE if over else None,
        state="resolved" if over else "open",
        value=40.0 + n,
        threshold=30.0,
        violations=n + 1,
        episode=1,
        episodes=3 if n == 4 else 1,
    )
