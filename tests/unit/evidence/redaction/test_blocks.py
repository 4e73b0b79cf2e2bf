import itertools
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.evidence.redaction import blocks
from functions.evidence.redaction.blocks import BLOCK_BYTES, LONGEST_LINE_BYTES, OVERLAP_BYTES, Blocks


def cut(pieces: Sequence[bytes]) -> tuple[list[bytes], list[bytes]]:
    """Return what is searched and what is kept of a stream written in these pieces."""
    searched: list[bytes] = []
    kept: list[bytes] = []
    stream = Blocks(searched.append, kept.append)
    for piece in pieces:
        stream.write(piece)
    stream.close()
    return searched, kept


def in_pieces(text: bytes, size: int) -> list[bytes]:
    return [text[at : at + size] for at in range(0, len(text), size)]


LINES = b"".join(b"%d,%s\n" % (n, b"x" * (n % 4000)) for n in range(2500))
LONG = b"head\n" + b'{"v":12345678},' * 900_000 + b"\nend\n"
UNBROKEN = "ü".encode() * (LONGEST_LINE_BYTES // 2 + 500_000) + b"\n"


@pytest.mark.parametrize("text", [LINES, LONG, UNBROKEN, b"", b"\n", b"no end of line"])
def test_blocks_depend_on_the_text_alone(text: bytes) -> None:
    whole = cut([text])
    assert b"".join(whole[1]) == text
    for size in (1 << 10, 999_983, BLOCK_BYTES, 3 * BLOCK_BYTES + 1):
        assert cut(in_pieces(text, size)) == whole


def test_blocks_end_with_a_line_and_are_about_a_mebibyte() -> None:
    searched, kept = cut([LINES])
    assert searched == kept
    assert all(block.endswith(b"\n") for block in kept)
    assert len(kept) == pytest.approx(len(LINES) / BLOCK_BYTES, abs=1.5)
    assert max(map(len, kept)) <= BLOCK_BYTES


def test_a_long_line_stays_whole_and_a_longer_one_is_cut_at_a_separator_with_an_overlap() -> None:
    line = b"y" * (3 * BLOCK_BYTES) + b"\n"
    assert line in cut([b"short\n" + line + b"short\n"])[0]
    searched, kept = cut([LONG])
    assert max(map(len, searched)) <= LONGEST_LINE_BYTES + OVERLAP_BYTES
    pieces = [block for block in kept if not block.endswith(b"\n")]
    assert pieces
    assert all(block.endswith(b",") for block in pieces)
    for before, after in itertools.pairwise(searched):
        if not before.endswith(b"\n"):
            assert before[-OVERLAP_BYTES // 2 :] in after


@given(st.integers(min_value=LONGEST_LINE_BYTES - 60, max_value=LONGEST_LINE_BYTES + 20))
def test_what_stands_across_a_cut_is_found(at: int) -> None:
    text = LONG[:at].replace(b"\n", b" ") + b" 4111 1111 1111 1111 " + LONG[at:]
    assert any(b"4111 1111 1111 1111" in block for block in cut([text])[0])


def test_no_character_is_torn_apart() -> None:
    for block in (*cut([UNBROKEN])[0], *cut([b"x" + UNBROKEN])[0]):
        block.decode()


def test_what_is_searched_is_not_kept_before() -> None:
    def refuse(_: bytes) -> None:
        raise ValueError

    kept: list[bytes] = []
    stream = Blocks(refuse, kept.append)
    stream.write(b"x")
    with pytest.raises(ValueError):  # noqa: PT011 - of our own making
        stream.close()
    assert kept == []
    assert blocks.BLOCK_BYTES == 1 << 20
