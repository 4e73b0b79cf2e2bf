"""What is announced waits once for each destination, however often it is added."""

from dataclasses import replace

import pytest

from functions.alerts.announcement import Announcement
from functions.alerts.announcements import NAME, Announcements, announcements_from_json
from functions.errors import StorageError
from tests.fakes.storage import MemoryDocuments
from tests.unit.alerts.building import START

TEST = Announcement("test-1", "test", START, ("teams", "pager"), {"route": "all"})


def test_an_announcement_waits_once_for_each_destination() -> None:
    documents = MemoryDocuments()
    announcements = Announcements(documents)
    assert [announcements.add(TEST), announcements.add(TEST)] == [True, False]
    assert announcements.add(replace(TEST, key="test-2", destinations=("teams",)))
    held = documents.read(NAME)
    assert held is not None
    waiting = announcements_from_json(held.body).waiting
    assert [(entry.key, entry.destination) for entry in waiting] == [
        ("test-1", "teams"),
        ("test-1", "pager"),
        ("test-2", "teams"),
    ]
    assert waiting[0].notice == TEST


@pytest.mark.parametrize(("body", "said"), [({"format": 2}, "newer version"), ({"format": 1}, "KeyError")])
def test_a_document_that_can_not_be_read_is_left_alone(body: dict[str, int], said: str) -> None:
    documents = MemoryDocuments()
    documents.write(NAME, body, version=None)
    before = documents.read(NAME)
    with pytest.raises(StorageError, match=said):
        Announcements(documents).add(TEST)
    assert documents.read(NAME) == before
