"""`tracekeeper compare`: how a release of an agent differs from the one before, for whoever reviews it."""

import argparse
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson

from functions.commands.advice import advised
from functions.configuration import SHIPPED, Configuration, load_configuration
from functions.errors import ConfigurationError, NotFound
from functions.release.compare import compare
from functions.release.compare_facts import read_runs
from functions.release.compare_html import page
from functions.release.compare_markdown import markdown
from functions.release.compare_words import Comparison
from functions.settings import read_logs_settings
from functions.traces.source import TraceSource

Say = Callable[[str], None]

_MOST_DAYS = 90
_LENGTH = re.compile(r"(\d{1,4})([hd])", re.ASCII)


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to those of the parser."""
    parser = commands.add_parser(
        "compare",
        help="say how a release differs from the one before",
        description=(
            "Compares the runs of two releases: look-ups kept, tools, errors, duration, tokens, cost. The "
            "settings LOGS_WORKSPACE_ID or LOGS_RESOURCE_ID say where to ask; sign in with `az login`. Exit "
            "code 0: compared; 1: a difference that --fail-on names, or they could not be compared; 2: a "
            "wrong call."
        ),
    )
    parser.add_argument("--old", metavar="RELEASE", required=True, help="the release before, as AppVersion")
    parser.add_argument("--new", metavar="RELEASE", required=True, help="the release after")
    parser.add_argument("--agent", metavar="NAME", default="", help="only this agent; all by default")
    parser.add_argument(
        "--since",
        metavar="WHEN",
        type=_since,
        default=timedelta(days=30),
        help=f"from when on: 12h, 14d or 2026-11-01, at most {_MOST_DAYS} days ago; 30d by default",
    )
    parser.add_argument("--format", choices=tuple(_FORMATS), default="md", help="md by default")
    parser.add_argument("--out", metavar="FILE", type=Path, help="write it there, and print the differences")
    parser.add_argument(
        "--fail-on",
        choices=("regressions", "differences"),
        help="exit with 1 where one for the worse, or any, is found",
    )
    parser.set_defaults(run=run, refuse=parser.error)


def run(options: argparse.Namespace, say: Say) -> int:
    """Compare on Azure and report; return the exit code.

    Raises:
        TracekeeperError: A setting is wrong, a release has no run, or no complete answer came.
    """
    from functions.clients import log_source  # noqa: PLC0415 - other commands need none of Azure's packages

    if options.old == options.new:
        options.refuse("--old and --new are the same release")
    settings = read_logs_settings()
    configuration = load_configuration(
        SHIPPED,
        *([settings.config_directory] if settings.config_directory else []),
        environment=settings.environment_name,
    )
    return report_comparison(options, configuration, log_source(settings), datetime.now(UTC), say)


def report_comparison(
    options: argparse.Namespace, configuration: Configuration, source: TraceSource, now: datetime, say: Say
) -> int:
    """Compare what `options` name on `source`; return the exit code. Raises as `run` does.

    Args:
        options: As `add` has them parsed.
        configuration: What config files decide.
        source: Whom to ask.
        now: The present instant, UTC.
        say: Prints a line.
    """
    since = now - options.since if isinstance(options.since, timedelta) else options.since
    if not now - timedelta(days=_MOST_DAYS) <= since < now:
        options.refuse(f"--since must lie within the last {_MOST_DAYS} days")
    with advised():
        runs = read_runs(
            source,
            configuration.agents,
            configuration.prices,
            (options.old, options.new),
            since=since,
            until=now,
            agent=options.agent,
        )
    for option in ("old", "new"):
        if not any(run.release == getattr(options, option) for run in runs):
            raise NotFound(
                f"No run of the release of --{option} was found in that time.",
                next_step="Check its name (AppVersion), --agent and --since.",
            )
    prices = configuration.prices
    found = Comparison(
        options.old,
        options.new,
        since,
        now,
        compare(runs, configuration.agents, options.old, options.new),
        prices.currency,
        prices.as_of,
    )
    written = _FORMATS[options.format](found)
    if options.out:
        _write(options.out, written)
        counts = f"{found.differences} differences, {found.worse} for the worse"
        say(f"{counts}. The comparison is in {options.out}.")
    else:
        say(written.rstrip("\n"))
    failing = {"regressions": found.worse, "differences": found.differences}.get(options.fail_on, 0)
    return 1 if failing else 0


def _json(comparison: Comparison) -> str:
    return orjson.dumps(comparison.body(), option=orjson.OPT_INDENT_2).decode() + "\n"


_FORMATS: dict[str, Callable[[Comparison], str]] = {"html": page, "md": markdown, "json": _json}


def _write(path: Path, written: str) -> None:
    try:
        path.write_text(written, encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(
            f"{path} can't be written ({type(error).__name__}).", next_step="Name another file."
        ) from error


def _since(text: str) -> timedelta | datetime:
    length = _LENGTH.fullmatch(text)
    if length:
        return timedelta(**{{"h": "hours", "d": "days"}[length[2]]: int(length[1])})
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError("must look like 12h, 14d or 2026-11-01") from None
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
