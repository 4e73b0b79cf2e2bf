"""What a person may ask to be silenced, and what is refused without a word of theirs in the answer."""

from datetime import time, timedelta
from typing import Any

import pytest

from functions.errors import InvalidRequest
from functions.silences.body import read_silence_body
from tests.unit.silences.silencing import ADA, HOUR, NOON, asked, silence

NIGHTLY = {"weekdays": ["tue", "mon", "tue"], "from": "15:00", "to": "06:00", "zone": "Europe/Berlin"}
DAY = timedelta(days=1)


def test_what_is_left_out_begins_now_and_the_author_is_who_signed_in() -> None:
    one = silence()
    assert (one.starts_at, one.made_at, one.recurrence) == (NOON, NOON, None)
    assert (one.author, one.author_id) == ("Ada", "person-1")


def test_a_start_that_has_passed_is_now() -> None:
    assert silence(starts_at=(NOON - DAY).isoformat()).starts_at == NOON


def test_times_are_taken_with_their_offset() -> None:
    assert silence(ends_at="2026-05-04T18:00:00+02:00").ends_at == NOON + 4 * HOUR


def test_a_recurrence_has_each_weekday_once() -> None:
    recurrence = silence(recurrence=NIGHTLY).recurrence
    assert recurrence is not None
    assert (recurrence.weekdays, recurrence.start, recurrence.end) == ((0, 1), time(15), time(6))


def test_thirty_days_are_the_most() -> None:
    assert silence(ends_at=(NOON + 30 * DAY).isoformat()).until == NOON + 30 * DAY


HOSTILE: dict[str, dict[str, Any]] = {
    "no matcher": {"matchers": {}},
    "too many matchers": {"matchers": {f"C{n}": ["*"] for n in range(11)}},
    "matchers are a list": {"matchers": ["dispatcher"]},
    "a fact that there is not": {"matchers": {"colour": ["red"]}},
    "a name with a quote": {"matchers": {"Tool' | union *": ["x"]}},
    "a pattern is text": {"matchers": {"agent": "dispatcher"}},
    "no pattern": {"matchers": {"agent": []}},
    "too many patterns": {"matchers": {"agent": ["x"] * 21}},
    "an empty pattern": {"matchers": {"agent": [" "]}},
    "a long pattern": {"matchers": {"agent": ["x" * 201]}},
    "a pattern that turns writing": {"matchers": {"agent": ["\u202edispatcher"]}},
    "a pattern is a number": {"matchers": {"agent": [1]}},
    "no reason": {"reason": None},
    "an empty reason": {"reason": "  "},
    "a long reason": {"reason": "x" * 201},
    "a reason of two lines": {"reason": "a\nb"},
    "a reason with a bell": {"reason": "a\a"},
    "a reason that turns writing": {"reason": "a\u202eb"},
    "a reason with a lone surrogate": {"reason": "a\ud800"},
    "a reason is an object": {"reason": {"text": "a"}},
    "no end": {"ends_at": None},
    "an end without offset": {"ends_at": "2026-05-04T18:00:00"},
    "an end that is no time": {"ends_at": "tomorrow"},
    "an end before all times": {"ends_at": "0001-01-01T00:00:00+14:00"},
    "an end is a number": {"ends_at": 1},
    "an end in the past": {"ends_at": (NOON - HOUR).isoformat()},
    "an end now": {"ends_at": NOON.isoformat()},
    "an end before the start": {"starts_at": (NOON + 5 * HOUR).isoformat()},
    "longer than thirty days": {"ends_at": (NOON + 30 * DAY + timedelta(seconds=1)).isoformat()},
    "begins in two months": {
        "starts_at": (NOON + 60 * DAY).isoformat(),
        "ends_at": (NOON + 61 * DAY).isoformat(),
    },
    "an author": {"author": "Bob"},
    "an id": {"id": "0123456789ab"},
    "a weekday that there is not": {"recurrence": NIGHTLY | {"weekdays": ["Monday"]}},
    "no weekday": {"recurrence": NIGHTLY | {"weekdays": []}},
    "a weekday is an object": {"recurrence": NIGHTLY | {"weekdays": [{}]}},
    "a time that there is not": {"recurrence": NIGHTLY | {"from": "24:00"}},
    "a time with seconds": {"recurrence": NIGHTLY | {"to": "06:00:00"}},
    "a zone that there is not": {"recurrence": NIGHTLY | {"zone": "Europe/Atlantis"}},
    "a zone that is a file": {"recurrence": NIGHTLY | {"zone": "../../../etc/passwd"}},
    "a zone that is a folder": {"recurrence": NIGHTLY | {"zone": "Europe"}},
    "a zone at the root": {"recurrence": NIGHTLY | {"zone": "/etc/passwd"}},
    "a zone with a zero": {"recurrence": NIGHTLY | {"zone": "Europe/Berlin\0"}},
    "a zone with a surrogate": {"recurrence": NIGHTLY | {"zone": "\ud800"}},
    "a zone that is nothing": {"recurrence": NIGHTLY | {"zone": ""}},
    "a zone that is a list of zones": {"recurrence": NIGHTLY | {"zone": "tzdata.zi"}},
    "a long zone": {"recurrence": NIGHTLY | {"zone": "A" * 10_000}},
    "a recurrence with more": {"recurrence": NIGHTLY | {"until": "never"}},
    "a recurrence that never comes": {"recurrence": NIGHTLY | {"weekdays": ["wed"]}},
}


@pytest.mark.parametrize("changes", HOSTILE.values(), ids=HOSTILE)
def test_anything_else_is_refused_and_not_quoted(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest) as refused:
        silence(**changes)
    told = str(refused.value)
    assert told.isascii()
    assert not any(hostile in told for hostile in ("xxx", "union", "passwd", "Bob", "tomorrow", "colour"))


@pytest.mark.parametrize("body", [None, [], "silence", 1, {}, asked() | {"": 1}])
def test_what_is_no_silence_at_all_is_refused(body: object) -> None:
    with pytest.raises(InvalidRequest, match="A silence must have ends_at, matchers, reason"):
        read_silence_body(body, silence_id="0123456789ab", author=ADA, now=NOON)
