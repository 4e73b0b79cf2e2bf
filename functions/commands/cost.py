"""`tracekeeper cost`: what agents cost, what of it was in vain, and what their telemetry weighs."""

import argparse
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from functions.commands.advice import advised
from functions.commands.cost_report import cost_lines, telemetry_lines, waste_lines
from functions.configuration import SHIPPED, load_configuration
from functions.costs.costs import Costs
from functions.costs.question import LONGEST, parse_question
from functions.errors import ConfigurationError
from functions.evidence.redaction.pseudonyms import Pseudonyms
from functions.settings import read_logs_settings, read_pseudonym_key

TENANT = "tenant"
"""The breakdown by tenant, and the domain of their pseudonyms, as in exports."""

Say = Callable[[str], None]


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to those of the parser."""
    parser = commands.add_parser(
        "cost",
        help="say what agents cost, and what of it was in vain",
        description=(
            "Puts prices to the model calls of past days. The settings LOGS_WORKSPACE_ID or LOGS_RESOURCE_ID "
            "say where to ask; sign in with `az login`. Exit code 0: reported; 1: could not be."
        ),
    )
    parser.add_argument(
        "--days", metavar="N", type=_days, default=7, help="whole days (UTC) before today; 7 by default"
    )
    parser.add_argument("--start", metavar="DAY", help="the first day, for example 2026-11-01; with --end")
    parser.add_argument("--end", metavar="DAY", help="the day after the last")
    parser.add_argument(
        "--by",
        metavar="X",
        default="agent",
        help="agent, group, owner, environment, release, tenant, model or a dimension; agent by default",
    )
    parser.add_argument("--csv", metavar="FILE", type=Path, help="write the groups there, too")
    parser.add_argument(
        "--waste", action="store_true", help="say what was paid in vain, and the gigabytes of telemetry"
    )
    parser.set_defaults(run=run, refuse=parser.error)


def run(options: argparse.Namespace, say: Say) -> int:
    """Report from Azure; return 0.

    Raises:
        TracekeeperError: A setting or option is wrong, or no complete answer came.
    """
    from functions.clients import log_source  # noqa: PLC0415 - other commands need none of Azure's packages

    if (options.start is None) != (options.end is None):
        options.refuse("--start and --end belong together")
    now = datetime.now(UTC)
    settings = read_logs_settings()
    pseudonym: Callable[[str], str] = str
    if options.by == TENANT:
        pseudonym = partial(Pseudonyms(*read_pseudonym_key()).of, TENANT)
    configuration = load_configuration(
        SHIPPED,
        *([settings.config_directory] if settings.config_directory else []),
        environment=settings.environment_name,
    )
    costs = Costs(
        log_source(settings),
        configuration.agents,
        configuration.prices,
        tenant_pseudonym=pseudonym,
        clock=lambda: now,
    )
    report_cost(options, costs, now, say)
    return 0


def report_cost(options: argparse.Namespace, costs: Costs, now: datetime, say: Say) -> None:
    """Report what `options` ask for. Raises as `run` does."""
    today = now.date()
    start, end = options.start or str(today - timedelta(days=options.days)), options.end or str(today)
    question = parse_question({"start": start, "end": end, "by": options.by}, costs.dimensions)
    with advised():
        report = costs.report(question)
    for line in cost_lines(report):
        say(line)
    if options.waste:
        with advised():
            found, volume = costs.waste(question.period), costs.telemetry(question.period)
        for line in (*waste_lines(found), *telemetry_lines(volume)):
            say(line)
    if options.csv:
        _write(options.csv, report.csv())
        say("")
        say(f"The groups are in {options.csv}.")


def _write(path: Path, table: bytes) -> None:
    try:
        path.write_bytes(table)
    except OSError as error:
        raise ConfigurationError(
            f"{path} can't be written ({type(error).__name__}).", next_step="Name another file."
        ) from error


def _days(text: str) -> int:
    days = int(text)
    if not 1 <= days <= LONGEST.days:
        raise argparse.ArgumentTypeError(f"must be 1 to {LONGEST.days}")
    return days
