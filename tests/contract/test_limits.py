"""Counts of requests in real storage: many hosts count together, whatever they do at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from azure.storage.blob import ContainerClient

from functions.access.limits import Limits, RateLimits
from functions.errors import TooManyRequests
from functions.storage.blob import BlobDocuments

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
LIMIT, HOSTS, PEOPLE = 20, 3, 9


def test_hosts_that_count_at_once_let_no_more_through_and_tell_of_it_once(
    new_container: Callable[[], ContainerClient],
) -> None:
    container = new_container()
    hosts = [RateLimits(BlobDocuments(container), Limits(LIMIT, 1), clock=lambda: NOON) for _ in range(HOSTS)]

    def ask(number: int) -> tuple[int, int]:
        """Ask ten times; return how often it was let through, and how often it was the first too many."""
        through = first = 0
        for _ in range(10):
            try:
                hosts[number % HOSTS].admit("ada", "requests")
                through += 1
            except TooManyRequests as refused:
                first += refused.first
        return through, first

    with ThreadPoolExecutor(PEOPLE) as people:
        outcomes = list(people.map(ask, range(PEOPLE)))
    through, first = (sum(one[part] for one in outcomes) for part in (0, 1))
    # Hosts that meet too often refuse for a second: fewer may pass, never more.
    assert LIMIT // 2 <= through <= LIMIT
    assert first == (1 if through == LIMIT else 0)
