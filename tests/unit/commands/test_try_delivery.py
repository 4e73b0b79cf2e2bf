"""`tracekeeper alerts test` goes through the outbox, prints the code and claims no more than it knows."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from functions.alerts.announcement import Announcement
from functions.alerts.announcements import NAME, announcements_from_json, announcements_to_json
from functions.alerts.answer import Accepted, Answer, Rejected
from functions.alerts.outbox import Outbox, Response, settle
from functions.alerts.rules import DestinationRule, Route
from functions.cli import main
from functions.commands.try_delivery import announcement_of, destinations_of, send
from functions.errors import ConfigurationError, StorageError
from functions.storage.documents import Document
from tests.fakes.storage import MemoryDocuments
from tests.unit.alerts.building import RULES

NOW = datetime(2026, 11, 24, 20, 15, tzinfo=UTC)
HOSTILE = "HTTP 400 \x1b[2J\u202e"
NAMES = ("teams", "pager", "mail")
ALL = replace(
    RULES,
    destinations=tuple(DestinationRule(name, "teams", "TEAMS_WEBHOOK_URL") for name in NAMES),
    routes=(
        Route({"severity": ("critical",)}, ("teams", "pager"), escalate_to=("mail", "teams")),
        Route({}, ("teams",)),
    ),
)
Step = Callable[[Outbox], Outbox]


@pytest.mark.parametrize(
    ("to", "expected"), [("pager", ("pager",)), ("1", ("teams", "pager", "mail")), ("2", ("teams",))]
)
def test_a_test_goes_to_a_destination_or_all_that_a_route_tells(to: str, expected: tuple[str, ...]) -> None:
    assert destinations_of(to, ALL) == expected


@pytest.mark.parametrize("to", ["0", "3", "nobody", "", "-1", "²"])
def test_what_is_no_route_and_no_destination_is_answered_with_those_that_there_are(to: str) -> None:
    with pytest.raises(ConfigurationError, match=r"Destinations: teams, pager, mail; routes: 1 to 2\."):
        destinations_of(to, ALL)


def test_the_announcement_has_the_code_and_who_asked_for_it() -> None:
    test = announcement_of("K7QP", ("teams",), asked_by="ada@example.com", at=NOW)
    body = {"code": "K7QP", "asked_by": "ada@example.com"}
    assert test == Announcement("test-20261124T201500Z-K7QP", "test", NOW, ("teams",), body)


def tried(*steps: Step, to: tuple[str, ...] = ("teams", "pager"), attempts: int = 4) -> tuple[int, list[str]]:
    """Return exit code and lines where between looks each of the steps happens to the outbox."""
    documents, said, left = MemoryDocuments(), [], list(steps)

    def pause() -> None:
        held = documents.read(NAME)
        assert held is not None
        if left:
            after = left.pop(0)(announcements_from_json(held.body))
            documents.write(NAME, announcements_to_json(after), version=held.version)

    test = announcement_of("K7QP", to, asked_by="ada", at=NOW)
    return send(documents, test, attempts=attempts, pause=pause, say=said.append), said


def accepted(name: str) -> Step:
    return answered(name, Accepted(202))


def rejected(name: str, *, retryable: bool) -> Step:
    return answered(name, Rejected(retryable=retryable, retry_after_seconds=None, reason=HOSTILE))


def answered(name: str, answer: Answer) -> Step:
    def step(outbox: Outbox) -> Outbox:
        entry = next(one for one in outbox.waiting if one.destination == name)
        return settle(outbox, name, {entry.key: Response(answer, NOW)}, jitter=0.0)

    return step


def test_all_that_accept_it_make_a_success_that_asks_for_eyes() -> None:
    assert tried(accepted("pager"), accepted("teams")) == (
        0,
        [
            "The code is K7QP. It is sent within a minute.",
            "pager: accepted with 202 at attempt 1.",
            "teams: accepted with 202 at attempt 1.",
            "Accepted is not seen: ask in the channel whether a card shows the code K7QP.",
        ],
    )


def test_one_that_refuses_makes_a_failure_and_its_answer_can_not_steer_the_terminal() -> None:
    code, said = tried(accepted("pager"), rejected("teams", retryable=False))
    assert code == 1
    assert r"teams: not accepted: HTTP 400 \x1b[2J\u202e" in said


def test_one_that_is_slow_is_told_with_its_last_answer() -> None:
    code, said = tried(accepted("pager"), rejected("teams", retryable=True))
    assert code == 1
    assert r"teams: not accepted yet after 1 attempts: HTTP 400 \x1b[2J\u202e" in said


def test_an_app_that_does_not_run_is_thought_of() -> None:
    code, said = tried(to=("teams",))
    assert (code, said[1:]) == (1, ["teams: not sent yet. Does the app run? It ticks every minute."])


def test_waiting_ends_when_all_have_answered() -> None:
    code, said = tried(accepted("pager"), to=("pager",), attempts=10_000)
    assert code == 0
    assert len(said) == 3


class Denied(MemoryDocuments):
    """Documents that may be read only."""

    def write(self, name: str, body: object, *, version: str | None) -> Document:  # noqa: ARG002 - the interface's
        raise StorageError("Blob storage answered 403.", next_step="Give the app's identity the role.")


def test_a_person_who_may_not_write_is_told_which_role_is_missing() -> None:
    test = announcement_of("K7QP", ("teams",), asked_by="ada", at=NOW)
    with pytest.raises(StorageError, match="Storage Blob Data Contributor on the container 'state'"):
        send(Denied(), test, attempts=1, pause=tuple, say=str)


def test_a_time_to_wait_that_makes_no_sense_is_a_wrong_call(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["alerts", "test", "teams", "--wait", "0"])
    assert stopped.value.code == 2
    assert "must be 1 to 60" in capsys.readouterr().err
