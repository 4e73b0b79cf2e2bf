import pytest

from functions.errors import InvalidRequest
from functions.triggers.ranges import RANGE_BYTES, WHOLE_BYTES, Part, requested_part

LARGE = WHOLE_BYTES + 1


@pytest.mark.parametrize(
    ("header", "size", "part"),
    [
        (None, 1_000, None),
        (None, WHOLE_BYTES, None),
        ("bytes=0-99", 1_000, Part(0, 100)),
        ("Bytes=0-99", 1_000, Part(0, 100)),
        ("bytes=900-", 1_000, Part(900, 100)),
        ("bytes=900-5000", 1_000, Part(900, 100)),
        ("bytes=-100", 1_000, Part(900, 100)),
        ("bytes=-5000", 1_000, Part(0, 1_000)),
        ("bytes=999-999", 1_000, Part(999, 1)),
        ("bytes=0-", LARGE, Part(0, RANGE_BYTES)),
        (f"bytes={RANGE_BYTES}-", LARGE, Part(RANGE_BYTES, RANGE_BYTES)),
        ("bytes=-1", LARGE, Part(WHOLE_BYTES, 1)),
    ],
)
def test_a_part_is_what_was_asked_and_8_mib_at_most(header: str | None, size: int, part: Part | None) -> None:
    assert requested_part(header, size) == part


@pytest.mark.parametrize(
    ("header", "size"),
    [
        (None, LARGE),
        ("", 1_000),
        ("bytes=", 1_000),
        ("bytes=-", 1_000),
        ("bytes=-0", 1_000),
        ("bytes=5-4", 1_000),
        ("bytes=1000-", 1_000),
        ("bytes=0-1,5-6", 1_000),
        ("items=0-1", 1_000),
        ("bytes=a-b", 1_000),
        ("bytes=" + "9" * 10_000, 1_000),
        ("bytes=0-0", 0),
    ],
)
def test_any_other_range_is_refused_with_how_to_ask(header: str | None, size: int) -> None:
    with pytest.raises(InvalidRequest, match="Range: bytes=0-"):
        requested_part(header, size)


def test_a_part_says_where_it_belongs() -> None:
    assert Part(900, 100).content_range(1_000) == "bytes 900-999/1000"
