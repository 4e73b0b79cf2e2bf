"""Exports that are not over are looked after: they go on, or end."""

from datetime import timedelta

import pytest

from functions.evidence.exports.export import State
from functions.evidence.exports.steps import Step
from functions.evidence.exports.sweeping import STALLED_AFTER
from tests.unit.evidence.rig import NOW, Rig


@pytest.fixture
def rig() -> Rig:
    return Rig()


def begun(rig: Rig) -> str:
    """Return an export whose plan is made and whose other messages were lost."""
    export_id = rig.requested()
    rig.worker.run(Step(export_id).message())
    return export_id


def test_a_job_without_a_sign_of_life_goes_on_and_ends(rig: Rig) -> None:
    export_id = begun(rig)
    assert rig.sweep.tick() == []
    rig.now = NOW + STALLED_AFTER
    (message,) = rig.sweep.tick()
    assert message == Step(export_id).message()
    queue = [message]
    while queue:
        queue += rig.worker.run(queue.pop(0))
    assert rig.exports.get(export_id).state is State.DONE


def test_a_stalled_job_is_put_into_the_queue_once_in_a_while_and_not_by_every_sweep(rig: Rig) -> None:
    begun(rig)
    rig.now = NOW + STALLED_AFTER
    assert len(rig.sweep.tick()) == 1
    rig.now += timedelta(minutes=5)
    assert rig.sweep.tick() == []
    rig.now += STALLED_AFTER
    assert len(rig.sweep.tick()) == 1


def test_an_export_whose_first_message_was_lost_begins(rig: Rig) -> None:
    export_id = rig.requested()
    rig.now = NOW + STALLED_AFTER
    assert rig.sweep.tick() == [Step(export_id).message()]


def test_a_job_that_never_began_is_told_with_the_role_that_the_queue_needs(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    role = "the role Storage Queue Data Contributor on the storage account"
    export_id = rig.requested()
    rig.sweep.tick()
    assert caplog.text == ""
    for _ in range(2):  # to be put into the queue again is no beginning
        rig.now += STALLED_AFTER
        rig.sweep.tick()
    assert caplog.text.count(f"The job of the export {export_id} has not begun") == 2
    assert caplog.text.count(role) == 2
    rig.now = NOW + timedelta(days=8)
    rig.sweep.tick()
    assert role in str(rig.exports.get(export_id).failure)


def test_a_job_that_began_and_stalled_is_no_matter_of_the_queue(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    export_id = begun(rig)
    rig.now = NOW + STALLED_AFTER
    rig.sweep.tick()
    rig.now = NOW + timedelta(days=8)
    rig.sweep.tick()
    assert "Queue" not in caplog.text + str(rig.exports.get(export_id).failure)


def test_what_takes_too_long_expires_and_leaves_nothing(rig: Rig) -> None:
    export_id = begun(rig)
    rig.now = NOW + timedelta(days=7, seconds=1)
    assert rig.sweep.tick() == []
    export = rig.exports.get(export_id)
    assert export.state is State.EXPIRED
    assert export.failure
    assert list(rig.work.names("")) == []
    assert rig.worker.run(Step(export_id).message()) == []
    assert rig.actions() == ["exports.requested", "exports.expired"]


def test_an_export_that_waits_for_approval_is_left_alone_until_it_expires(rig: Rig) -> None:
    rig.needs_approval = lambda _: True
    export_id = rig.requested()
    rig.now = NOW + timedelta(days=6)
    assert rig.sweep.tick() == []
    assert rig.exports.get(export_id).state is State.AWAITING_APPROVAL
    assert rig.worker.run(Step(export_id).message()) == []
    rig.now = NOW + timedelta(days=8)
    assert rig.sweep.tick() == []
    assert rig.exports.get(export_id).failure == "Nobody approved it in time: ask again."


def test_what_a_crash_left_of_an_export_that_is_over_is_removed(rig: Rig) -> None:
    export_id = begun(rig)
    rig.exports.records.end(rig.exports.records.get(export_id), State.FAILED, failure="for a test")
    assert list(rig.work.names("")) != []
    assert rig.sweep.tick() == []
    assert list(rig.work.names("")) == []


def test_one_that_can_not_be_looked_after_does_not_keep_others_waiting(rig: Rig) -> None:
    broken, sound = rig.requested(), rig.requested()
    held = rig.documents.read(f"exports/{broken}")
    assert held is not None
    rig.documents.write(held.name, held.body | {"format": 99}, version=held.version)
    rig.documents.write(f"export-progress/{broken}", {"format": 99}, version=None)
    rig.now = NOW + STALLED_AFTER
    assert rig.sweep.tick() == [Step(sound).message()]
