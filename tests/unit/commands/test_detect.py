from pathlib import Path

import orjson
import pytest

from functions.cli import main


def hits(file: Path, capsys: pytest.CaptureFixture[str]) -> list[object]:
    assert main(["detect", str(file)]) == 0
    return [orjson.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_hits_in_a_text_are_printed_by_line_without_their_value(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "note.txt"
    file.write_text("nothing here\r\nž: alice@example.com, ssn 078-05-1120\n", encoding="utf-8")
    assert hits(file, capsys) == [
        {"line": 2, "type": "email", "start": 3, "end": 20},
        {"line": 2, "type": "us_ssn", "start": 26, "end": 37},
    ]


def test_of_json_lines_the_field_text_is_searched(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "texts.jsonl"
    lines = [{"text": "a\nalice@example.com", "to": "bob@example.com"}, {"text": ""}]
    file.write_bytes(b"\n".join(map(orjson.dumps, lines)))
    assert hits(file, capsys) == [{"line": 1, "type": "email", "start": 2, "end": 19}]


@pytest.mark.parametrize("line", [b"plain alice@example.com", b'{"txt": "x"}', b'{"text": 5}', b"[1]"])
def test_a_line_that_has_no_text_is_named_without_its_content(
    line: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "texts.jsonl"
    file.write_bytes(b'{"text": "fine"}\n' + line)
    assert main(["detect", str(file)]) == 1
    told = capsys.readouterr().err
    assert f"{file}, line 2" in told
    assert "alice" not in told


@pytest.mark.parametrize("data", [None, b"\xff\xfe"])
def test_a_file_that_can_not_be_read_is_told(
    data: bytes | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "note.txt"
    if data is not None:
        file.write_bytes(data)
    assert main(["detect", str(file)]) == 1
    assert str(file) in capsys.readouterr().err
