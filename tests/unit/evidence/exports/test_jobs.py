import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from functions.errors import (
    InvalidRequest,
    NotFound,
    NotReady,
)
from functions.evidence.exports.export import State
from functions.evidence.exports.steps import Step
from functions.evidence.verification.verification import Verified, verify_bundle
from tests.fakes.signer import MemorySigner
from tests.unit.evidence.material import (
    ABSENT,
    NOON,
    OTHER,
    SOUND,
    TRACE,
    selection,
)
from tests.unit.evidence.rig import ASKER, NOW, Rig

WINDOW = {"window": {"start": "2026-11-22T12:00:00Z", "end": "2026-11-22T12:01:00Z"}}
WINDOW_OF_AN_AGENT = {"window": WINDOW["window"] | {"agent": "dispatcher"}}


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_a_request_becomes_a_bundle_that_verifies(rig: Rig, tmp_path: Any) -> None:
    export_id = rig.requested()
    assert rig.exports.get(export_id).state is State.QUEUED
    rig.run(export_id)
    export = rig.exports.get(export_id)
    assert export.state is State.DONE
    assert export.bundle is not None
    assert export.counts is not None
    assert list(rig.work.names("")) == [], "what was put aside is removed"
    data = b"".join(rig.exports.open_bundle(export_id))
    assert export.bundle.object_name == f"{export_id}/bundle-metadata.zip"
    assert (export.bundle.size, export.bundle.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    path = tmp_path / "b.zip"
    path.write_bytes(data)
    verified = verify_bundle(path, key=MemorySigner().public_key())
    assert isinstance(verified, Verified), verified
    found = verified.payload
    assert (found.rows, found.traces, found.spans, found.complete) == (7, 1, 3, True)
    assert (export.counts.rows, export.counts.spans, export.counts.traces, export.counts.complete) == (
        7,
        3,
        1,
        True,
    )


def test_the_ledger_tells_who_asked_why_and_what_came_of_it(rig: Rig) -> None:
    export_id = rig.requested()
    rig.run(export_id)
    asked, finished = rig.log.entries()
    assert (asked["action"], asked["who"]) == ("exports.requested", {"object_id": ASKER})
    assert asked["on"] == {
        "export_id": export_id,
        "profile": "metadata",
        "reason": "weekly review",
        "ticket": "OPS-1",
    }
    bundle = rig.exports.get(export_id).bundle
    assert bundle is not None
    assert finished["action"] == "exports.finished"
    assert finished["on"] | {"sha256": bundle.sha256, "rows": "7", "complete": "True"} == finished["on"]
    assert finished["on"]["queries_hmac_sha256"] == bundle.queries_hmac_sha256


@pytest.mark.parametrize(
    ("selector", "traces", "complete"),
    [
        ({"trace_ids": [TRACE, OTHER]}, 2, True),
        ({"trace_ids": [TRACE, ABSENT]}, 1, False),
        ({"alert_id": "a" * 16}, 1, True),
        ({"window": {"start": "2026-11-22T12:00:00Z", "end": "2026-11-22T12:01:00Z"}}, 2, True),
        (
            {"window": {"start": "2026-11-22T12:00:00Z", "end": "2026-11-22T12:01:00Z", "agent": "nobody"}},
            0,
            True,
        ),
    ],
)
def test_every_selector_finds_its_traces(
    rig: Rig, selector: Mapping[str, Any], traces: int, complete: bool
) -> None:
    export_id = rig.requested(selector)
    rig.run(export_id)
    counts = rig.exports.get(export_id).counts
    assert counts is not None
    assert (counts.traces, counts.complete) == (traces, complete)


def test_an_export_of_an_agent_holds_what_was_sent_under_its_further_names(rig: Rig) -> None:
    rig.names = {"dispatch*": "broker"}
    window = {"start": "2026-11-22T12:00:00Z", "end": "2026-11-22T12:01:00Z", "agent": "broker"}
    export_id = rig.requested({"window": window})
    rig.run(export_id)
    counts = rig.exports.get(export_id).counts
    assert counts is not None
    assert counts.traces == 2


@pytest.mark.parametrize("selector", [{"trace_ids": [TRACE, OTHER]}, WINDOW, WINDOW_OF_AN_AGENT], ids=str)
def test_the_same_question_gives_the_same_bytes_whenever_it_is_asked(
    rig: Rig, selector: Mapping[str, Any]
) -> None:
    one = rig.requested(selector)
    rig.run(one)
    rig.now += timedelta(hours=3, microseconds=7)
    two = rig.requested(selector)
    rig.run(two)
    assert rig.exports.get(one).requested_at != rig.exports.get(two).requested_at
    assert rig.bundle(one) == rig.bundle(two)


def test_rows_that_came_after_the_question_are_not_in_the_bundle_and_are_counted_apart(rig: Rig) -> None:
    rig.now = NOON + timedelta(seconds=2, milliseconds=3)
    export_id = rig.requested({"trace_ids": [TRACE]})
    rig.run(export_id)
    export = rig.exports.get(export_id)
    assert export.counts is not None
    assert (export.counts.rows, export.counts.complete, export.late_rows) == (3, True, 4)


def test_progress_is_told_while_it_runs(rig: Rig) -> None:
    export_id = rig.requested()
    assert rig.exports.progress(rig.exports.get(export_id)) is None
    messages = rig.worker.run(Step(export_id).message())
    assert rig.exports.progress(rig.exports.get(export_id)) == {"slices": 6, "done": 0}
    for message in messages[:4]:
        rig.worker.run(message)
    assert rig.exports.progress(rig.exports.get(export_id)) == {"slices": 6, "done": 4}
    rig.run(export_id)
    assert rig.exports.progress(rig.exports.get(export_id)) is None


def test_a_repeated_message_does_nothing(rig: Rig) -> None:
    export_id = rig.requested()
    rig.run(export_id)
    before = rig.documents.read(f"exports/{export_id}")
    rig.run(export_id)
    assert rig.documents.read(f"exports/{export_id}") == before
    assert rig.actions() == ["exports.requested", "exports.finished"]


def test_exports_are_listed_latest_first(rig: Rig) -> None:
    ids = {rig.requested() for _ in range(3)}
    later = replace(rig.exports, clock=lambda: NOW + timedelta(hours=1))
    latest = later.request(selection(), requester=ASKER).id
    listed = [export.id for export in rig.exports.list()]
    assert listed[0] == latest
    assert set(listed) == ids | {latest}


@pytest.mark.parametrize("export_id", ["0" * 32, "", "../checks/x", "A" * 32, "x" * 10_000])
def test_an_unknown_export_is_not_found(rig: Rig, export_id: str) -> None:
    for ask in (rig.exports.get, rig.exports.open_bundle, rig.run):
        with pytest.raises(NotFound):
            ask(export_id)


def test_a_bundle_is_given_only_once_it_is_done_and_by_parts(rig: Rig) -> None:
    export_id = rig.requested()
    with pytest.raises(NotReady):
        rig.exports.open_bundle(export_id)
    rig.run(export_id)
    whole = b"".join(rig.exports.open_bundle(export_id))
    assert b"".join(rig.exports.open_bundle(export_id, offset=10, length=20)) == whole[10:30]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"reason": "ask ada@example.org"}, "reason"),
        ({"ticket": "4111-1111-1111-1111"}, "ticket"),
        (
            {
                "selector": {
                    "window": {
                        "start": "2026-11-22T12:00:00Z",
                        "end": "2026-11-22T13:00:00Z",
                        "agent": "ada@example.org",
                    }
                }
            },
            "selector.window.agent",
        ),
    ],
)
def test_words_that_may_not_stand_in_a_bundle_are_refused_when_asked(
    rig: Rig, changes: dict[str, Any], field: str
) -> None:
    body = SOUND | {"selector": {"trace_ids": [TRACE]}} | changes
    with pytest.raises(InvalidRequest, match=field):
        rig.exports.parse(body)
    assert rig.exports.parse(SOUND | {"selector": {"trace_ids": [TRACE]}}) == selection()
