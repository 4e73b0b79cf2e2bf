"""The `tracekeeper` command."""

import argparse
import sys
from collections.abc import Sequence

from functions.commands import (
    alerts,
    backtest,
    checks,
    compare,
    config,
    cost,
    coverage,
    detect,
    doctor,
    gate,
    inventory,
    ledger,
    policy,
    signing_key,
    silences,
    verify,
)
from functions.errors import TracekeeperError

_COMMANDS = (
    verify,
    ledger,
    detect,
    backtest,
    coverage,
    checks,
    cost,
    doctor,
    gate,
    compare,
    inventory,
    config,
    alerts,
    silences,
    policy,
    signing_key,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0 for yes, 1 for no, 2 for a wrong call."""
    options = _parser().parse_args(arguments)
    try:
        code: int = options.run(options, print)
    except TracekeeperError as error:
        print(f"tracekeeper: {error}", file=sys.stderr)
        return 1
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tracekeeper", description="Works with Tracekeeper's checks and evidence."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in _COMMANDS:
        command.add(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
