"""Every stored document as earlier versions wrote it opens in this one, and says what it said.

Each folder under documents/ was written by the code of its time, out of one story: `dispatcher` is found in
the windows 0, 1 and 4, `benefits` in window 0, both by stale_tool_data; skipped_lookup finds `dispatcher` in
window 1 and fails from the twentieth minute on. "pager" refuses the first notice and is down from then on.
The story is 35 minutes long. In the third folder, slow_run finds `benefits` in the windows 3 to 5, which
somebody takes on, and `dispatcher` in window 4, which a silence keeps quiet. What is expected here was
worked out from the story.
"""

import ast
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from functions.access.clock import ClockCheck
from functions.access.limits import Limits, RateLimits
from functions.access.scope import EVERYTHING, Scope
from functions.alerts.announcements import announcements_from_json
from functions.alerts.records import instant
from functions.alerts.state import CheckState, state_from_json
from functions.canary.canary import read_markers
from functions.canary.looking import read_sight
from functions.delivery.lease import read_record
from functions.errors import TooManyRequests, WatchStopped
from functions.evidence.exports.export import State, stored_export
from functions.evidence.exports.progress import read_progress
from functions.evidence.exports.schedules import read_held as read_schedules
from functions.evidence.holds.holds import read_holds
from functions.evidence.seals.store import Reach, Seals
from functions.evidence.selection.drawing import read_draw
from functions.evidence.selection.sampling import seed_of
from functions.evidence.selection.selectors import Conversation
from functions.overlay.standing import Standing, standing_from_json
from functions.overlay.store import OverlayStore
from functions.storage.documents import Documents
from functions.summary.document import read_told
from functions.watch.heartbeat import Heart
from tests.fakes.destinations import MemoryDestination
from tests.fakes.storage import MemoryAppendLog, MemoryDocuments, MemoryObjects
from tests.unit.alerts.building import CHECK, DISPATCHER, START
from tests.unit.watch.world import OTHER, World

DOCUMENTS = Path(__file__).parent / "documents"
FUNCTIONS = Path(__file__).parents[2] / "functions"
BENEFITS = {"Agent": "benefits", "Tool": "search"}
PERSON = "6f0e0d5c-0000-0000-0000-000000000001"
STORY_ENDS = START + timedelta(minutes=35)

WRITERS = {
    "access/clock.py": "clock",
    "access/limits.py": "limits",
    "alerts/acknowledging.py": "checks",
    "alerts/announcements.py": "announcements",
    "delivery/boxes.py": "checks",
    "delivery/lease.py": "deliveries",
    "watch/heartbeat.py": "heartbeat",
    "silences/ends.py": "checks",
    "silences/store.py": "silences",
    "watch/turn.py": "checks",
    "canary/canary.py": "canary/markers",
    "canary/looking.py": "canary/sight",
    "evidence/selection/drawing.py": "draws",
    "evidence/holds/holding.py": "evidence_holds",
    "evidence/exports/progress.py": "export-progress",
    "evidence/exports/records.py": "exports",
    "evidence/exports/scheduling.py": "export_schedules",
    "evidence/seals/store.py": "seals",
    "overlay/in_force.py": "configuration",
    "overlay/store.py": "current",
    "summary/weekly.py": "weekly_summary",
}
"""Every module that writes documents, and which."""

stories = pytest.mark.parametrize("story", ["format-1", "format-2", "format-3"])


def golden(place: str) -> Any:
    return orjson.loads((DOCUMENTS / f"{place}.json").read_bytes())


def held(*places: str) -> Documents:
    """Return storage that holds golden documents, under their names."""
    documents = MemoryDocuments()
    for place in places:
        documents.write(place.split("/", 1)[1], golden(place), version=None)
    return documents


def check_state(story: str, check_id: str) -> CheckState:
    return state_from_json(f"checks/{check_id}", golden(f"{story}/checks/{check_id}"))


def at(minute: int) -> datetime:
    return START + timedelta(minutes=minute)


@stories
def test_a_check_s_alerts_are_what_they_were(story: str) -> None:
    state = check_state(story, CHECK.id)
    assert state.watermark == at(30)
    assert [(interval.start, interval.end) for interval in state.coverage.intervals] == [(at(0), at(30))]
    dispatcher, benefits = state.alerts.values()
    assert (dispatcher.key, dispatcher.state, dispatcher.episode) == (DISPATCHER, "open", 1)
    assert (dispatcher.opened_at, dispatcher.last_seen, dispatcher.quiet) == (at(0), at(25), 1)
    assert [one.window.start for one in dispatcher.findings] == [at(0), at(5), at(20)]
    assert (benefits.key, benefits.state, benefits.resolved_at) == (BENEFITS, "resolved", at(20))
    assert [(one.destination, one.kind) for one in benefits.told] == [
        ("pager", "opened"),
        ("teams", "resolved"),
    ]


@stories
def test_what_was_told_of_them_counts_as_announced(story: str) -> None:
    dispatcher, benefits = check_state(story, CHECK.id).alerts.values()
    assert dispatcher.announced is not None
    assert (dispatcher.announced.episode, dispatcher.announced.over) == (1, False)
    assert benefits.announced is not None
    assert (benefits.announced.episode, benefits.announced.over) == (1, True)


@stories
def test_what_waits_was_refused_and_was_taken_is_on_record(story: str) -> None:
    outbox = check_state(story, CHECK.id).outbox
    ((waiting,), (refused,)) = outbox.waiting, outbox.refused
    assert (waiting.destination, waiting.key.split("-", 1)[1]) == ("pager", "1-resolved-2")
    assert (waiting.reason, waiting.attempts > 1) == ("HTTP 503", True)
    assert (refused.destination, refused.reason) == ("pager", "HTTP 400")
    assert sorted((one.destination, one.kind, one.accepted_at) for one in outbox.receipts) == [
        ("pager", "opened", at(10)),
        ("teams", "opened", at(10)),
        ("teams", "opened", at(10)),
        ("teams", "resolved", at(25)),
    ]


@stories
def test_a_check_that_fails_is_known_to_fail(story: str) -> None:
    state = check_state(story, OTHER.id)
    assert state.watermark == at(15)
    assert state.consecutive_failures == 11
    assert state.last_evaluation is not None
    assert (state.last_evaluation.error, state.last_evaluation.at) == ("SourceUnavailable", STORY_ENDS)
    assert [(alert.check_id, alert.state) for alert in state.alerts.values()] == [
        (OTHER.id, "open"),
        ("check_failed", "open"),
    ]


@stories
def test_the_next_ticks_go_on_from_there(story: str) -> None:
    """Nobody hears again of what they know; what waited arrives; what is over is told, once."""
    world = World({}, checks=(CHECK, OTHER), destinations=2)
    for check in (CHECK, OTHER):
        body = golden(f"{story}/checks/{check.id}")
        world.held.write(f"checks/{check.id}", body, version=None)
    pager = world.destinations["pager"] = MemoryDestination(clock=lambda: world.now)
    world.now = STORY_ENDS
    world.run(25)
    resolved = ["1-resolved-2"] * 3
    assert sorted(world.accepted()) == resolved
    told = sorted(posted.idempotency_key.split("-", 1)[1] for posted in pager.accepted)
    assert told == ["1-opened-1", "1-resolved-2", *resolved]
    for check in (CHECK, OTHER):
        assert {alert.state for alert in world.state(check).alerts.values()} == {"resolved"}
        assert world.state(check).watermark == at(55)


def test_who_took_an_alert_on_and_what_a_silence_hides_is_known() -> None:
    state = check_state("format-3", "slow_run")
    benefits, dispatcher = state.alerts.values()
    assert (benefits.state, benefits.acknowledged_at) == ("acknowledged", at(30) + timedelta(seconds=30))
    assert benefits.acknowledged_by == PERSON
    assert (dispatcher.state, dispatcher.announced, len(dispatcher.quieted_by)) == ("open", None, 1)
    (hidden,) = state.hidden
    assert (hidden.alert_id, hidden.since, hidden.until) == (dispatcher.id, at(20), None)
    assert hidden.silence == dispatcher.quieted_by[0]


def test_how_each_destination_does_is_known() -> None:
    teams, _ = read_record(held("format-3/deliveries/teams"), "teams")
    assert (teams.accepted_at, teams.failures, teams.losses, len(teams.sent)) == (at(35), 0, (), 7)
    pager, _ = read_record(held("format-3/deliveries/pager"), "pager")
    assert (pager.accepted_at, pager.failing_since) == (at(15), at(25))
    assert [(loss.at, loss.count, loss.reason) for loss in pager.losses] == [(at(10), 1, "HTTP 400")]
    assert (pager.lease, pager.claim, pager.answers) == (None, None, ())


def test_what_is_announced_is_known() -> None:
    outbox = announcements_from_json(golden("format-3/announcements"))
    ((waiting,), (receipt,)) = outbox.waiting, outbox.receipts
    assert (waiting.key, waiting.destination, waiting.notice.kind) == ("test-1", "pager", "test")
    assert (receipt.key, receipt.destination, receipt.accepted_at) == ("test-1", "teams", at(35))


def test_the_latest_tick_is_known() -> None:
    Heart(held("format-3/heartbeat"), None, clock=lambda: STORY_ENDS + timedelta(minutes=4)).check()
    with pytest.raises(WatchStopped):
        Heart(held("format-3/heartbeat"), None, clock=lambda: STORY_ENDS + timedelta(minutes=6)).check()


def test_which_evidence_is_held_is_known() -> None:
    holds = read_holds(golden("format-3/evidence_holds"))
    assert sorted((one.check_id, one.over_cap) for one in holds.holds.values()) == [
        (CHECK.id, False),
        (CHECK.id, True),
    ]
    assert [(day, one.held, one.over_cap) for day, one in holds.days.items()] == [("2026-11-24", 1, 1)]


def test_which_week_was_summed_up_last_is_known() -> None:
    told = read_told(golden("format-3/weekly_summary"))
    assert (told.last, told.claimed_until) == (date(2026, 11, 23), None)


def test_which_export_was_due_last_is_known() -> None:
    (progress,) = read_schedules(golden("format-3/export_schedules")).values()
    (due,) = progress.waiting
    assert progress.last == due.day == date(2026, 12, 7)
    assert (due.export_id, due.missed) == ("9f86d081884c7d659a2feaa0c55ad015", 2)


def test_what_a_sample_drew_is_known() -> None:
    name = f"draws/{'0f' * 16}"
    document = held(f"format-3/{name}").read(name)
    assert document is not None
    drawn = read_draw(document)
    assert drawn.account is not None
    assert drawn.seed == seed_of("0f" * 16, drawn.head) == drawn.account["seed"]
    runs = [one for stratum in drawn.account["strata"] for one in stratum["drawn"]]
    assert sorted(one["trace_id"] for one in runs) == list(drawn.trace_ids)
    assert drawn.population.startswith(f"{'0f' * 16}/population-")


def test_marker_runs_that_were_sent_are_known() -> None:
    markers = read_markers(held("format-2/canary/markers"))
    noon = datetime(2026, 11, 24, 12, tzinfo=UTC)
    assert [one.at for one in markers.accepted] == [noon, noon + timedelta(minutes=5)]
    assert markers.error is None


def test_what_could_be_seen_is_known() -> None:
    sight = read_sight(held("format-2/canary/sight"))
    assert sight is not None
    assert sight.asked_at == instant("2026-11-24T12:05:00Z")
    assert {need: known.answer for need, known in sight.needs.items()} == {"content": "late", "spans": "pass"}
    assert sight.needs["content"].since == instant("2026-11-24T12:00:00Z")


def test_which_configuration_is_in_force_and_which_is_refused_is_known() -> None:
    standing: Standing = standing_from_json(golden("format-2/configuration"))
    shipped, pushed = standing.history
    assert (shipped.overlay, shipped.since) == (None, instant("2026-11-24T12:05:00Z"))
    assert pushed.since == instant("2026-11-24T12:06:00Z")
    assert standing.refused is not None
    assert standing.refused.at == instant("2026-11-24T12:07:00Z")
    assert [(one.file, one.line) for one in standing.refused.mistakes] == [("alerts.yaml", 3)]
    files = golden(f"format-2/configurations/{pushed.configuration}")["files"]
    assert files == {"alerts.yaml": "repeat_after: 2h\n"}


def test_who_pushed_what_last_is_known() -> None:
    push = OverlayStore(held("format-2/current"), MemoryObjects()).current()
    assert push is not None
    assert (push.pushed_by, push.reason, list(push.files)) == ("ada@example.com", "Shorter", ["alerts.yaml"])
    standing = standing_from_json(golden("format-2/configuration"))
    assert standing.refused is not None
    assert standing.refused.overlay == push.overlay


def test_exports_are_known() -> None:
    finished, queued = (stored_export(golden(f"format-2/exports/{name}")) for name in ("finished", "queued"))
    assert (finished.state, finished.requested_at) == (State.DONE, instant("2026-11-22T13:00:00Z"))
    assert finished.bundle is not None
    assert finished.counts is not None
    assert (finished.counts.traces, finished.counts.complete) == (1, True)
    assert (queued.state, queued.bundle) == (State.QUEUED, None)
    assert (queued.selection.reason, queued.selection.ticket) == ("weekly review", "OPS-1")
    assert queued.selection.scope == EVERYTHING


def test_what_only_a_job_needs_is_in_its_export_until_it_is_over() -> None:
    queued, done = (stored_export(golden(f"format-3/exports/{name}")) for name in ("queued", "done"))
    selectors = [export.selection.selector for export in (queued, done)]
    assert all(isinstance(selector, Conversation) for selector in selectors)
    given = [selector.conversation for selector in selectors if isinstance(selector, Conversation)]
    assert [one.value for one in given] == ["conv-4711", ""]
    assert given[0].shown == given[1].shown
    limit = Scope(frozenset({"benefits", "dispatcher"}), frozenset({"customer-of-ours"}))
    assert queued.selection.scope == done.selection.scope == limit
    assert (done.state, done.late_rows) == (State.DONE, 0)


def test_how_often_steps_have_begun_is_known() -> None:
    progress = read_progress(held(f"format-3/export-progress/{'0f' * 16}"), "0f" * 16)
    assert (progress.begun, progress.seen_at) == ({"plan": 1, "slice 3": 2}, instant("2026-11-24T12:01:00Z"))


def test_which_days_are_sealed_is_known() -> None:
    reach = Seals(MemoryObjects(), held("format-3/seals")).reach()
    assert reach == Reach(date(2026, 11, 1), date(2026, 11, 24))


def test_how_much_somebody_has_asked_is_known() -> None:
    documents = held("format-3/limits/c72b948eeaa2c162a13412124a9dcb32")
    limits = RateLimits(documents, Limits(10, 2), clock=lambda: instant("2026-11-24T12:00:30Z"))
    limits.admit(PERSON, "requests", "exports")
    with pytest.raises(TooManyRequests):  # one was counted before
        limits.admit(PERSON, "requests", "exports")


def test_that_a_clock_was_told_to_be_off_is_known() -> None:
    log, noon = MemoryAppendLog(), instant("2026-11-24T12:05:00Z")
    check = ClockCheck(
        held("format-3/clock"), log, theirs=lambda: noon, clock=lambda: noon + timedelta(hours=1)
    )
    check.tick()
    assert log.lines == []  # told that day already


def test_every_kind_of_document_that_is_written_has_a_golden_copy() -> None:
    writers = {str(path.relative_to(FUNCTIONS)) for path in FUNCTIONS.rglob("*.py") if writes_documents(path)}
    assert writers == set(WRITERS)
    stored = {str(path.relative_to(DOCUMENTS)).split("/", 1)[1] for path in DOCUMENTS.rglob("*.json")}
    for kind in WRITERS.values():
        assert any(name.startswith((f"{kind}.json", f"{kind}/")) for name in stored), kind


def writes_documents(path: Path) -> bool:
    """Return whether a module calls `write(..., version=...)`, as only documents are written."""
    return any(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "write"
        and any(keyword.arg == "version" for keyword in node.keywords)
        for node in ast.walk(ast.parse(path.read_bytes()))
    )
