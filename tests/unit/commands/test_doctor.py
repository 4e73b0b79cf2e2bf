"""`tracekeeper doctor` says what works, what does not, and what can't be told; nothing stops the rest."""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions.alerts.announcement import Announcement
from functions.alerts.announcements import NAME, announcements_to_json
from functions.alerts.outbox import Entry, Outbox, enqueue
from functions.alerts.state import PREFIX, CheckState, LastEvaluation, state_to_json
from functions.canary.looking import DOCUMENT as SIGHT
from functions.canary.looking import sight_to_json
from functions.canary.sight import Answer, NeedSight, Sight
from functions.checks.coverage import Coverage, Interval
from functions.commands.doctor import doctor, questions
from functions.configuration import SHIPPED, load_configuration
from functions.delivery.record import Loss, Record, record_to_json
from functions.errors import SourceRefused, StorageError
from functions.evidence.exports.export import Export, State
from functions.evidence.selection.selection import Selection
from functions.evidence.selection.selectors import TraceIds
from functions.overlay.standing import InForce, Mistake, Refused, Standing, standing_to_json
from functions.storage.documents import Document
from functions.traces.source import Rows, TraceSource
from functions.watch.heartbeat import Heart
from local.azure_monitor.ingestion import Telemetry
from tests.checks.telemetry import Trace
from tests.fakes.source import ScriptedSource
from tests.fakes.storage import MemoryDocuments
from tests.fakes.telemetry import TelemetrySource

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
CONFIGURATION = load_configuration(SHIPPED)
CHECKS = CONFIGURATION.checks
GOOD = CheckState(
    watermark=NOW,
    last_evaluation=LastEvaluation(NOW, ok=True, windows=1, rows=1, unjudged=0, error=None),
    coverage=Coverage((Interval(NOW - 10 * HOUR, NOW, rows=40),)),
)
HOSTILE = "\x1b[2Jteams\u202e"


def put(documents: MemoryDocuments, name: str, body: Mapping[str, Any]) -> None:
    held = documents.read(name)
    documents.write(name, body, version=held.version if held else None)


def healthy() -> MemoryDocuments:
    documents = MemoryDocuments()
    Heart(documents, None, clock=lambda: NOW - MINUTE).beat([])
    put(documents, SIGHT, sight(spans="pass"))
    for check in CHECKS:
        put(documents, PREFIX + check.id, state_to_json(GOOD))
    put(documents, "deliveries/teams", record_to_json(Record(accepted_at=NOW - HOUR)))
    put(documents, "configuration", standing_to_json(STANDING))
    return documents


STANDING = Standing((InForce("c" * 64, "d" * 64, NOW - 48 * HOUR),))


def sight(asked_at: datetime = NOW - 2 * MINUTE, **needs: Answer) -> Mapping[str, Any]:
    return sight_to_json(Sight(asked_at, {need: NeedSight(one, "", NOW) for need, one in needs.items()}))


def telemetry(received: datetime = NOW - MINUTE, delay: timedelta = MINUTE) -> TraceSource:
    """Return a workspace to which an agent's run came, at this instant and so late."""
    trace = Trace(1, start=received - delay)
    trace.tool("search", trace.agent("broker"))
    workspace = Telemetry()
    workspace.ingest(trace.envelopes, delay=delay)
    return TelemetrySource(workspace)


def examine(
    documents: MemoryDocuments,
    source: TraceSource | None = None,
    theirs: Callable[[], datetime] = lambda: NOW,
    seconds: float = 30.0,
) -> tuple[int, dict[str, str], str]:
    """Return the exit code, the answers by what was asked, and all that was printed."""
    lines: list[str] = []
    asked = questions(
        lambda: documents, lambda: CONFIGURATION, lambda: source or telemetry(), theirs, lambda: NOW
    )
    code = doctor(asked, lines.append, seconds=seconds)
    answers = {line[11:31].strip(): line[:11].strip() for line in lines[:-2] if line[:1].strip()}
    return code, answers, "\n".join(lines)


def test_a_healthy_service_has_nothing_but_ok() -> None:
    code, answers, printed = examine(healthy())
    assert code == 0, printed
    assert list(answers) == [
        "traces arrive",
        "the app sees them",
        "the watch ticks",
        "checks run",
        "notices are told",
        "cards are accepted",
        "exports move",
        "storage and clock",
        "in force",
    ]
    assert set(answers.values()) == {"OK"}
    assert f"All {len(CHECKS)} checks run" in printed
    assert "AppDependencies 60 s ago, 60 s late" in printed
    assert "->" not in printed


def waiting(at: datetime) -> Outbox:
    news = Announcement("key", "test", at, (HOSTILE,), {})
    return enqueue(Outbox(), [news])


def given_up() -> Outbox:
    news = Announcement("key", "test", NOW - HOUR, ("teams",), {})
    return Outbox(refused=(Entry("key", "teams", news, 3, NOW, "HTTP 410"),))


def failing(times: int, error: str) -> Mapping[str, Any]:
    last = LastEvaluation(NOW, ok=False, windows=1, rows=0, unjudged=0, error=error)
    return state_to_json(CheckState(NOW, last, times))


def export(state: State, age: timedelta) -> Mapping[str, Any]:
    selection = Selection(TraceIds(("a" * 32,)), "metadata", "an audit", "T-1")
    finished = NOW - age if state is State.FAILED else None
    made = Export("e" * 32, state, selection, "0", NOW - age, finished_at=finished)
    return {**made.stored(), "requested_at": (NOW - age).isoformat()} | (
        {"finished_at": finished.isoformat()} if finished else {}
    )


FIRST = PREFIX + CHECKS[0].id
REFUSED = Refused("f" * 64, NOW - HOUR, (Mistake("alerts.yaml", 3, HOSTILE, "fix"),), 1)
BROKEN: Mapping[str, tuple[str, str, str, str, Mapping[str, Any]]] = {
    "not allowed to look": (
        "the app sees them",
        "PROBLEM",
        "Privileged Monitoring",
        SIGHT,
        sight(content="not_allowed"),
    ),
    "late": ("the app sees them", "PROBLEM", "pipeline late", SIGHT, sight(spans="late")),
    "moved": ("the app sees them", "PROBLEM", "content has moved", SIGHT, sight(content="moved")),
    "unknown sight": ("the app sees them", "CAN'T TELL", "nobody knows", SIGHT, sight(spans="unknown")),
    "old sight": (
        "the app sees them",
        "CAN'T TELL",
        "16 min ago",
        SIGHT,
        sight(NOW - 16 * MINUTE, spans="pass"),
    ),
    "failing": (
        "checks run",
        "PROBLEM",
        "failed 3 times in a row (SourceThrottled)",
        FIRST,
        failing(3, "SourceThrottled"),
    ),
    "blind": ("checks run", "PROBLEM", "is blind", FIRST, failing(1, "SourceBlind")),
    "never ran": ("checks run", "PROBLEM", "was never evaluated", FIRST, state_to_json(CheckState())),
    "unreadable": ("checks run", "PROBLEM", "record can't be read", FIRST, {"format": 99}),
    "behind": (
        "checks run",
        "PROBLEM",
        "is behind: judged until 2 d ago",
        FIRST,
        state_to_json(CheckState(NOW - 48 * HOUR, GOOD.last_evaluation)),
    ),
    "dead letters": (
        "notices are told",
        "PROBLEM",
        "1 were given up",
        NAME,
        announcements_to_json(given_up()),
    ),
    "stuck": (
        "notices are told",
        "PROBLEM",
        "oldest was made 16 min ago",
        NAME,
        announcements_to_json(waiting(NOW - 16 * MINUTE)),
    ),
    "circuit open": (
        "cards are accepted",
        "PROBLEM",
        "teams failed 3 times since 60 min ago (never accepted anything)",
        "deliveries/teams",
        record_to_json(Record(failures=3, failing_since=NOW - HOUR)),
    ),
    "a destination of a hostile name": (
        "cards are accepted",
        "PROBLEM",
        "failed 3 times",
        "deliveries/" + HOSTILE,
        record_to_json(Record(failures=3, failing_since=NOW - HOUR)),
    ),
    "losses": (
        "cards are accepted",
        "PROBLEM",
        "teams lost 4 messages",
        "deliveries/teams",
        record_to_json(Record(losses=(Loss(NOW - HOUR, 4, "HTTP 410"),))),
    ),
    "export stands still": (
        "exports move",
        "PROBLEM",
        "1 stand still",
        "exports/" + "e" * 32,
        export(State.RUNNING, 2 * HOUR),
    ),
    "export failed": (
        "exports move",
        "PROBLEM",
        "1 failed",
        "exports/" + "e" * 32,
        export(State.FAILED, HOUR),
    ),
    "clock": (
        "storage and clock",
        "PROBLEM",
        "400 s off",
        "clock",
        {"format": 1, "off": True, "told_on": "2026-11-24", "seconds": 400},
    ),
    "refused": (
        "in force",
        "PROBLEM",
        "refused for 1 mistakes since 60 min ago",
        "configuration",
        standing_to_json(Standing(STANDING.history, REFUSED)),
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_named_with_a_next_step_and_nothing_else_is(name: str) -> None:
    question, answer, words, document, body = BROKEN[name]
    documents = healthy()
    put(documents, document, body)
    code, answers, printed = examine(documents)
    others = {asked: told for asked, told in answers.items() if asked != question}
    if name == "unreadable":
        assert others.pop("notices are told") == "CAN'T TELL"
    assert answers[question] == answer, printed
    assert words in printed
    assert set(others.values()) == {"OK"}, printed
    assert code == (1 if answer == "PROBLEM" else 2)
    assert "-> " in printed
    assert "\x1b" not in printed
    assert "\u202e" not in printed


def test_a_stopped_watch_is_a_problem_and_says_since_when() -> None:
    documents = healthy()
    Heart(documents, None, clock=lambda: NOW - 6 * MINUTE).beat([])
    code, answers, printed = examine(documents)
    assert (code, answers["the watch ticks"]) == (1, "PROBLEM")
    assert "The last was 6 min ago." in printed


def test_an_export_that_waits_less_than_an_hour_and_one_that_waits_for_a_person_are_well() -> None:
    documents = healthy()
    put(documents, "exports/" + "e" * 32, export(State.QUEUED, 59 * MINUTE))
    put(documents, "exports/" + "f" * 32, export(State.AWAITING_APPROVAL, 48 * HOUR))
    code, _, printed = examine(documents)
    assert code == 0
    assert "1 at work, 1 wait for approval" in printed


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (lambda: telemetry(NOW - 31 * MINUTE), "The newest row is too old: AppDependencies 31 min ago"),
        (lambda: telemetry(delay=6 * MINUTE), "Rows come late"),
        (lambda: TelemetrySource(Telemetry()), "No row arrived in any table in 24 hours"),
    ],
)
def test_traces_that_do_not_arrive_or_come_late_are_a_problem(
    source: Callable[[], TraceSource], words: str
) -> None:
    code, answers, printed = examine(healthy(), source())
    assert (code, answers["traces arrive"]) == (1, "PROBLEM"), printed
    assert words in printed


def test_telemetry_that_refuses_stops_nothing_else() -> None:
    refuses = ScriptedSource(lambda _: SourceRefused("Log Analytics answered 403.", next_step="x"))
    code, answers, printed = examine(healthy(), refuses)
    assert (code, answers.pop("traces arrive")) == (2, "CAN'T TELL")
    assert set(answers.values()) == {"OK"}
    assert "Log Analytics Data Reader" in printed


class Unreachable(MemoryDocuments):
    def read(self, name: str) -> Document | None:  # noqa: ARG002 - the protocol's
        raise StorageError("Blob storage could not be reached.", next_step="For the app's operator.")

    def names(self, prefix: str) -> Any:  # noqa: ARG002 - the protocol's
        raise StorageError("Blob storage could not be reached.", next_step="For the app's operator.")


def test_storage_that_can_not_be_reached_stops_nothing_else() -> None:
    code, answers, printed = examine(Unreachable())
    assert code == 2
    assert answers.pop("traces arrive") == "OK"
    assert set(answers.values()) == {"CAN'T TELL"}
    assert "Storage Blob Data Reader" in printed
    assert "operator" not in printed


def test_what_hangs_is_given_up_and_stops_nothing_else() -> None:
    def hang(_: object) -> Rows:
        time.sleep(5)
        raise AssertionError

    code, answers, printed = examine(healthy(), ScriptedSource(hang), seconds=1.5)
    assert (code, answers.pop("traces arrive")) == (2, "CAN'T TELL")
    assert set(answers.values()) == {"OK"}
    assert "No answer within 1.5 seconds." in printed


def test_a_machine_whose_clock_is_wrong_can_not_tell_ages() -> None:
    code, answers, printed = examine(healthy(), theirs=lambda: NOW - 6 * MINUTE)
    assert (code, answers["storage and clock"]) == (2, "CAN'T TELL")
    assert "This machine's clock is 6 min off" in printed


def test_nothing_in_storage_at_all_is_told_as_such() -> None:
    code, answers, _ = examine(MemoryDocuments())
    assert code == 1
    assert answers == {
        "traces arrive": "OK",
        "the app sees them": "CAN'T TELL",
        "the watch ticks": "PROBLEM",
        "checks run": "PROBLEM",
        "notices are told": "OK",
        "cards are accepted": "CAN'T TELL",
        "exports move": "OK",
        "storage and clock": "PROBLEM",
        "in force": "CAN'T TELL",
    }
