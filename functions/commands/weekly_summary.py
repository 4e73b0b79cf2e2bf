"""`tracekeeper alerts summary`: what the seven days before a day came to, as the weekly summary tells it."""

import argparse
from collections.abc import Callable
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from functions.alerts.rules import WeeklySummary
from functions.commands.record import open_record
from functions.costs.costs import Costs
from functions.settings import read_logs_settings
from functions.summary.gathering import Gathering
from functions.summary.table import summary_lines
from functions.summary.weekly import Gatherer
from functions.weeks import WeekBefore

Say = Callable[[str], None]


def add(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to those of `tracekeeper alerts`."""
    parser = actions.add_parser(
        "summary",
        help="say what a week came to",
        description=(
            "Prints what the weekly summary tells: runs, alerts, cost, waste, coverage, reviews. The "
            "settings STORAGE_BLOB_ENDPOINT and LOGS_WORKSPACE_ID or LOGS_RESOURCE_ID say where; sign "
            "in with `az login`. Exit code 0: all is known; 1: something is not, and why."
        ),
    )
    parser.add_argument(
        "--before",
        metavar="DAY",
        type=date.fromisoformat,
        help="the seven days before this one, for example 2026-11-23; today by default",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, say: Say) -> int:
    """Print the summary; return 0 where all of it is known, else 1.

    Raises:
        TracekeeperError: A setting or a config file is wrong.
    """
    from functions.clients import log_source  # noqa: PLC0415 - other commands need none of Azure's packages

    now = datetime.now(UTC)
    documents, configuration = open_record()
    source = log_source(read_logs_settings())
    costs = Costs(source, configuration.agents, configuration.prices, tenant_pseudonym=str, clock=lambda: now)
    gathering = Gathering(documents, source, costs, configuration, clock=lambda: now)
    return summary(options.before, gathering, configuration.alerts.weekly_summary, now, say)


def summary(
    before: date | None, gathering: Gatherer, rule: WeeklySummary | None, now: datetime, say: Say
) -> int:
    """Print the summary of the days before a day, by the midnights of the rule's time zone or UTC's.

    Args:
        before: The day; None for today.
        gathering: Makes the summary.
        rule: When summaries are told; None where none is.
        now: The present instant.
        say: Prints a line.
    """
    zone = rule.zone if rule else "UTC"
    week = gathering.gather(WeekBefore(before or now.astimezone(ZoneInfo(zone)).date(), zone))
    for line in summary_lines(week):
        say(line)
    return 1 if week["unknown"] else 0
