import orjson
import pytest

from functions.errors import StorageError
from functions.storage.append_log import GENESIS, chain_line, check_chain

Lines = list[bytes]


def chain(*entries: dict[str, object]) -> Lines:
    lines, head = [], GENESIS
    for entry in entries:
        line, head = chain_line(head, entry)
        lines.append(line)
    return lines


def forged(line: bytes, **changes: object) -> bytes:
    return orjson.dumps(orjson.loads(line) | changes)


LINES = chain({"n": 1}, {"n": 2}, {"n": 3})


def test_a_whole_chain_passes() -> None:
    assert [entry for entry, _ in check_chain(LINES)] == [{"n": 1}, {"n": 2}, {"n": 3}]


def test_a_line_is_one_line_whatever_its_entry() -> None:
    line, _ = chain_line(GENESIS, {"reason": "a\nb\r\u2028"})
    assert line.count(b"\n") == 1


@pytest.mark.parametrize(
    ("lines", "broken_at"),
    [
        ([LINES[0], forged(LINES[1], entry={"n": 7}), LINES[2]], 2),
        ([LINES[0], forged(LINES[1], hash="0" * 64), LINES[2]], 2),
        ([LINES[0], forged(LINES[1], previous=GENESIS), LINES[2]], 2),
        ([LINES[0], LINES[2]], 2),
        ([LINES[1], LINES[2]], 1),
        ([LINES[1], LINES[0], LINES[2]], 1),
        ([LINES[0], LINES[0]], 2),
        ([LINES[0], *chain({"n": 9})], 2),
        ([LINES[0], b"", LINES[1]], 2),
        ([LINES[0], b"{}", LINES[1]], 2),
        ([LINES[0], b"[1]", LINES[1]], 2),
        ([b"not json"], 1),
    ],
    ids=[
        *(
            "changed",
            "other hash",
            "other previous",
            "missing",
            "first missing",
            "moved",
            "twice",
            "another chain",
        ),
        *("empty line", "empty object", "not an object", "not JSON"),
    ],
)
def test_a_chain_that_was_touched_is_broken(lines: Lines, broken_at: int) -> None:
    with pytest.raises(StorageError, match=f"broken at line {broken_at}\\."):
        list(check_chain(lines))
