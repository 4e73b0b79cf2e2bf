"""Keeps the traces of severe alerts as they open, before the workspace's retention can take them.

A hold is written down before its export is asked for, and looked at again until the export has begun: a
crash between any two steps leaves something that a later tick finds.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from functions.alerts.alert import Alert
from functions.alerts.records import read_alert
from functions.alerts.rules import EvidenceHold
from functions.alerts.state import PREFIX
from functions.checks.definition import CheckDefinition
from functions.errors import DocumentConflict, NotFound, StorageError, TracekeeperError
from functions.evidence.exports.export import State
from functions.evidence.exports.jobs import Exports
from functions.evidence.holds.holds import (
    ASKED_AGAIN_AFTER,
    DOCUMENT,
    Day,
    Episode,
    Hold,
    Holds,
    day_of,
    decide,
    forget,
    holds_json,
    read_holds,
    selection_of,
)
from functions.storage.documents import Documents, encode

_log = logging.getLogger(__name__)

REQUESTER = "tracekeeper:evidence-hold"
"""Who asks for the exports: the directory's ids of people are GUIDs."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """What there is in the checks' documents.

    Attributes:
        episodes: The episode that each alert is in.
        alerts: Those about which something may be left to do.
        unreadable: Checks of whose alerts nobody knows.
    """

    episodes: set[Episode] = field(default_factory=set)
    alerts: dict[Episode, Alert] = field(default_factory=dict)
    unreadable: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Holding:
    """Holds evidence.

    Attributes:
        documents: Where alerts are, and what was decided about them.
        exports: Makes the exports.
        checks: Whose alerts are looked at.
        rule: Which alerts are held; None: none.
        clock: The time, UTC.
    """

    documents: Documents
    exports: Exports
    checks: Sequence[CheckDefinition]
    rule: EvidenceHold | None
    clock: Callable[[], datetime]

    def tick(self) -> tuple[str, ...]:
        """Decide about what has opened, and ask for its exports.

        Returns:
            The ids of exports whose jobs should begin: the caller puts them into the queue.

        Raises:
            StorageError: What was decided could not be read or written.
        """
        if self.rule is None:
            return ()
        now = self.clock()
        held = self.documents.read(DOCUMENT)
        before = read_holds(held.body) if held else Holds()
        seen = self._look(before, self.rule)
        decided = decide(before, seen.alerts.values(), self.rule, now)
        again = {
            about: self._look_again(hold, seen, now)
            for about, hold in decided.holds.items()
            if not hold.settled and now - hold.asked_at >= ASKED_AGAIN_AFTER
        }
        after = replace(decided, holds={**decided.holds, **again})
        after = forget(after, seen.episodes, seen.unreadable, now)
        if after == before:
            return ()
        try:
            self.documents.write(DOCUMENT, holds_json(after), version=held.version if held else None)
        except DocumentConflict:
            _log.info("Another host decides about evidence at the same time.")
            return ()
        _tell(before, after, self.rule, now)
        changed = (hold for about, hold in after.holds.items() if hold != before.holds.get(about))
        asked = (hold for hold in changed if not hold.settled)
        return tuple(hold.export_id for hold in asked if self._request(hold, seen.alerts.get(hold.about)))

    def of(self, alert_id: str, episode: int) -> dict[str, Any]:
        """Return what an alert's JSON says of its hold, and of how many there were that day.

        Raises:
            StorageError: It could not be read.
        """
        held = self.documents.read(DOCUMENT)
        holds = read_holds(held.body) if held else Holds()
        hold = holds.holds.get((alert_id, episode))
        if hold is None:
            return {"evidence_export_id": None, "evidence_hold": None}
        count = holds.days.get(day_of(hold.at), Day())
        return {
            "evidence_export_id": None if hold.over_cap else hold.export_id,
            "evidence_hold": {
                "state": "over_cap" if hold.over_cap else "held",
                "at": hold.at,
                "held_that_day": count.held,
                "over_cap_that_day": count.over_cap,
            },
        }

    def _look(self, before: Holds, rule: EvidenceHold) -> _Seen:
        """Look at the checks' alerts, and read those about which something may be left to do."""
        seen = _Seen()
        for check in self.checks:
            try:
                held = self.documents.read(PREFIX + check.id)
                for body in held.body["alerts"] if held else ():
                    about = (body["id"], body["episode"])
                    seen.episodes.add(about)
                    known = before.holds.get(about)
                    if body["severity"] in rule.severities and (known is None or not known.settled):
                        seen.alerts[about] = read_alert(body)
            except (StorageError, KeyError, TypeError, ValueError) as error:
                # The check's own turn tells people of a document that can't be read.
                _log.warning("The alerts of %s are not looked at: %s", check.id, type(error).__name__)
                seen.unreadable.add(check.id)
        return seen

    def _look_again(self, hold: Hold, seen: _Seen, now: datetime) -> Hold:
        """Settle a hold whose export has begun, or whose traces nobody can name any more; ask again else."""
        try:
            over = self.exports.get(hold.export_id).state is not State.QUEUED
        except NotFound:
            over = hold.about not in seen.alerts and hold.check_id not in seen.unreadable
        return replace(hold, settled=True) if over else replace(hold, asked_at=now)

    def _request(self, hold: Hold, alert: Alert | None) -> bool:
        """Record the export unless it is; whatever fails is tried again in a while."""
        try:
            if alert is None:
                self.exports.get(hold.export_id)
            else:
                self.exports.request(selection_of(alert), requester=REQUESTER, export_id=hold.export_id)
        except TracekeeperError as error:
            _log.warning("The evidence of the alert %s could not be asked for: %s", hold.alert_id, error)
            return False
        return True


def _tell(before: Holds, after: Holds, rule: EvidenceHold, now: datetime) -> None:
    today = day_of(now)
    count, earlier = after.days.get(today, Day()), before.days.get(today, Day())
    held, over_cap = count.held - earlier.held, count.over_cap - earlier.over_cap
    if not held and not over_cap:
        return
    event = {
        "event": "evidence.hold",
        "held": held,
        "over_cap": over_cap,
        "held_today": count.held,
        "over_cap_today": count.over_cap,
        "most_per_day": rule.most_per_day,
    }
    _log.log(logging.WARNING if over_cap else logging.INFO, "%s", encode(event).decode())
