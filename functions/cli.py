"""The `tracekeeper` command."""

import argparse
import sys
from collections.abc import Iterable, Sequence
from importlib import import_module

from functions.errors import TracekeeperError

_COMMANDS = (
    "verify",
    "ledger",
    "detect",
    "backtest",
    "coverage",
    "checks",
    "cost",
    "doctor",
    "gate",
    "compare",
    "inventory",
    "config",
    "alerts",
    "silences",
    "policy",
    "signing-key",
)
"""As the help lists them; each is a module of functions/commands."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0 for yes, 1 for no, 2 for a wrong call."""
    given = sys.argv[1:] if arguments is None else arguments
    # Only what is asked for is loaded: all commands together take longer than most of them do.
    asked = [name for name in _COMMANDS if name in given[:1]]
    options = _parser(asked or _COMMANDS).parse_args(given)
    try:
        code: int = options.run(options, print)
    except TracekeeperError as error:
        print(f"tracekeeper: {error}", file=sys.stderr)
        return 1
    return code


def _parser(names: Iterable[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tracekeeper", description="Works with Tracekeeper's checks and evidence."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name in names:
        import_module(f"functions.commands.{name.replace('-', '_')}").add(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
