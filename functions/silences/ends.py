"""Reports what a silence has hidden once it has ended: once, and then it is forgotten.

The order is: the report goes into the outbox, the silence is marked as reported, the checks' documents forget
what it hid, the silence is marked as forgotten. Whatever stops in between, the next tick goes on from there:
the report has the same key again, which the outbox knows, and what is marked is not reported again.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from functions.alerts.alert import Alert
from functions.alerts.announcement import Announcement
from functions.alerts.hidden import Hidden
from functions.alerts.routing import destinations_for
from functions.alerts.rules import AlertRules
from functions.alerts.state import PREFIX, CheckState, state_from_json, state_to_json
from functions.errors import DocumentConflict, StorageError
from functions.silences.recurrence import Occurrence
from functions.silences.report import silence_report
from functions.silences.silence import Report, Silence
from functions.silences.store import ATTEMPTS, SilenceStore
from functions.storage.documents import Documents

SETTLES = timedelta(minutes=2)
"""After its end a silence is reported: a tick that judged just before may still be writing what it hid."""

_log = logging.getLogger(__name__)


class Announcer(Protocol):
    """Whatever tells people what is not about one alert."""

    def add(self, announcement: Announcement) -> object:
        """Have it told; what was added under the same key before changes nothing. Raises StorageError."""
        ...


@dataclass(frozen=True, slots=True)
class _Ended:
    """An occurrence that is over; `report` is what is marked of it."""

    silence: Silence
    occurrence: Occurrence
    report: Report | None

    @property
    def name(self) -> str:
        return self.silence.named(self.occurrence)


class SilenceEnds:
    """Ticks at the end of the watch's.

    Args:
        documents: Where the checks' states are, with what was hidden.
        silences: The silences.
        announcer: Tells of what they hid.
        rules: Who is told of what.
        clock: The present instant, UTC.
    """

    def __init__(
        self,
        documents: Documents,
        silences: SilenceStore,
        announcer: Announcer,
        rules: AlertRules,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._documents = documents
        self._silences = silences
        self._announcer = announcer
        self._rules = rules
        self._clock = clock

    def tick(self) -> None:
        """Report every occurrence that is over; what can't be done now is done by a later tick."""
        try:
            self._report()
        except StorageError as error:
            _log.error("Ended silences could not be reported: %s", error)

    def _report(self) -> None:
        now = self._clock()
        ended = tuple(_ended(self._silences.read(), now - SETTLES))
        if not ended:
            return
        states = read_states(self._documents)
        for one in ended:
            if one.report is None:
                self._announce(one, states, now)
        names = {one.name for one in ended}
        for name, state in states.items():
            if any(hidden.silence in names for hidden in state.hidden):
                self._forget(name, names)
        self._mark((one.silence, _report_of(one, 0, now, forgotten=True)) for one in ended)

    def _announce(self, one: _Ended, states: Mapping[str, CheckState], now: datetime) -> None:
        found = list(hidden_by(one.name, states))
        if found:
            told = (name for _, alert in found if alert for name in destinations_for(alert, self._rules))
            everyone = tuple(rule.name for rule in self._rules.destinations)
            hidden = [hidden for hidden, _ in found]
            self._announcer.add(
                silence_report(one.silence, one.occurrence, hidden, tuple(told) or everyone, now)
            )
        self._mark([(one.silence, _report_of(one, len(found), now, forgotten=False))])

    def _mark(self, reports: Iterable[tuple[Silence, Report]]) -> None:
        marked: dict[str, list[Report]] = {}
        for silence, report in reports:
            marked.setdefault(silence.id, []).append(report)
        self._silences.report(marked)

    def _forget(self, name: str, silences: Iterable[str]) -> None:
        """Take what these hid out of a check's document, whoever else writes it."""
        for _ in range(ATTEMPTS):
            held = self._documents.read(name)
            if held is None:
                return
            state = state_from_json(name, held.body)
            kept = tuple(one for one in state.hidden if one.silence not in silences)
            try:
                self._documents.write(name, state_to_json(replace(state, hidden=kept)), version=held.version)
            except DocumentConflict:
                continue
            return
        raise DocumentConflict(
            f"The document {name} changed at every attempt to write it.", next_step="Try again."
        )


def read_states(documents: Documents) -> Mapping[str, CheckState]:
    """Return the checks' states by their documents' names.

    Raises:
        StorageError: One can't be read: nobody knows then what was hidden there.
    """
    found = ((name, documents.read(name)) for name in documents.names(PREFIX))
    return {name: state_from_json(name, held.body) for name, held in found if held}


def hidden_by(name: str, states: Mapping[str, CheckState]) -> Iterator[tuple[Hidden, Alert | None]]:
    """Yield what one occurrence hid, as it stands now, with the alert where there still is one."""
    for state in states.values():
        for hidden in state.hidden:
            if hidden.silence == name:
                alert = state.alerts.get(hidden.alert_id)
                yield _as_it_stands(hidden, alert), alert


def _as_it_stands(hidden: Hidden, alert: Alert | None) -> Hidden:
    if alert is None or alert.episode != hidden.episode:
        return hidden
    return replace(hidden, state=alert.state, until=alert.resolved_at)


def _ended(silences: Iterable[Silence], before: datetime) -> Iterator[_Ended]:
    for silence in silences:
        reports = {report.start: report for report in silence.reports}
        for occurrence in silence.occurrences():
            report = reports.get(occurrence.start)
            if occurrence.end <= before and not (report and report.forgotten):
                yield _Ended(silence, occurrence, report)


def _report_of(one: _Ended, hid: int, now: datetime, *, forgotten: bool) -> Report:
    return Report(one.occurrence.start, now, hid, forgotten)
