"""Builds a watch: what it judges by, whom it tells, and what keeps it quiet."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

from functions.checks.definition import CheckDefinition
from functions.clients import Clients
from functions.configuration import Configuration
from functions.delivery.channels import channels
from functions.silences.store import SilenceStore
from functions.watch.quieting import Quieting
from functions.watch.turn import Judge, Sweeper
from functions.watch.watch import Watch


def watch_over(
    clients: Clients,
    configuration: Configuration,
    judge: Judge,
    checks: Sequence[CheckDefinition],
    *,
    quiet: int | None = None,
    sweeper: Sweeper | None = None,
    announcements: bool = False,
) -> Watch:
    """Return a watch over `checks`; `quiet` goes before resolve_after_quiet and keep_open_for."""
    rules = configuration.alerts
    if quiet is not None:
        rules = replace(rules, resolve_after_quiet=quiet, keep_open_for=timedelta(0))
    silencing = partial(SilenceStore(clients.documents, clock=_now).quieting, rules.agent_owners)
    return Watch(
        documents=clients.documents,
        runner=judge,
        checks=checks,
        rules=rules,
        channels=channels(clients.settings, configuration),
        clock=_now,
        sweeper=sweeper,
        announcements=announcements,
        quieting=Quieting(clients.documents, rules, silencing).begin,
    )


def _now() -> datetime:
    return datetime.now(UTC)
