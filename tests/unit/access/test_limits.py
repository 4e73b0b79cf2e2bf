"""How often one person may ask, whatever the host."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.access.limits import NOBODY, PREFIX, Limits, RateLimits
from functions.errors import StorageError, TooManyRequests
from functions.storage.documents import Document
from tests.fakes.storage import MemoryDocuments

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
FEW = Limits(requests_per_minute=5, exports_per_hour=2)


class Clock:
    def __init__(self, at: datetime = NOON) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at


def admitted(limits: RateLimits, who: str, times: int, *kinds: str) -> int:
    let_through = 0
    for _ in range(times):
        try:
            limits.admit(who, *(kinds or ("requests",)))  # type: ignore[arg-type]  # the table's words
        except TooManyRequests:
            continue
        let_through += 1
    return let_through


def test_a_person_may_ask_so_often_in_a_minute_and_again_in_the_next() -> None:
    clock = Clock()
    limits = RateLimits(MemoryDocuments(), FEW, clock=clock)
    assert admitted(limits, "ada", 9) == 5
    clock.at += timedelta(seconds=59)
    assert admitted(limits, "ada", 1) == 0
    clock.at += timedelta(seconds=1)
    assert admitted(limits, "ada", 9) == 5


def test_what_one_person_asks_is_no_matter_to_another() -> None:
    limits = RateLimits(MemoryDocuments(), FEW, clock=Clock())
    assert [admitted(limits, who, 9) for who in ("ada", "bob", NOBODY)] == [5, 5, 5]


def test_exports_are_counted_by_the_hour_and_as_requests_too() -> None:
    clock = Clock()
    limits = RateLimits(MemoryDocuments(), FEW, clock=clock)
    assert admitted(limits, "ada", 3, "requests", "exports") == 2
    assert admitted(limits, "ada", 5) == 2
    clock.at += timedelta(minutes=59)
    assert admitted(limits, "ada", 1, "requests", "exports") == 0
    clock.at += timedelta(minutes=1)
    assert admitted(limits, "ada", 3, "requests", "exports") == 2


def test_it_says_when_to_ask_again() -> None:
    limits = RateLimits(MemoryDocuments(), FEW, clock=Clock(NOON + timedelta(seconds=17.5)))
    admitted(limits, "ada", 5)
    with pytest.raises(TooManyRequests) as refused:
        limits.admit("ada", "requests")
    assert refused.value.retry_after == 43
    assert "5 requests a minute" in refused.value.message


def test_hosts_count_together_and_a_restart_forgets_nothing() -> None:
    documents, clock = MemoryDocuments(), Clock()
    hosts = [RateLimits(documents, FEW, clock=clock) for _ in range(3)]
    assert sum(admitted(host, "ada", 2) for host in hosts) == 5
    assert admitted(RateLimits(documents, FEW, clock=clock), "ada", 1) == 0


@pytest.mark.parametrize("hosts", [1, 4])
def test_of_many_at_once_no_more_are_let_through(hosts: int) -> None:
    documents = MemoryDocuments()
    limits = [RateLimits(documents, Limits(20, 2), clock=Clock()) for _ in range(hosts)]
    with ThreadPoolExecutor(8) as people:
        counts = people.map(lambda n: admitted(limits[n % hosts], "ada", 10), range(8))
    # Hosts that meet too often refuse for a second: fewer may pass, never more.
    total = sum(counts)
    assert total == 20 if hosts == 1 else 0 < total <= 20


def test_only_the_first_too_many_of_a_window_is_told_of_whatever_the_host() -> None:
    documents, clock = MemoryDocuments(), Clock()
    firsts = []
    for minute in range(2):
        clock.at = NOON + timedelta(minutes=minute)
        for host in [RateLimits(documents, FEW, clock=clock) for _ in range(3)]:
            for _ in range(9):
                try:
                    host.admit("ada", "requests")
                except TooManyRequests as refused:
                    firsts.append(refused.first)
    assert firsts.count(True) == 2
    assert len(firsts) == 2 * (27 - 5)


class CountingDocuments(MemoryDocuments):
    reads = 0

    def read(self, name: str) -> Document | None:
        self.reads += 1
        return super().read(name)


def test_a_flood_costs_storage_nothing() -> None:
    documents = CountingDocuments()
    admitted(RateLimits(documents, FEW, clock=Clock()), "ada", 1_000)
    assert documents.reads == 6


def test_no_name_of_a_person_is_kept() -> None:
    documents = MemoryDocuments()
    admitted(RateLimits(documents, FEW, clock=Clock()), "ada@example.com", 1)
    (name,) = documents.names(PREFIX)
    assert "ada" not in name


class AwayDocuments(MemoryDocuments):
    def read(self, name: str) -> Document | None:  # noqa: ARG002 - the interface's parameter
        raise StorageError("Storage is away.", next_step="Wait.")


def test_who_can_not_be_counted_is_not_let_through() -> None:
    with pytest.raises(StorageError):
        RateLimits(AwayDocuments(), FEW, clock=Clock()).admit("ada", "requests")


@given(st.lists(st.integers(-90, 90), max_size=60))
def test_clocks_that_differ_never_let_more_through_in_a_window(offsets: list[int]) -> None:
    """Hosts whose clocks are up to 90 seconds off ask at one instant: three windows can be meant at most."""
    documents = MemoryDocuments()
    through = sum(
        admitted(RateLimits(documents, FEW, clock=Clock(NOON + timedelta(seconds=offset))), "ada", 1)
        for offset in sorted(offsets)
    )
    assert through <= 5 * 4
