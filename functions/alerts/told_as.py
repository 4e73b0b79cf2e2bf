"""Decides by which definition people are told of an alert. Pure."""

from collections.abc import Callable

from functions.alerts.alert import Alert, Notice
from functions.alerts.failures import CHECK_FAILED, failure_check
from functions.alerts.outbox import Telling
from functions.alerts.watchfulness import CHECK_BEHIND, CHECK_BLIND, behind_check, blind_check
from functions.checks.definition import CheckDefinition
from functions.errors import TracekeeperError

ToldAs = Callable[[Alert, CheckDefinition], CheckDefinition]
"""Returns the definition that an alert is told by, given that of its check."""


def told_as_it_is(alert: Alert, check: CheckDefinition) -> CheckDefinition:
    """Return the definition of the check itself, or of what is wrong with the check."""
    about = {CHECK_FAILED: failure_check, CHECK_BEHIND: behind_check, CHECK_BLIND: blind_check}
    return about[alert.check_id](check) if alert.check_id in about else check


def told_of(telling: Telling, told_as: ToldAs) -> tuple[Notice, CheckDefinition]:
    """Return a notice with what it is told as.

    Raises:
        TracekeeperError: It is none, or came without the check in whose document it waited.
    """
    if not isinstance(telling.news, Notice) or telling.check is None:
        raise TracekeeperError("A notice came without its check.", next_step="Deploy a later version.")
    return telling.news, told_as(telling.news.alert, telling.check)
