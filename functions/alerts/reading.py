"""Answers what people ask over HTTP: which checks run, how far they came, and which alerts there are."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from functions.access.scope import EVERYTHING, Scope
from functions.alerts.alert import Alert
from functions.alerts.definitions import UNKNOWN, Definitions
from functions.alerts.hidden import hidden_json
from functions.alerts.outbox import Outbox
from functions.alerts.reach import within_reach
from functions.alerts.records import Json, alert_json, instant_text
from functions.alerts.state import PREFIX, CheckState, evaluation_json, state_from_json
from functions.checks.definition import CheckDefinition
from functions.checks.finding import Window
from functions.errors import NotFound, StorageError
from functions.storage.documents import Documents

WantedState = Literal["open", "acknowledged", "resolved", "pending"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which alerts are asked for; None stands for any.

    Attributes:
        state: "open" takes those that somebody has acknowledged too: they are not over.
        severity: The alert's.
        agent: The value of its key column Agent.
        check: Its check's id, or what is wrong with that.
        owner: The check's, or who answers for the agent.
    """

    state: WantedState | None = None
    severity: str | None = None
    agent: str | None = None
    check: str | None = None
    owner: str | None = None

    def takes(self, alert: Alert, agent_owners: Mapping[str, str]) -> bool:
        """Return whether the alert is asked for."""
        agent = alert.key.get("Agent")
        states = {alert.state, "open"} if alert.active else {alert.state}
        return (
            self.state in {None, *states}
            and self.severity in {None, alert.severity}
            and self.agent in {None, agent}
            and self.check in {None, alert.check_id}
            and self.owner in {None, alert.owner, agent_owners.get(agent or "")}
        )


ANY = Wanted()


def list_checks(
    documents: Documents, checks: Sequence[CheckDefinition], scope: Scope = EVERYTHING
) -> list[Json]:
    """Return every check with its latest evaluation.

    `state` is "ok", "failing" (also where its document can't be read) or "never" (not evaluated yet). Only
    open alerts within the scope are counted.
    """
    return [_check(check, _readable(documents, check.id), scope) for check in checks]


def check_state(documents: Documents, check_id: str) -> CheckState | None:
    """Return what is remembered of a check; None where it never ran. Raises StorageError."""
    return _state(documents, PREFIX + check_id)


def check_coverage(documents: Documents, checks: Sequence[CheckDefinition], check_id: str) -> Json:
    """Return which ingestion time a check has evaluated, and the gaps in it.

    Raises:
        NotFound: There is no such check.
        StorageError: Its document could not be read.
    """
    if all(check.id != check_id for check in checks):
        raise NotFound("There is no such check.", next_step="GET /api/v1/checks lists them.")
    state = check_state(documents, check_id) or CheckState()
    intervals = state.coverage.intervals
    known = Window(intervals[0].start, intervals[-1].end) if intervals else None
    gaps = state.coverage.gaps(known) if known else ()
    return {
        "check_id": check_id,
        "watermark": state.watermark and instant_text(state.watermark),
        "intervals": state.coverage.to_json(),
        "gaps": [{"start": instant_text(gap.start), "end": instant_text(gap.end)} for gap in gaps],
        "asking": state.asking.to_json(),
        **state.interruptions.to_json(),
        "totals": state.tally.total(),
        "days": state.tally.to_json(),
        "unswept": [
            {"start": instant_text(one.start), "end": instant_text(one.end)}
            for one in state.unswept.stretches
        ],
        "sweeps_given_up": state.unswept.given_up,
    }


def list_alerts(
    documents: Documents,
    wanted: Wanted = ANY,
    agent_owners: Mapping[str, str] = MappingProxyType({}),
    scope: Scope = EVERYTHING,
    definitions: Definitions = UNKNOWN,
) -> Json:
    """Return the alerts without their findings, the latest seen first.

    Args:
        documents: Where the checks' states are.
        wanted: Which.
        agent_owners: By agent, who answers for it.
        scope: What whoever asks may see.
        definitions: What alerts are told by.

    Returns:
        `alerts`, and under `unreadable` the names of documents whose alerts are not known.

    Raises:
        StorageError: The store could not be listed.
    """
    states, unreadable = readable_states(documents)
    found = (alert for state in states.values() for alert in state.alerts.values())
    seen = (alert for alert in found if within_reach(alert.check_id, alert.key, scope))
    alerts = [alert for alert in seen if wanted.takes(alert, agent_owners)]
    alerts.sort(key=lambda alert: (alert.last_seen, alert.id), reverse=True)
    return {
        "alerts": [summary(alert) | definitions.named(alert) for alert in alerts],
        "unreadable": list(unreadable),
    }


def readable_states(documents: Documents) -> tuple[Mapping[str, CheckState], Sequence[str]]:
    """Return the checks' states by their documents' names, and the names of those that can't be read.

    Raises:
        StorageError: The store could not be listed.
    """
    held = {name: _readable(documents, name.removeprefix(PREFIX)) for name in documents.names(PREFIX)}
    states = {name: state for name, state in held.items() if isinstance(state, CheckState)}
    return states, [name for name, state in held.items() if isinstance(state, StorageError)]


def read_alert(
    documents: Documents, alert_id: str, scope: Scope = EVERYTHING, definitions: Definitions = UNKNOWN
) -> Json:
    """Return one alert with its findings, what to do, what became of its notices, and what was not told.

    Raises:
        NotFound: There is no such alert, or it is beyond the scope of whoever asks.
        StorageError: A document could not be read, so that nobody knows.
    """
    for name in documents.names(PREFIX):
        state = _state(documents, name)
        alert = state.alerts.get(alert_id) if state else None
        if state and alert and within_reach(alert.check_id, alert.key, scope):
            deliveries = sorted(
                _deliveries(state.outbox, alert_id), key=lambda one: (one["made_at"], one["key"])
            )
            hidden = [hidden_json(one) for one in state.hidden if one.alert_id == alert_id]
            known = {"deliveries": deliveries, "hidden": hidden}
            return alert_json(alert) | definitions.explained(alert) | known
    raise NotFound("There is no such alert.", next_step="GET /api/v1/alerts lists them.")


def summary(alert: Alert) -> Json:
    """Return an alert without its findings."""
    return {name: value for name, value in alert_json(alert).items() if name not in {"findings", "pending"}}


def _check(check: CheckDefinition, held: CheckState | StorageError | None, scope: Scope) -> Json:
    state = held if isinstance(held, CheckState) else CheckState()
    last = state.last_evaluation
    failing = isinstance(held, StorageError) or (last is not None and not last.ok)
    return {
        "id": check.id,
        "title": check.title,
        "severity": check.severity,
        "owner": check.owner,
        "every_minutes": check.every.total_seconds() / 60,
        "state": "failing" if failing else "ok" if last else "never",
        "last_evaluation": last and evaluation_json(last),
        "consecutive_failures": state.consecutive_failures,
        "error": type(held).__name__ if isinstance(held, StorageError) else last and last.error,
        "evaluated_until": state.watermark and instant_text(state.watermark),
        "open_alerts": sum(
            alert.active and within_reach(alert.check_id, alert.key, scope) for alert in state.alerts.values()
        ),
    }


def _deliveries(outbox: Outbox, alert_id: str) -> Iterator[Json]:
    for receipt in outbox.receipts:
        if receipt.about == alert_id:
            yield {
                "key": receipt.key,
                "destination": receipt.destination,
                "kind": receipt.kind,
                "state": "accepted",
                "made_at": instant_text(receipt.created_at),
                "accepted_at": instant_text(receipt.accepted_at),
                "attempts": receipt.attempts,
                "reason": None,
                "digest": receipt.digest,
            }
    for state, entries in (("waiting", outbox.waiting), ("refused", outbox.refused)):
        for entry in entries:
            if entry.notice.about == alert_id:
                yield {
                    "key": entry.key,
                    "destination": entry.destination,
                    "kind": entry.notice.kind,
                    "state": state,
                    "made_at": instant_text(entry.notice.at),
                    "accepted_at": None,
                    "attempts": entry.attempts,
                    "reason": entry.reason,
                    "digest": None,
                }


def _readable(documents: Documents, check_id: str) -> CheckState | StorageError | None:
    try:
        return _state(documents, PREFIX + check_id)
    except StorageError as error:
        return error


def _state(documents: Documents, name: str) -> CheckState | None:
    held = documents.read(name)
    return state_from_json(name, held.body) if held else None
