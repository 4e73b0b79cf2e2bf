"""Sends what waits in a check's outbox and commits each answer before the next send.

A crash between an acceptance and its commit sends that one message once more, under the same idempotency key.
"""

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from functions.alerts import outbox
from functions.alerts.alert import Told
from functions.alerts.announcement import Announcement
from functions.alerts.delivery.interface import Accepted, Answer, Channel, Rejected
from functions.alerts.lifecycle import record_told
from functions.alerts.outbox import Entry, Telling
from functions.alerts.state import PREFIX, CheckState, state_from_json, state_to_json
from functions.checks.definition import CheckDefinition
from functions.errors import DocumentConflict, TracekeeperError
from functions.storage.documents import Documents

MOST_SENDS = 50
"""In one tick: connectors were documented to take 60 in 30 seconds, and nothing is documented for Workflows
(https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using)."""

COMMIT_ATTEMPTS = 3

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Round:
    """What one tick has sent so far, over all checks.

    Attributes:
        answers: How many were "accepted", "put_off" or "refused".
        resting: Destinations that asked for time; they get no more in this tick.
    """

    answers: Counter[str] = field(default_factory=Counter)
    resting: set[str] = field(default_factory=set)

    def allows(self, entry: Entry) -> bool:
        """Return whether an entry may still be sent in this tick."""
        return self.answers.total() < MOST_SENDS and entry.destination not in self.resting


class Dispatch:
    """Sends the notices of one check after another.

    Args:
        documents: Where the outboxes are.
        channels: By the destinations' names in alerts.yaml.
        clock: The present instant, UTC.
        jitter: Random numbers in [0, 1).
    """

    def __init__(
        self,
        documents: Documents,
        channels: Mapping[str, Channel],
        *,
        clock: Callable[[], datetime],
        jitter: Callable[[], float],
    ) -> None:
        self._documents = documents
        self._channels = channels
        self._clock = clock
        self._jitter = jitter

    def deliver(self, check: CheckDefinition, this_round: Round) -> None:
        """Send everything of a check that is due now, as its document has it now: another host may have sent.

        Args:
            check: The check.
            this_round: What this tick has sent so far; counted on.

        Raises:
            DocumentConflict: Someone else works on this check; what was sent is on record.
            StorageError: The document could not be read, or an answer not committed; nothing more was sent.
        """
        held = self._documents.read(PREFIX + check.id)
        if held is None:
            return
        state, version = state_from_json(held.name, held.body), held.version
        while entry := self._next(state, this_round):
            answer = self._send(entry, check, this_round)
            state, version = self._commit(check, state, version, entry, answer)

    def _next(self, state: CheckState, this_round: Round) -> Entry | None:
        due = outbox.due(state.outbox, self._clock())
        return next((entry for entry in due if this_round.allows(entry)), None)

    def _send(self, entry: Entry, check: CheckDefinition, this_round: Round) -> Answer:
        channel = self._channels.get(entry.destination)
        if channel is None:
            answer: Answer = Rejected(
                retryable=True, retry_after_seconds=None, reason="the destination is not configured"
            )
        else:
            answer = _post(channel, entry, check)
            if isinstance(answer, Rejected) and answer.retryable:
                this_round.resting.add(entry.destination)
        this_round.answers[_verdict(answer)] += 1
        _log_answer(entry, answer)
        return answer

    def _commit(
        self, check: CheckDefinition, state: CheckState, version: str, entry: Entry, answer: Answer
    ) -> tuple[CheckState, str]:
        """Write down an answer. Where someone else wrote in between, it is added to what they wrote."""
        name = PREFIX + check.id
        for _ in range(COMMIT_ATTEMPTS):
            after = settle(state, entry, answer, self._clock(), self._jitter())
            try:
                return after, self._documents.write(name, state_to_json(after), version=version).version
            except DocumentConflict:
                held = self._documents.read(name)
                if held is None:
                    raise
                state, version = state_from_json(name, held.body), held.version
        raise DocumentConflict(
            f"The document {name} changed at every attempt to write a receipt.",
            next_step="Stop the other host.",
        )


def settle(state: CheckState, entry: Entry, answer: Answer, now: datetime, jitter: float) -> CheckState:
    """Return the state with an answer on record, if the entry still waits in it."""
    if all((one.key, one.destination) != (entry.key, entry.destination) for one in state.outbox.waiting):
        return state
    if isinstance(answer, Rejected):
        return replace(state, outbox=outbox.reject(state.outbox, entry, answer, now, jitter=jitter))
    after = replace(state, outbox=outbox.accept(state.outbox, entry, answer, now))
    if isinstance(entry.notice, Announcement):
        return after
    told = Told(entry.destination, entry.notice.kind, entry.notice.alert.episode, now)
    return replace(after, alerts=record_told(state.alerts, entry.notice.alert.id, told))


def _post(channel: Channel, entry: Entry, check: CheckDefinition) -> Answer:
    try:
        message = channel.writer.one(Telling(entry.notice, check))
    except Exception as error:  # noqa: BLE001 - it waits for a version or a text that can write it
        return Rejected(retryable=True, retry_after_seconds=None, reason=_card_failure(error))
    try:
        return channel.destination.send(message, entry.key)
    except Exception as error:  # noqa: BLE001 - one destination's bug must not stop the others
        return Rejected(retryable=True, retry_after_seconds=None, reason=type(error).__name__)


def _verdict(answer: Answer) -> str:
    if isinstance(answer, Accepted):
        return "accepted"
    return "put_off" if answer.retryable else "refused"


def _card_failure(error: Exception) -> str:
    return str(error) if isinstance(error, TracekeeperError) else f"no card: {type(error).__name__}"


def _log_answer(entry: Entry, answer: Answer) -> None:
    if isinstance(answer, Accepted):
        return
    level = logging.WARNING if answer.retryable else logging.ERROR
    _log.log(level, "%s did not take %s: %s", entry.destination, entry.key, answer.reason)
