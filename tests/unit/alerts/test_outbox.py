"""What waits is sent in order, put off with patience, and leaves only for a receipt or a refusal."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from functions.alerts.alert import Notice
from functions.alerts.answer import Accepted, Answer, Rejected
from functions.alerts.outbox import (
    MAX_FINISHED,
    Entry,
    Outbox,
    Response,
    due,
    enqueue,
    settle,
    waiting_pairs,
    without_old_receipts,
)
from tests.unit.alerts.building import advanced, found, judged, two_destinations, window

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


def answered(outbox: Outbox, entry: Entry, answer: Answer, at: datetime = NOW, jitter: float = 0) -> Outbox:
    return settle(outbox, entry.destination, {entry.key: Response(answer, at)}, jitter=jitter)


def test_of_one_alert_only_the_oldest_notice_is_due() -> None:
    opened, resolved = notices(windows=4)
    (elsewhere,) = advanced({}, found(0, of=1, key=OTHER)).notices
    outbox = holding(opened, resolved, elsewhere)
    assert [entry.notice for entry in due(outbox, NOW)] == [opened, elsewhere]
    put_off = answered(outbox, outbox.waiting[0], busy())
    assert [entry.notice for entry in due(put_off, NOW)] == [elsewhere]
    accepted = answered(outbox, outbox.waiting[0], Accepted(202))
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
        outbox = answered(outbox, outbox.waiting[0], busy(), jitter=jitter)
        delays.append((outbox.waiting[0].next_attempt - NOW).total_seconds())
    assert delays == seconds
    assert outbox.waiting[0].attempts == len(seconds)


def test_ten_thousand_failures_still_end_in_a_quarter_of_an_hour() -> None:
    outbox = holding(*notices())
    for _ in range(10_000):
        outbox = answered(outbox, outbox.waiting[0], busy(), jitter=0.999)
    assert timedelta(minutes=14) < outbox.waiting[0].next_attempt - NOW < timedelta(minutes=15)


def test_a_clock_that_was_a_year_ahead_holds_nothing_up() -> None:
    outbox = holding(*notices())
    assert due(outbox, NOW - timedelta(hours=1)) == outbox.waiting
    put_off = answered(outbox, outbox.waiting[0], busy(), at=NOW + timedelta(days=365))
    assert due(put_off, NOW) == put_off.waiting


def test_one_destination_s_answer_leaves_the_other_s_entry_alone() -> None:
    (notice,) = advanced({}, found(0, of=1), rules=two_destinations()).notices
    outbox = holding(notice)
    for answer in (Accepted(202), busy(), Rejected(False, None, "HTTP 413")):
        after = answered(outbox, outbox.waiting[0], answer)
        assert outbox.waiting[1] in after.waiting


def test_an_answer_to_what_does_not_wait_changes_nothing() -> None:
    outbox = holding(*notices())
    accepted = answered(outbox, outbox.waiting[0], Accepted(202))
    for late in (Accepted(200), busy(), Rejected(False, None, "HTTP 413")):
        assert answered(accepted, outbox.waiting[0], late) == accepted


def test_a_refusal_is_kept_to_be_seen_and_never_sent_again() -> None:
    outbox = holding(*notices())
    refusal = Rejected(retryable=False, retry_after_seconds=None, reason="HTTP 413")
    outbox = answered(outbox, outbox.waiting[0], refusal)
    assert outbox.waiting == ()
    assert [(entry.attempts, entry.reason) for entry in outbox.refused] == [(1, "HTTP 413")]


def test_a_receipt_says_when_and_how_it_was_accepted() -> None:
    outbox = holding(*notices())
    outbox = answered(outbox, outbox.waiting[0], busy())
    later = NOW + timedelta(minutes=1)
    outbox = answered(outbox, outbox.waiting[0], Accepted(202), later)
    (receipt,) = outbox.receipts
    assert outbox.waiting == ()
    assert (receipt.created_at, receipt.accepted_at) == (NOW, later)
    assert (receipt.attempts, receipt.status, receipt.kind) == (2, 202, "opened")


def test_old_receipts_are_forgotten_but_the_last_one_of_each_alert_there_is() -> None:
    outbox = Outbox()
    for n in range(MAX_FINISHED + 5):
        key = {"Agent": f"agent {n}", "Tool": ""}
        outbox = enqueue(outbox, advanced({}, found(n, of=n + 1, key=key)).notices)
        outbox = answered(outbox, outbox.waiting[0], Accepted(202), window(n).end)
    first, second = outbox.receipts[:2]
    assert without_old_receipts(outbox, ()).receipts == outbox.receipts[5:]
    assert without_old_receipts(outbox, {second.about}).receipts == (second, *outbox.receipts[5:])
    assert first not in without_old_receipts(outbox, {second.about}).receipts
