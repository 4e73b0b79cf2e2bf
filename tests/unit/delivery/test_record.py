"""A destination's record is read as it was written; what a later version wrote is left alone."""

from datetime import UTC, datetime

import orjson
import pytest

from functions.alerts.answer import Accepted, Rejected
from functions.delivery.record import (
    Answered,
    Lease,
    Loss,
    Parcel,
    Record,
    record_from_json,
    record_to_json,
)
from functions.errors import StorageError
from functions.storage.documents import encode

NOW = datetime(2026, 11, 24, 3, 0, 0, 250_000, tzinfo=UTC)
DIGEST = Parcel("digest-1", {"checks/a": ("k-1", "k-2"), "checks/b": ("k-3",)}, digest=True)
SINGLE = Parcel("k-4", {"announcements": ("k-4",)}, digest=False)
FULL = Record(
    lease=Lease("host", NOW),
    sent=(NOW, NOW),
    resting_until=NOW,
    failures=3,
    failing_since=NOW,
    open_until=NOW,
    accepted_at=NOW,
    claim=DIGEST,
    alone=("k-4",),
    answers=(
        Answered(DIGEST, Accepted(202), NOW),
        Answered(SINGLE, Rejected(retryable=False, retry_after_seconds=None, reason="HTTP 413"), NOW),
    ),
    losses=(Loss(NOW, 2, "not accepted within a day"),),
)


@pytest.mark.parametrize("record", [Record(), FULL], ids=["new", "full"])
def test_what_is_written_is_read_back(record: Record) -> None:
    assert record_from_json("", orjson.loads(encode(record_to_json(record)))) == record


@pytest.mark.parametrize(("body", "said"), [({"format": 2}, "newer version"), ({"format": 1}, "KeyError")])
def test_what_is_no_record_is_refused(body: dict[str, int], said: str) -> None:
    with pytest.raises(StorageError, match=said):
        record_from_json("deliveries/teams", body)
