"""That somebody sees to an alert is written down, whoever writes its document meanwhile."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from functions.alerts.acknowledging import ATTEMPTS, Acknowledging
from functions.alerts.state import PREFIX, CheckState, state_from_json, state_to_json
from functions.errors import DocumentConflict, NotFound, NotReady
from functions.storage.documents import Document
from tests.fakes.storage import MemoryDocuments
from tests.unit.alerts.building import CHECK
from tests.unit.silences.silencing import NOON, alert

NAME = PREFIX + CHECK.id


class Busy(MemoryDocuments):
    """Documents that someone else writes as well: before each of our writes, as often as told."""

    def __init__(self, theirs: Callable[[CheckState], CheckState], times: int) -> None:
        super().__init__()
        super().write(NAME, state_to_json(CheckState(alerts={alert().id: alert()})), version=None)
        self._theirs, self._times = theirs, times

    def write(self, name: str, body: Mapping[str, Any], *, version: str | None) -> Document:
        if self._times:
            self._times -= 1
            held = self.read(name)
            assert held is not None
            theirs = self._theirs(state_from_json(name, held.body))
            super().write(name, state_to_json(theirs), version=held.version)
        return super().write(name, body, version=version)

    def state(self) -> CheckState:
        held = self.read(NAME)
        assert held is not None
        return state_from_json(NAME, held.body)


def counting(state: CheckState) -> CheckState:
    return replace(state, behind=state.behind + 1)


def taken_by_another(state: CheckState) -> CheckState:
    taken = replace(alert(), state="acknowledged", acknowledged_at=NOON, acknowledged_by="person-2")
    return replace(state, alerts={taken.id: taken})


def over(state: CheckState) -> CheckState:
    return replace(state, alerts={alert().id: replace(alert(), state="resolved")})


def acknowledge(documents: Busy) -> str | None:
    return Acknowledging(documents, clock=lambda: NOON).acknowledge(alert().id, "person-1").acknowledged_by


def test_what_a_tick_writes_meanwhile_is_kept() -> None:
    documents = Busy(counting, 3)
    assert acknowledge(documents) == "person-1"
    state = documents.state()
    assert (state.behind, state.alerts[alert().id].acknowledged_by) == (3, "person-1")


def test_of_two_at_once_the_first_is_named_to_both() -> None:
    documents = Busy(taken_by_another, 1)
    assert acknowledge(documents) == "person-2"
    assert documents.state().alerts[alert().id].acknowledged_by == "person-2"


def test_what_resolves_meanwhile_is_not_taken_on() -> None:
    with pytest.raises(NotReady):
        acknowledge(Busy(over, 1))


def test_who_never_gets_a_turn_is_told_and_nothing_is_claimed() -> None:
    documents = Busy(counting, ATTEMPTS)
    with pytest.raises(DocumentConflict):
        acknowledge(documents)
    assert documents.state().alerts[alert().id].state == "open"


def test_an_alert_that_there_is_not_is_not_found() -> None:
    with pytest.raises(NotFound):
        Acknowledging(Busy(counting, 0), clock=lambda: NOON).acknowledge("0" * 16, "person-1")
