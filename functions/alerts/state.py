"""What the document `checks/<id>` holds: how far a check has come, its alerts and their notices."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from functions.alerts.alert import Alert
from functions.alerts.hidden import Hidden, hidden_json, read_hidden
from functions.alerts.outbox import Outbox
from functions.alerts.records import (
    Json,
    alert_json,
    instant,
    instant_text,
    outbox_json,
    read_alert,
    read_outbox,
)
from functions.checks.asking import AskingRecord, asking_from_json
from functions.checks.coverage import Coverage, coverage_from_json
from functions.checks.interruptions import Interruptions, interruptions_from_json
from functions.checks.memory import Memory, memory_from_json
from functions.checks.tally import Tally, tally_from_json
from functions.checks.unswept import Unswept, unswept_from_json
from functions.storage.versioned import understood

FORMAT = 3
"""Rises when a body is written that earlier versions would misread."""

PREFIX = "checks/"
"""Document names are this and the check's id."""


@dataclass(frozen=True, slots=True)
class LastEvaluation:
    """The latest attempt to evaluate a check.

    Attributes:
        at: When.
        ok: Whether all that was due could be judged.
        windows: How many were due.
        rows: Result rows in them; 0 where it failed.
        unjudged: Those of them with too little history to be judged.
        error: The kind of error, such as "SourceThrottled"; None where it went well.
    """

    at: datetime
    ok: bool
    windows: int
    rows: int
    unjudged: int
    error: str | None


@dataclass(frozen=True, slots=True)
class CheckState:
    """All that is remembered of a check.

    Attributes:
        watermark: End of the last window judged; None before the first.
        last_evaluation: None before the first.
        consecutive_failures: Failed evaluations since the last good one.
        coverage: Which windows were evaluated.
        asking: What the check's questions took.
        interruptions: What kept it from judging in time.
        tally: What it could not judge, and what late rows have changed.
        unswept: What was judged and has to be judged once more for late rows.
        behind: Good evaluations in a row after which windows that were due long ago were left.
        alerts: By id; those of the check and the one about its failures.
        outbox: What has to be told, and receipts for what was.
        memory: What the next evaluation goes on from; None where the check needs nothing.
        hidden: What silences and inhibitions have kept from people, till it is reported.
    """

    watermark: datetime | None = None
    last_evaluation: LastEvaluation | None = None
    consecutive_failures: int = 0
    coverage: Coverage = field(default_factory=Coverage)
    asking: AskingRecord = field(default_factory=AskingRecord)
    interruptions: Interruptions = field(default_factory=Interruptions)
    tally: Tally = field(default_factory=Tally)
    unswept: Unswept = field(default_factory=Unswept)
    behind: int = 0
    alerts: Mapping[str, Alert] = field(default_factory=dict)
    outbox: Outbox = field(default_factory=Outbox)
    memory: Memory | None = None
    hidden: tuple[Hidden, ...] = ()


def state_to_json(state: CheckState) -> Json:
    """Return a document body."""
    last = state.last_evaluation
    return {
        "format": FORMAT,
        "watermark": state.watermark and instant_text(state.watermark),
        "last_evaluation": last and evaluation_json(last),
        "consecutive_failures": state.consecutive_failures,
        "coverage": state.coverage.to_json(),
        "asking": state.asking.to_json(),
        "interruptions": state.interruptions.to_json(),
        "tally": state.tally.to_json(),
        "unswept": state.unswept.to_json(),
        "behind": state.behind,
        "alerts": [alert_json(alert) for alert in state.alerts.values()],
        "outbox": outbox_json(state.outbox),
        "memory": state.memory and state.memory.to_json(),
        "hidden": [hidden_json(one) for one in state.hidden],
    }


def evaluation_json(last: LastEvaluation) -> Json:
    """Return the latest evaluation as the document and the HTTP API show it."""
    return {
        "at": instant_text(last.at),
        "ok": last.ok,
        "windows": last.windows,
        "rows": last.rows,
        "unjudged": last.unjudged,
        "error": last.error,
    }


def state_from_json(name: str, body: Mapping[str, Any]) -> CheckState:
    """Read the body of the document `name`.

    Raises:
        StorageError: A newer version wrote it, or it isn't such a body.
    """
    return _understood(name, body, _read)


def outbox_from_json(name: str, body: Mapping[str, Any]) -> Outbox:
    """Read no more than the outbox of the document `name`. Raises as `state_from_json` does."""
    return _understood(name, body, lambda whole: read_outbox(whole["outbox"]))


def _understood[Part](name: str, body: Mapping[str, Any], read: Callable[[Mapping[str, Any]], Part]) -> Part:
    return understood(
        name,
        body,
        read,
        newest=FORMAT,
        holds="a check's state",
        next_step="Restore an earlier version of it, or delete it: the last 24 hours are judged again.",
    )


def _read(body: Mapping[str, Any]) -> CheckState:
    last = body["last_evaluation"]
    alerts = [read_alert(alert) for alert in body["alerts"]]
    return CheckState(
        watermark=body["watermark"] and instant(body["watermark"]),
        last_evaluation=last and LastEvaluation(**last | {"at": instant(last["at"])}),
        consecutive_failures=int(body["consecutive_failures"]),
        coverage=coverage_from_json(body["coverage"]),
        asking=asking_from_json(body.get("asking", ())),
        interruptions=interruptions_from_json(body.get("interruptions", {})),
        tally=tally_from_json(body.get("tally", ())),
        unswept=unswept_from_json(body["unswept"]) if "unswept" in body else Unswept(),
        behind=body.get("behind", 0),
        alerts={alert.id: alert for alert in alerts},
        outbox=read_outbox(body["outbox"]),
        memory=memory_from_json(body["memory"]) if body.get("memory") else None,
        hidden=tuple(map(read_hidden, body.get("hidden", ()))),
    )
