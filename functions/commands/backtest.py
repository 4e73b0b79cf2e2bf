"""`tracekeeper backtest`: asks once about past days and says when a check would have fired."""

import argparse
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
from jsonschema import Draft202012Validator

from functions.checks.backtest import firings, past_windows, series
from functions.checks.definition import CheckDefinition, Condition, duration
from functions.checks.evaluation import judge
from functions.checks.measurement import measurements
from functions.checks.question import question
from functions.checks.windows import Batch
from functions.commands.advice import advised
from functions.commands.backtest_report import plots, report, scored
from functions.commands.labels import read_labels
from functions.configuration import SHIPPED, Configuration, load_configuration
from functions.errors import ConfigurationError
from functions.settings import read_logs_settings
from functions.traces.source import Rows, TraceSource

_MOST_DAYS = 90

Say = Callable[[str], None]


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to those of the parser."""
    parser = commands.add_parser(
        "backtest",
        help="say when a check would have fired in the past",
        description=(
            "Judges a check over past days with one query and says when it would have fired. The settings "
            "LOGS_WORKSPACE_ID or LOGS_RESOURCE_ID say where to ask; sign in with `az login`. Exit code 0: "
            "judged; 1: could not be."
        ),
    )
    parser.add_argument(
        "check", metavar="CHECK", help="the check's id, as its file in config/checks is called"
    )
    parser.add_argument("--days", metavar="N", type=_days, default=7, help=f"1 to {_MOST_DAYS}; 7 by default")
    parser.add_argument(
        "--set",
        metavar="OPTION=VALUE",
        dest="changes",
        type=_change,
        action="append",
        default=[],
        help="try another value of an option of the check's condition",
    )
    parser.add_argument(
        "--labels",
        metavar="FILE",
        type=Path,
        help="JSON lines, each with trace_id and the field --label names",
    )
    parser.add_argument("--label", metavar="NAME", help="the field that is true where the check should fire")
    parser.set_defaults(run=run, refuse=parser.error)


def run(options: argparse.Namespace, say: Say) -> int:
    """Backtest on Azure and report; return 0.

    Raises:
        TracekeeperError: There is no such check, a setting or option is wrong, or no complete answer came.
    """
    from functions.clients import content_source, log_source  # noqa: PLC0415 - other commands need none of Azure's packages

    if (options.labels is None) != (options.label is None):
        options.refuse("--labels and --label belong together")
    settings = read_logs_settings()
    configuration = load_configuration(
        SHIPPED,
        *([settings.config_directory] if settings.config_directory else []),
        environment=settings.environment_name,
    )
    backtest(
        options,
        configuration,
        log_source(settings),
        datetime.now(UTC),
        say,
        content=content_source(settings),
    )
    return 0


def backtest(
    options: argparse.Namespace,
    configuration: Configuration,
    source: TraceSource,
    now: datetime,
    say: Say,
    *,
    content: TraceSource | None = None,
) -> None:
    """Backtest what `options` name on `source` and report. Raises as `run` does.

    Args:
        options: As `add` has them parsed.
        configuration: What config files decide.
        source: Whom to ask.
        now: The present instant, UTC.
        say: Prints a line.
        content: As for `Runner`.
    """
    check = with_options(_check(options.check, configuration), dict(options.changes))
    labels = read_labels(options.labels, options.label) if options.labels else None
    batch = past_windows(check, options.days, now)
    rows = _ask(check, batch, configuration, source, content)
    judgement = judge(check, rows, batch, configuration.agents)
    points = series(check, measurements(check, rows, batch.width), judgement, batch)
    rules = configuration.alerts
    fired = firings(
        check,
        judgement.judged,
        resolve_after_quiet=rules.resolve_after_quiet,
        keep_open_for=rules.keep_open_for,
    )
    for line in report(check, batch, judgement, fired):
        say(line)
    for line in () if labels is None else scored(fired, judgement, labels):
        say(line)
    for line in plots(check, points, batch):
        say(line)


def with_options(check: CheckDefinition, changes: Mapping[str, Any]) -> CheckDefinition:
    """Return the check with other options of its condition.

    Raises:
        ConfigurationError: The condition has no such option or the option no such value, as
            check.schema.json says.
    """
    condition = check.condition
    schema = orjson.loads((SHIPPED / "schemas" / "check.schema.json").read_bytes())
    known = schema["properties"]["condition"]["properties"][condition.kind].get("properties", {})
    for name, value in changes.items():
        if name not in known:
            raise ConfigurationError(
                f"--set: the condition {condition.kind} has no option {name!r}.",
                next_step=f"Known: {', '.join(known) or 'none'}.",
            )
        for error in Draft202012Validator({"$defs": schema["$defs"], **known[name]}).iter_errors(value):
            advice = error.schema.get("description") or known[name].get("description", "Give another value.")
            raise ConfigurationError(f"--set {name}: the schema refuses this value.", next_step=advice)
    options = dict(changes)
    metric = options.pop("metric", condition.metric)
    numbers = {
        name: duration(value) / timedelta(minutes=1) if isinstance(value, str) else value
        for name, value in options.items()
    }
    return replace(check, condition=Condition(condition.kind, {**condition.options, **numbers}, metric))


def _check(check_id: str, configuration: Configuration) -> CheckDefinition:
    for check in configuration.checks:
        if check.id == check_id:
            return check
    known = ", ".join(check.id for check in configuration.checks)
    raise ConfigurationError(f"There is no check {check_id!r}.", next_step=f"Known: {known}.")


def _ask(
    check: CheckDefinition,
    batch: Batch,
    configuration: Configuration,
    source: TraceSource,
    content: TraceSource | None,
) -> Rows:
    asked = question(
        check, batch, configuration.agents, configuration.prices, content_apart=content is not None
    )
    with advised():
        return asked.ask(source, content)


def _days(text: str) -> int:
    days = int(text)
    if not 1 <= days <= _MOST_DAYS:
        raise argparse.ArgumentTypeError(f"must be 1 to {_MOST_DAYS}")
    return days


def _change(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise argparse.ArgumentTypeError("must look like threshold=30")
    try:
        return name, orjson.loads(value)
    except orjson.JSONDecodeError:
        return name, value  # a duration or a word
