"""`tracekeeper gate`: whether the agents of a release are traced as they must be, before it goes out."""

import argparse
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from functions.configuration import SHIPPED, load_configuration
from functions.errors import ConfigurationError, TracekeeperError
from functions.release.azure_cli import AzCommand, AzureCli
from functions.release.gate_app import settings_from_azure, settings_from_file
from functions.release.gate_azure import read_component, read_diagnostics, read_workspace
from functions.release.gate_config import RELEASE_FILE, load_policy
from functions.release.gate_facts import Component, Facts, LastHour, Unknown
from functions.release.gate_policy import Policy
from functions.release.gate_report import GateReport, as_azure, as_github, as_json, as_junit, as_lines
from functions.release.gate_rules import verdicts
from functions.release.gate_traces import read_last_hour
from functions.release.gate_verdicts import judge, unmatched
from functions.settings import read_config_directory, read_logs_settings
from functions.traces.agents import Attributes

Say = Callable[[str], None]


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to those of the parser."""
    parser = commands.add_parser(
        "gate",
        help="stop a release of agents that are not traced as they must be",
        description=(
            "Judges the agents' settings, their component and workspace, and the last hour's traces by "
            "release.yaml. Asks Azure through `az`; LOGS_RESOURCE_ID or LOGS_WORKSPACE_ID say where traces "
            "are. Exit code 0: the release may go on; 1: it may not; 2: wrong call."
        ),
    )
    app = parser.add_mutually_exclusive_group(required=True)
    app.add_argument("--app", metavar="ID", help="the resource id of the agents' app (or its slot)")
    app.add_argument("--settings", metavar="FILE", type=Path, help="its settings, as JSON or NAME=value")
    parser.add_argument("--container", metavar="NAME", help="the agents' container, where an app has several")
    parser.add_argument("--component", metavar="ID", required=True, help="its Application Insights component")
    parser.add_argument("--environment", metavar="NAME", required=True, help="where it is released to")
    parser.add_argument("--policy", metavar="FILE", type=Path, default=RELEASE_FILE, help="your release.yaml")
    parser.add_argument("--release", metavar="VERSION", help="the release; others' runs are not looked at")
    parser.add_argument(
        "--agent", metavar="NAME", action="append", default=[], help="an agent of it; all by default"
    )
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the report there")
    parser.add_argument("--junit", metavar="FILE", type=Path, help="write it as JUnit XML there")
    parser.add_argument(
        "--annotations", choices=("github", "azure"), help="print commands that your pipeline shows"
    )
    parser.set_defaults(run=run, refuse=parser.error)


def run(options: argparse.Namespace, say: Say) -> int:
    """Judge and report; return 0 where the release may go on, else 1.

    Raises:
        ConfigurationError: release.yaml is wrong, or a report can't be written.
    """
    if options.container and not options.app:
        options.refuse("--container needs --app")
    now = datetime.now(UTC)
    policy = load_policy(options.policy, options.environment)
    facts = read_facts(options, policy, AzCommand(), now)
    found = verdicts(facts, policy, options.release)
    report = GateReport(
        policy.environment,
        options.release,
        now,
        judge(found, policy.exceptions, now.date()),
        unmatched(found, policy.exceptions),
    )
    _tell(options, report, say)
    return 0 if report.open else 1


def read_facts(options: argparse.Namespace, policy: Policy, azure: AzureCli, now: datetime) -> Facts:
    """Read all that the rules judge; what can't be read is Unknown."""
    component = read_component(azure, options.component)
    unlinked = Unknown("The component's workspace is not known.", "See the rule `workspace`.")
    customer_id, retention = (
        read_workspace(azure, component.workspace_id)
        if isinstance(component, Component) and component.workspace_id
        else (unlinked, unlinked)
    )
    attributes, last_hour = _traces(options.agent, options.release, now)
    return Facts(
        settings=settings_from_azure(azure, options.app, options.container)
        if options.app
        else settings_from_file(options.settings),
        component=component,
        customer_id=customer_id,
        retention=retention,
        diagnostics={one.resource_id: read_diagnostics(azure, one.resource_id) for one in policy.diagnostics},
        last_hour=last_hour,
        attributes=attributes,
    )


def _traces(
    agents: Sequence[str], release: str | None, now: datetime
) -> tuple[Attributes, LastHour | Unknown]:
    from functions.clients import log_source  # noqa: PLC0415 - other commands need none of Azure's packages

    folder = read_config_directory()
    attributes = load_configuration(SHIPPED, *([folder] if folder else [])).agents.attributes
    try:
        settings = read_logs_settings()
        place = settings.logs_resource_id or settings.logs_workspace_id or ""
        return attributes, read_last_hour(
            log_source(settings), attributes, place=place, now=now, agents=agents, release=release
        )
    except TracekeeperError as error:
        return attributes, Unknown(error.message, error.next_step)


def _tell(options: argparse.Namespace, report: GateReport, say: Say) -> None:
    for path, write in ((options.json, as_json), (options.junit, as_junit)):
        if path is not None:
            _write(path, write(report))
    for line in as_lines(report):
        say(line)
    annotations = {"github": as_github, "azure": as_azure}.get(options.annotations)
    for line in annotations(report) if annotations else ():
        say(line)


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise ConfigurationError(
            f"{path} can't be written ({type(error).__name__}).", next_step="Name another file."
        ) from error
