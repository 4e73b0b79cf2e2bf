"""What can't be seen is not sealed: a day that only looks empty would be sealed as zero."""

from datetime import UTC, datetime

import pytest

from functions.canary.looking import DOCUMENT, sight_to_json
from functions.canary.sight import CONTENT, SPANS, NeedSight, Sight
from functions.wiring_record import unseen
from tests.fakes.storage import MemoryDocuments

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("need", "answer", "sealed"),
    [
        (SPANS, "pass", True),
        (SPANS, "unknown", True),
        (SPANS, "not_allowed", False),
        (SPANS, "late", False),
        (CONTENT, "not_allowed", True),
    ],
)
def test_a_day_is_sealed_only_while_spans_can_be_seen(need: str, answer: str, sealed: bool) -> None:
    documents = MemoryDocuments()
    sight = Sight(NOON, {need: NeedSight(answer, "No marker run arrived.", NOON)})  # type: ignore[arg-type]  # by name
    documents.write(DOCUMENT, sight_to_json(sight), version=None)
    assert (unseen(documents) is None) == sealed


def test_before_anything_was_looked_at_nothing_says_that_spans_are_hidden() -> None:
    assert unseen(MemoryDocuments()) is None
