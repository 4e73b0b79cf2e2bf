"""Traces are stretched evenly over the period; what is inside one stays as it was."""

import gzip
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.retiming import UnreadableEnvelopesError, read_envelopes, retime

END = datetime(2026, 11, 20, 12, tzinfo=UTC)
OVER = timedelta(hours=12)
START = datetime(2026, 3, 1, tzinfo=UTC)
AGE = "tool.data_as_of"
CAPTURE = Path(__file__).parents[3] / "../shared/captures/agent-framework/envelopes.jsonl.gz"


def envelope(
    time: str, trace: str | None = "a", *, duration: str | None = None, **properties: Any
) -> dict[str, Any]:
    base_data = {"properties": properties} | ({"duration": duration} if duration else {})
    tags = {"ai.operation.id": trace} if trace else {}
    return {"time": time, "tags": tags, "data": {"baseType": "X", "baseData": base_data}}


def moved(*envelopes: dict[str, Any], over: timedelta = OVER) -> list[dict[str, Any]]:
    return retime(envelopes, end=END, over=over, data_as_of={AGE})


def ticks(written: str) -> int:
    """Units of 100 ns since 1970, read in another way than the code under test does."""
    whole, _, fraction = written.removesuffix("Z").partition(".")
    return int(datetime.fromisoformat(whole + "+00:00").timestamp()) * 10**7 + int(fraction.ljust(7, "0"))


def age_of(envelope: dict[str, Any]) -> int:
    return ticks(envelope["time"]) - ticks(envelope["data"]["baseData"]["properties"][AGE])


def by_trace(envelopes: list[dict[str, Any]]) -> dict[str, list[int]]:
    times = defaultdict(list)
    for one in envelopes:
        if trace := one["tags"].get("ai.operation.id"):
            times[trace].append(ticks(one["time"]))
    return times


@st.composite
def captures(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Some traces of some spans and some envelopes outside any trace, in any order."""
    envelopes = []
    for number in range(draw(st.integers(1, 8))):
        begin = START + timedelta(microseconds=draw(st.integers(0, 10**10)))
        for _ in range(draw(st.integers(1, 4))):
            at = begin + timedelta(microseconds=draw(st.integers(0, 30 * 10**6)))
            # six digits or seven: real envelopes have either
            written = f"{at:%Y-%m-%dT%H:%M:%S.%f}{draw(st.sampled_from(['', '0', '7']))}Z"
            as_of = at - timedelta(seconds=draw(st.integers(0, 10**6)))
            aged = {AGE: f"{as_of:%Y-%m-%dT%H:%M:%S}Z"} if draw(st.booleans()) else {}
            seconds = draw(st.integers(0, 59))
            envelopes.append(
                envelope(written, f"trace-{number}", duration=f"0.00:00:{seconds:02d}.250", **aged)
            )
    for _ in range(draw(st.integers(0, 3))):
        at = START + timedelta(microseconds=draw(st.integers(-(10**10), 2 * 10**10)))
        envelopes.append(envelope(f"{at:%Y-%m-%dT%H:%M:%S.%f}Z", None))
    return draw(st.permutations(envelopes))


periods = st.sampled_from([timedelta(hours=12), timedelta(minutes=7), timedelta(seconds=91)])


@given(captures(), periods)
def test_traces_keep_their_order_and_the_timing_inside(before: list[dict[str, Any]], over: timedelta) -> None:
    after = moved(*before, over=over)
    old, new = by_trace(before), by_trace(after)
    for trace, times in old.items():
        assert [at - min(times) for at in times] == [at - min(new[trace]) for at in new[trace]]
    for one in old:
        for other in old:
            if min(old[one]) < min(old[other]):
                assert min(new[one]) < min(new[other])


@given(captures(), periods)
def test_everything_falls_into_the_period_and_has_ended_by_its_end(
    before: list[dict[str, Any]], over: timedelta
) -> None:
    last = int(END.timestamp()) * 10**7
    first = int((END - over).timestamp()) * 10**7
    for one in moved(*before, over=over):
        assert first < ticks(one["time"]) <= last
        duration = one["data"]["baseData"].get("duration")
        lasts = int(duration[8:10]) * 10**7 + 2_500_000 if duration else 0
        assert ticks(one["time"]) + lasts <= last


@given(captures(), periods)
def test_data_keeps_its_age_and_nothing_else_changes(before: list[dict[str, Any]], over: timedelta) -> None:
    untouched = orjson.dumps(before)
    for old, new in zip(before, moved(*before, over=over), strict=True):
        properties = new["data"]["baseData"]["properties"]
        if AGE in properties:
            assert age_of(old) == age_of(new)
            properties[AGE] = old["data"]["baseData"]["properties"][AGE]
        assert {**new, "time": old["time"]} == old
    assert orjson.dumps(before) == untouched


@given(captures())
def test_starts_are_spread_evenly_to_the_second(before: list[dict[str, Any]]) -> None:
    starts = sorted(min(times) for times in by_trace(moved(*before)).values())
    gaps = [later - earlier for earlier, later in pairwise(starts)]
    assert all(abs(gap - gaps[0]) <= 2 * 10**7 for gap in gaps)


def test_the_starts_fill_the_period() -> None:
    spans = [envelope(f"2026-03-01T00:00:0{number}.250000Z", str(number)) for number in range(4)]
    assert [one["time"] for one in moved(*spans)] == [
        "2026-11-20T02:59:59.250000Z",
        "2026-11-20T05:59:59.250000Z",
        "2026-11-20T08:59:59.250000Z",
        "2026-11-20T11:59:59.250000Z",
    ]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2026-03-01T00:00:00Z", "2026-11-20T11:59:58Z"),
        ("2026-03-01T00:00:00.5Z", "2026-11-20T11:59:58.5Z"),
        ("2026-03-01T00:00:00.1234567Z", "2026-11-20T11:59:58.1234567Z"),
        ("2026-03-01T02:00:00+02:00", "2026-11-20T13:59:58+02:00"),
        ("yesterday", "yesterday"),
        ("2026-13-45T00:00:00Z", "2026-13-45T00:00:00Z"),
        ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"),
        (17, 17),
        (None, None),
    ],
)
def test_the_age_of_data_keeps_its_form_and_what_is_no_instant_stays(written: Any, expected: Any) -> None:
    span = envelope(
        "2026-03-01T00:00:00.300000Z", duration="0.00:00:01.000", **{AGE: written, "other": written}
    )
    [after] = moved(span)
    assert after["time"] == "2026-11-20T11:59:58.300000Z"
    assert after["data"]["baseData"]["properties"] == {AGE: expected, "other": written}


def test_starts_closer_than_a_second_still_keep_order_and_age() -> None:
    times = [f"2026-03-01T00:00:00.{number:06d}Z" for number in range(40)]
    spans = [
        envelope(time, str(number), **{AGE: "2026-02-28T23:00:00Z"}) for number, time in enumerate(times)
    ]
    after = moved(*spans, over=timedelta(seconds=2))
    starts = [ticks(one["time"]) for one in after]
    assert all(abs(later - earlier - 500_000) <= 10_000 for earlier, later in pairwise(starts))
    assert [age_of(one) for one in after] == [age_of(one) for one in spans]


def test_an_envelope_outside_any_trace_moves_with_the_trace_before_it() -> None:
    first, metric, second = moved(
        envelope("2026-03-01T00:00:00.000000Z", "a"),
        envelope("2026-03-01T00:00:05.000000Z", None),
        envelope("2026-03-01T00:01:00.000000Z", "b"),
    )
    assert ticks(metric["time"]) - ticks(first["time"]) == 5 * 10**7
    assert metric["time"] < second["time"]


def test_without_any_trace_the_last_envelope_ends_the_period() -> None:
    early, late = moved(
        envelope("2026-03-01T00:00:00.000000Z", None), envelope("2026-03-01T00:00:05.000000Z", None)
    )
    assert (early["time"], late["time"]) == ("2026-11-20T11:59:55.000000Z", "2026-11-20T12:00:00.000000Z")


def test_nothing_stays_nothing() -> None:
    assert moved() == []


@pytest.mark.parametrize(
    ("duration", "over"),
    [("0.00:00:03.000", timedelta(seconds=3)), ("2.00:00:00.000", timedelta(hours=47)), (None, timedelta(0))],
)
def test_a_period_too_short_is_refused(duration: str | None, over: timedelta) -> None:
    with pytest.raises(ValueError, match="do not fit"):
        moved(envelope("2026-03-01T00:00:00.000000Z", duration=duration), over=over)


@pytest.mark.parametrize("name", ["capture.jsonl", "capture.jsonl.gz"])
def test_a_file_is_read_packed_or_plain(tmp_path: Path, name: str) -> None:
    lines = [envelope("2026-03-01T00:00:00.000000Z"), envelope("2026-03-01T00:00:01.0000000Z")]
    text = b"\n\n".join(orjson.dumps(line) for line in lines)
    (tmp_path / name).write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
    assert read_envelopes(tmp_path / name) == lines


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b'{"time": "2026-03-01T00:00:00Z", "secret', "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b'["secret"]', "not a JSON object"),
        (b'{"secret": 1}', "not an ISO 8601 instant"),
        (b'{"time": 17}', "not an ISO 8601 instant"),
        (b'{"time": "2026-02-30T00:00:00Z secret"}', "not an ISO 8601 instant"),
        (b'{"time": "2026-02-30T00:00:00Z"}', "not an ISO 8601 instant"),
        (b'{"time": "2026-03-01T00:00:00"}', "not an ISO 8601 instant"),
    ],
)
def test_a_broken_line_is_named_but_not_quoted(tmp_path: Path, line: bytes, why: str) -> None:
    path = tmp_path / "capture.jsonl"
    path.write_bytes(orjson.dumps(envelope("2026-03-01T00:00:00Z")) + b"\n" + line + b"\n")
    with pytest.raises(UnreadableEnvelopesError, match=f"capture.jsonl, line 2: .*{why}") as raised:
        read_envelopes(path)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("damage", ["cut short", "no header", "corrupt"])
def test_a_broken_gzip_is_named(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "capture.jsonl.gz"
    packed = gzip.compress(orjson.dumps(envelope("2026-03-01T00:00:00Z")))
    broken = {"cut short": packed[:60], "no header": packed[4:], "corrupt": packed[:10] + b"\xff" * 40}
    path.write_bytes(broken[damage])
    with pytest.raises(UnreadableEnvelopesError, match=r"capture\.jsonl\.gz, after line 0: the gzip"):
        read_envelopes(path)


@pytest.mark.skipif(not CAPTURE.exists(), reason="the captures are not on this machine")
def test_a_real_capture_can_be_stretched_over_a_day() -> None:
    before = read_envelopes(CAPTURE)
    after = retime(before, end=END, over=timedelta(hours=24), data_as_of={AGE})
    starts = sorted(min(times) for times in by_trace(after).values())
    assert len(starts) == 120
    assert starts[-1] - starts[0] > 23.5 * 3600 * 10**7
    ages = [
        (age_of(old), age_of(new))
        for old, new in zip(before, after, strict=True)
        if AGE in (old["data"]["baseData"].get("properties") or {})
    ]
    assert ages
    assert all(old == new for old, new in ages)
