"""A week's summary and a test card reach the channel by the way that alerts take."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson

from functions.alerts.announcements import Announcements
from functions.commands.try_delivery import announcement_of
from functions.summary.document import DOCUMENT, Told, read_told, told_json
from local.stack import Stack


def test_a_week_s_summary_and_a_test_are_each_posted_once(tmp_path: Path) -> None:
    with Stack(tmp_path) as stack:
        stack.start_host()
        documents = stack.documents()
        stack.fire("weekly_summary")
        begun = documents.read(DOCUMENT)
        assert begun is not None, "the first look writes down where summaries begin"
        latest = read_told(begun.body).last
        documents.write(DOCUMENT, told_json(Told(latest - timedelta(days=14))), version=begun.version)
        stack.fire("weekly_summary")
        stack.fire("weekly_summary")
        after = documents.read(DOCUMENT)
        assert after is not None
        assert read_told(after.body) == Told(latest)
        test = announcement_of("K7QP", ("teams",), asked_by="Ada Lovelace", at=datetime.now(UTC))
        assert Announcements(documents).add(test)
        stack.fire("watch_tick")
        stack.fire("watch_tick")
        # The columns of a card are kept by spaces that do not break.
        cards = [orjson.dumps(post.body).decode().replace("\u00a0", " ") for post in stack.posts()]
    (summary,) = [card for card in cards if "CHECKS THAT SAW ALL" in card]
    assert "No summary of the week before it." in summary
    assert "NOT KNOWN" not in summary
    (asked,) = [card for card in cards if "K7QP" in card]
    assert "Asked for by Ada Lovelace" in asked
