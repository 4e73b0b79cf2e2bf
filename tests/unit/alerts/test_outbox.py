"""What waits is sent in order, put off with patience, and leaves only for a receipt or a refusal."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from functions.alerts.alert import Notice
from functions.alerts.delivery.interface import Accepted, Rejected
from functions.alerts.outbox import MAX_FINISHED, Outbox, accept, due, enqueue, reject, waiting_pairs
from tests.unit.alerts.building import DISPATCHER, advanced, found, judged, two_destinations, window

OTHER = {"Agent": "benefits", "Tool": "search"}
NOW = window(0).end


def notices(*, windows: int = 1) -> tuple[Notice, ...]:
    """Return an "opened" and, where enough windows follow, the "resolved" that comes after it."""
    opened = advanced({}, found(0, of=1))
    later = advanced(opened.alerts, [judged(n) for n in range(1, windows)], now=NOW)
    return opened.notices + later.notices


def holding(*made: Notice) -> Outbox:
    return enqueue(Outbox(), made)


def busy(reason: str = "HTTP 503", after: float | None = None) -> Rejected:
    return Rejected(retryable=True, retry_after_seconds=after, reason=reason)


def test_a_notice_waits_once_for_each_destination() -> None:
    (notice,) = advanced({}, found(0, of=1), rules=two_destinations()).notices
    entries = holding(notice).waiting
    assert [(entry.destination, entry.key) for entry in entries] == [
        (name, f"{notice.alert.id}-1-opened-1") for name in ("teams", "pager")
    ]
    assert waiting_pairs(holding(notice)) == {(notice.alert.id, "teams"), (notice.alert.id, "pager")}


def test_of_one_alert_only_the_oldest_notice_is_due() -> None:
    opened, resolved = notices(windows=4)
    (elsewhere,) = advanced({}, found(0, of=1, key=OTHER)).notices
    outbox = holding(opened, resolved, elsewhere)
    assert [entry.notice for entry in due(outbox, NOW)] == [opened, elsewhere]
    put_off = reject(outbox, outbox.waiting[0], busy(), NOW, jitter=0)
    assert [entry.notice for entry in due(put_off, NOW)] == [elsewhere]
    accepted = accept(outbox, outbox.waiting[0], Accepted(202), NOW)
    assert [entry.notice for entry in due(accepted, NOW)] == [resolved, elsewhere]


@pytest.mark.parametrize(
    ("jitter", "seconds"),
    [
        (0.0, [15, 30, 60, 120, 240, 450, 450, 450]),
        (0.5, [22.5, 45, 90, 180, 360, 675, 675, 675]),
    ],
)
def test_each_delay_doubles_up_to_a_quarter_of_an_hour(jitter: float, seconds: Sequence[float]) -> None:
    outbox = holding(*notices())
    delays = []
    for _ in seconds:
        outbox = reject(outbox, outbox.waiting[0], busy(), NOW, jitter=jitter)
        delays.append((outbox.waiting[0].next_attempt - NOW).total_seconds())
    assert delays == seconds
    assert outbox.waiting[0].attempts == len(seconds)


def test_ten_thousand_failures_still_end_in_a_quarter_of_an_hour() -> None:
    outbox = holding(*notices())
    for _ in range(10_000):
        outbox = reject(outbox, outbox.waiting[0], busy(), NOW, jitter=0.999)
    assert timedelta(minutes=14) < outbox.waiting[0].next_attempt - NOW < timedelta(minutes=15)


@pytest.mark.parametrize(("asked", "seconds"), [(3.0, 15), (100.0, 100), (1e12, 3600), (float("inf"), 3600)])
def test_retry_after_is_kept_within_reason(asked: float, seconds: float) -> None:
    outbox = holding(*notices())
    outbox = reject(outbox, outbox.waiting[0], busy(after=asked), NOW, jitter=0)
    assert outbox.waiting[0].next_attempt == NOW + timedelta(seconds=seconds)


def test_retry_after_holds_for_all_that_waits_for_that_destination() -> None:
    made = [
        advanced({}, found(0, of=1, key=key), rules=two_destinations()).notices[0]
        for key in (DISPATCHER, OTHER)
    ]
    outbox = holding(*made)
    outbox = reject(outbox, outbox.waiting[0], busy(after=100.0), NOW, jitter=0)
    assert [entry.destination for entry in due(outbox, NOW)] == ["pager", "pager"]
    assert len(due(outbox, NOW + timedelta(seconds=100))) == 4


def test_a_refusal_is_kept_to_be_seen_and_never_sent_again() -> None:
    outbox = holding(*notices())
    refusal = Rejected(retryable=False, retry_after_seconds=None, reason="HTTP 413")
    outbox = reject(outbox, outbox.waiting[0], refusal, NOW, jitter=0)
    assert outbox.waiting == ()
    assert [(entry.attempts, entry.reason) for entry in outbox.refused] == [(1, "HTTP 413")]


def test_a_receipt_says_when_and_how_it_was_accepted() -> None:
    outbox = holding(*notices())
    outbox = reject(outbox, outbox.waiting[0], busy(), NOW, jitter=0)
    later = NOW + timedelta(minutes=1)
    outbox = accept(outbox, outbox.waiting[0], Accepted(202), later)
    (receipt,) = outbox.receipts
    assert outbox.waiting == ()
    assert (receipt.created_at, receipt.accepted_at) == (NOW, later)
    assert (receipt.attempts, receipt.status, receipt.kind) == (2, 202, "opened")


def test_old_receipts_are_forgotten() -> None:
    outbox = Outbox()
    for n in range(MAX_FINISHED + 5):
        outbox = enqueue(outbox, advanced({}, found(n, of=n + 1)).notices)
        outbox = accept(outbox, outbox.waiting[0], Accepted(202), window(n).end)
    assert len(outbox.receipts) == MAX_FINISHED
    assert outbox.receipts[-1].accepted_at == window(MAX_FINISHED + 4).end
