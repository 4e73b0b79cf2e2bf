"""What goes by itself, what goes as a digest, and that a digest once claimed stays the same."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from functions.alerts.announcement import Announcement
from functions.alerts.outbox import Entry
from functions.delivery.parcels import CLAIM_WAITS, DEAD_AFTER, Begun, Item, begun, is_dead, parcels
from functions.delivery.record import Parcel, Record
from tests.unit.alerts.building import START, advanced, found

TEST = Announcement("test-1", "test", START, ("teams",), {})


def items(count: int, *, document: str = "checks/a", due: bool = True) -> list[Item]:
    keys = ({"Agent": f"agent {n}", "Tool": ""} for n in range(count))
    notices = [advanced({}, found(0, of=1, key=key)).notices[0] for key in keys]
    return [
        Item(document, Entry(one.key, "teams", one, attempts=0, next_attempt=one.at), due) for one in notices
    ]


def announced() -> Item:
    return Item("announcements", Entry(TEST.key, "teams", TEST, attempts=0, next_attempt=START), due=True)


def planned(
    waiting: Sequence[Item], claim: Parcel | None = None, *, room: int = 60, above: int = 3
) -> list[tuple[bool, int]]:
    found = parcels(waiting, Begun(claim), destination="teams", room=room, digest_above=above)
    return [(parcel.digest, parcel.size) for parcel in found]


@pytest.mark.parametrize(
    ("waiting", "expected"),
    [
        (items(3), [(False, 1)] * 3),
        (items(4), [(True, 4)]),
        ([*items(4), announced()], [(True, 4), (False, 1)]),
        ([*items(3), announced()], [(False, 1)] * 4),
        (items(4, due=False), []),
        ([*items(2), *items(2, document="checks/b")], [(True, 4)]),
    ],
)
def test_more_notices_than_the_limit_go_as_one(waiting: Sequence[Item], expected: object) -> None:
    assert planned(waiting) == expected


@pytest.mark.parametrize(
    ("room", "expected"), [(0, []), (1, [(True, 3)]), (2, [(True, 3)]), (3, [(False, 1)] * 3)]
)
def test_what_the_rate_has_no_room_for_goes_as_one(room: int, expected: object) -> None:
    assert planned(items(3), room=room) == expected


def test_a_single_notice_is_never_a_digest() -> None:
    assert planned(items(1), above=0) == [(False, 1)]


def test_a_claimed_digest_goes_first_with_all_that_still_waits_of_it() -> None:
    six = items(6)
    (claim,) = parcels(six[:5], destination="teams", room=60, digest_above=3)
    waiting = [replace(six[0], due=False), *six[2:]]
    first, single = parcels(waiting, Begun(claim), destination="teams", room=60, digest_above=3)
    assert (first.key, first.members) == (
        claim.key,
        {"checks/a": tuple(item.entry.key for item in (six[0], *six[2:5]))},
    )
    assert single.key == six[5].entry.key


def test_while_a_claimed_digest_waits_no_other_is_made() -> None:
    many = items(12)
    (claim,) = parcels(many[:5], destination="teams", room=60, digest_above=3)
    put_off = [replace(item, due=False) for item in many[:5]]
    assert planned([*put_off, *many[5:]], claim) == []


def test_a_claim_whose_members_are_all_told_is_in_nobody_s_way() -> None:
    many = items(12)
    (claim,) = parcels(many[:5], destination="teams", room=60, digest_above=3)
    assert planned(many[5:], claim) == [(True, 7)]


def test_what_was_begun_by_itself_goes_so_again_whatever_has_come_since() -> None:
    many = items(6)
    alone = {many[0].entry.key}
    digest, single = parcels(many, Begun(alone=alone), destination="teams", room=60, digest_above=3)
    assert (digest.size, single.key) == (5, many[0].entry.key)


def test_what_was_tried_for_a_day_is_dead_and_what_never_was_is_tried_first() -> None:
    (item,) = items(1)
    tried, later = replace(item.entry, attempts=1), item.entry.notice.at + DEAD_AFTER
    assert is_dead(tried, Record(), later)
    assert not is_dead(tried, Record(), later - timedelta(seconds=1))
    assert not is_dead(item.entry, Record(), later)
    assert is_dead(item.entry, Record(failures=3), later)


def test_a_claimed_digest_waits_for_a_document_that_can_not_be_read_but_not_for_ever() -> None:
    here, there = items(3), items(3, document="checks/b")
    (claim,) = parcels([*here, *there], destination="teams", room=60, digest_above=3)
    record = Record(claim=claim, claimed_at=START)
    soon = begun(record, ["checks/a"], START + CLAIM_WAITS - timedelta(seconds=1))
    assert parcels(here, soon, destination="teams", room=60, digest_above=3) == ()
    late = begun(record, ["checks/a"], START + CLAIM_WAITS)
    (sent,) = parcels(here, late, destination="teams", room=60, digest_above=3)
    assert (sent.key, list(sent.members)) == (claim.key, ["checks/a"])


def test_a_digest_of_other_documents_is_not_replaced_by_another() -> None:
    many, others = items(5), items(5, document="checks/b")
    (claim,) = parcels(many, destination="teams", room=60, digest_above=3)
    so_far = begun(Record(claim=claim, claimed_at=START), ["checks/b"], START + 2 * CLAIM_WAITS)
    sent = parcels(others, so_far, destination="teams", room=60, digest_above=3)
    assert [(one.digest, one.size) for one in sent] == [(False, 1)] * 5
