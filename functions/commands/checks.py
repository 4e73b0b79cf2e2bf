"""`tracekeeper checks`: begins a new check."""

import argparse
import re
from collections.abc import Callable
from pathlib import Path

from functions.commands.scaffold import in_checkout, in_site

Say = Callable[[str], None]

_ID = re.compile(r"[a-z][a-z0-9_]{1,62}")
_LONGEST_TITLE = 120
"""As check.schema.json has them."""


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to those of the parser."""
    parser = commands.add_parser(
        "checks", help="begin a new check", description="Works with checks: see each command's --help."
    )
    _add_new(parser.add_subparsers(required=True, metavar="COMMAND"))


def _add_new(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "new",
        help="begin a check with its fixtures",
        description=(
            "Writes config/checks/ID.yaml with tests/checks/ID/fires.yaml and quiet.yaml into the checkout "
            "that is the current folder: a check that works, to be rewritten as docs/write-a-check.md shows. "
            "Exit code 0: written; 1: not, and why."
        ),
    )
    parser.add_argument("id", metavar="ID", type=_id, help="small letters, digits and underscores")
    parser.add_argument("--title", metavar="TEXT", type=_title, help="what is wrong when it finds something")
    parser.add_argument(
        "--into",
        metavar="FOLDER",
        type=Path,
        help="write checks/ID.yaml into the folder of your own config files instead, without fixtures",
    )
    parser.set_defaults(run=new)


def new(options: argparse.Namespace, say: Say) -> int:
    """Write a check's first files and say what comes next; return 0.

    Raises:
        ConfigurationError: A file is there already, or the folder is not the right one.
    """
    check_id, folder = options.id, options.into
    title = options.title or check_id.replace("_", " ").capitalize()
    scaffold = in_site(folder, check_id, title) if folder else in_checkout(Path(), check_id, title)
    scaffold.write()
    for path in scaffold.files:
        say(f"wrote {path}")
    if folder:
        say("Write your rule there. A checkout of Tracekeeper can hold it to fixtures; here, try the past:")
        say(f"  CONFIG_DIRECTORY={folder} tracekeeper backtest {check_id}")
    else:
        say("Write your rule and its cases there, as docs/write-a-check.md shows, and run them:")
        say(f"  .venv/bin/python -m pytest tests/checks/test_fixtures.py -k {check_id}")
    return 0


def _id(text: str) -> str:
    if not _ID.fullmatch(text):
        raise argparse.ArgumentTypeError("must be 2 to 63 small letters, digits and underscores")
    return text


def _title(text: str) -> str:
    if not (text.strip() and text.isprintable() and len(text) <= _LONGEST_TITLE):
        raise argparse.ArgumentTypeError(f"must be one line of at most {_LONGEST_TITLE} characters")
    return text
