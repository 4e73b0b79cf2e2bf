"""`tracekeeper coverage`: says what each check has really seen, and whether that is all."""

import argparse
from collections.abc import Callable
from datetime import UTC, datetime

from functions.commands.coverage_report import covered, details, overview
from functions.commands.record import kept_days, open_record, read_states
from functions.configuration import Configuration
from functions.errors import ConfigurationError
from functions.storage.documents import Documents

Say = Callable[[str], None]


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to those of the parser."""
    parser = commands.add_parser(
        "coverage",
        help="say what each check has really seen",
        description=(
            "Reads what the watch keeps in storage: how much of the time each check has evaluated, what kept "
            "it from more, what came late, what it asked. The setting STORAGE_BLOB_ENDPOINT says where; sign "
            "in with `az login`. Exit code 0: no gaps, and no check keeps failing, is blind or behind; 1: "
            "there is something, or it can't be known."
        ),
    )
    parser.add_argument(
        "check", metavar="CHECK", nargs="?", help="one check's id, for all that is known of it"
    )
    parser.add_argument("--days", metavar="N", type=kept_days, default=7, help="1 to 35; 7 by default")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, say: Say) -> int:
    """Report on Azure's storage; return 0 where all was seen, else 1.

    Raises:
        TracekeeperError: There is no such check, a setting is wrong, or nothing can be read.
    """
    return coverage(options, *open_record(), datetime.now(UTC), say)


def coverage(
    options: argparse.Namespace, documents: Documents, configuration: Configuration, now: datetime, say: Say
) -> int:
    """Report what `options` ask for. Returns and raises as `run` does."""
    checks = [one for one in configuration.checks if options.check in {None, one.id}]
    if not checks:
        known = ", ".join(check.id for check in configuration.checks)
        raise ConfigurationError(f"There is no check {options.check!r}.", next_step=f"Known: {known}.")
    states = read_states(documents, checks)
    failing_after = configuration.alerts.report_failure_after
    seen = [
        covered(check, states[check.id], options.days, now, failing_after=failing_after) for check in checks
    ]
    for line in overview(seen, options.days, now):
        say(line)
    for line in details(seen[0]) if options.check else ():
        say(line)
    return 1 if any(one.faults for one in seen) else 0
