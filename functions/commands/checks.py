"""`tracekeeper checks`: begins a new check, and says what asking costs."""

import argparse
import math
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from functions.commands.asking_report import CHARGED, charged_a_question, month, report
from functions.commands.record import kept_days, open_record, read_states
from functions.commands.scaffold import in_checkout, in_site
from functions.configuration import Configuration
from functions.storage.documents import Documents

Say = Callable[[str], None]

_ID = re.compile(r"[a-z][a-z0-9_]{1,62}")
_LONGEST_TITLE = 120
"""As check.schema.json has them."""


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to those of the parser."""
    parser = commands.add_parser(
        "checks",
        help="begin a new check, or say what asking costs",
        description="Works with checks: see each command's --help.",
    )
    below = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_new(below)
    _add_cost(below)


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


def _add_cost(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "cost",
        help="estimate what a month of asking costs",
        description=(
            "Reads what the watch keeps in storage of its questions, and estimates a month of them by check: "
            "questions, rows, time of the engine, data read, and the bill of tables that charge for queries. "
            "The setting STORAGE_BLOB_ENDPOINT says where; sign in with `az login`. Exit code 0: estimated; "
            "1: could not be."
        ),
    )
    parser.add_argument("--days", metavar="N", type=kept_days, default=7, help="1 to 35; 7 by default")
    parser.add_argument(
        "--charged",
        metavar="TABLE=GB",
        type=_charged,
        action="append",
        default=[],
        help=f"a table on the Basic plan ({' or '.join(CHARGED)}) and the GB that it takes in a day",
    )
    parser.add_argument(
        "--price",
        metavar="AMOUNT",
        type=_amount,
        help=(
            "what a GB of data scanned costs in your region: 'Search queries' of Basic Logs at "
            "https://azure.microsoft.com/pricing/details/monitor/"
        ),
    )
    parser.set_defaults(run=run_cost, refuse=parser.error)


def run_cost(options: argparse.Namespace, say: Say) -> int:
    """Estimate from Azure's storage; return 0.

    Raises:
        TracekeeperError: A setting is missing, or nothing can be read.
    """
    if bool(options.charged) != (options.price is not None):
        options.refuse("--charged and --price belong together")
    cost(options, *open_record(), datetime.now(UTC), say)
    return 0


def cost(
    options: argparse.Namespace, documents: Documents, configuration: Configuration, now: datetime, say: Say
) -> None:
    """Estimate what `options` ask for. Raises as `run_cost` does."""
    states, charged = read_states(documents, configuration.checks), dict(options.charged)
    months = [
        month(
            check,
            states[check.id],
            options.days,
            now,
            charged_a_question(check, configuration, charged, now),
        )
        for check in configuration.checks
    ]
    for line in report(months, options.days, options.price, now):
        say(line)


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


def _charged(text: str) -> tuple[str, float]:
    table, _, size = text.partition("=")
    if table not in CHARGED:
        raise argparse.ArgumentTypeError(f"must begin with {' or '.join(CHARGED)}, as in {CHARGED[0]}=2.5")
    return table, _amount(size)


def _amount(text: str) -> float:
    try:
        amount = float(text)
    except ValueError:
        amount = math.nan
    if not (math.isfinite(amount) and amount > 0):
        raise argparse.ArgumentTypeError("must be a number above 0")
    return amount


def _id(text: str) -> str:
    if not _ID.fullmatch(text):
        raise argparse.ArgumentTypeError("must be 2 to 63 small letters, digits and underscores")
    return text


def _title(text: str) -> str:
    if not (text.strip() and text.isprintable() and len(text) <= _LONGEST_TITLE):
        raise argparse.ArgumentTypeError(f"must be one line of at most {_LONGEST_TITLE} characters")
    return text
