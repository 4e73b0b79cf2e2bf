"""`tracekeeper detect`: says where in a file the detectors of the evidence would mask something."""

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

import orjson

from functions.errors import InvalidRequest
from functions.evidence.detectors import standard_detectors

_JSON_LINES = {".jsonl", ".ndjson"}


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to those of the parser."""
    parser = commands.add_parser(
        "detect",
        help="find what evidence would mask in a text",
        description=(
            "Prints each hit of the detectors as a line of JSON: the line it is in (from 1), its type, and "
            "where in that line, or in that line's text, it starts and ends (characters from 0, the end "
            "exclusive). The value itself is not printed. Names and addresses of people are not found: no "
            "pattern finds them. Exit code 0, whether or not there are hits."
        ),
    )
    parser.add_argument(
        "file",
        metavar="FILE",
        type=Path,
        help="a text in UTF-8, or a .jsonl file of objects that each have their text in the field `text`",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, say: Callable[[str], None]) -> int:
    """Print the hits; return 0.

    Raises:
        InvalidRequest: The file can't be read, or a line of it is not what it should be.
    """
    detectors = standard_detectors()
    for number, text in enumerate(_texts(options.file), 1):
        for hit in detectors.find(text):
            found = {"line": number, "type": hit.type, "start": hit.start, "end": hit.end}
            say(orjson.dumps(found).decode())
    return 0


def _texts(file: Path) -> Iterator[str]:
    try:
        with file.open(encoding="utf-8", newline="\n") as lines:
            for number, line in enumerate(lines, 1):
                yield _text(line, file, number) if file.suffix in _JSON_LINES else line.rstrip("\r\n")
    except OSError as error:
        raise InvalidRequest(
            f"{file} can't be read: {error.strerror}.", next_step="Correct its name."
        ) from None
    except UnicodeDecodeError:
        raise InvalidRequest(f"{file} is not UTF-8.", next_step="Convert it.") from None


def _text(line: str, file: Path, number: int) -> str:
    try:
        text = orjson.loads(line)["text"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        text = None
    if not isinstance(text, str):
        raise InvalidRequest(
            f"{file}, line {number}: not a JSON object with a string in the field `text`.",
            next_step="Correct the line, or give a file of another name to have it read as text.",
        )
    return text
