"""Finds the definition by which an alert is told, and what of it people see beside the alert. Pure."""

from collections.abc import Iterable, Mapping

from functions.alerts.alert import Alert
from functions.alerts.records import Json
from functions.alerts.told_as import told_as_it_is
from functions.checks.definition import CheckDefinition
from functions.config_subjects import OF_A_CHECK


class Definitions:
    """The definitions that alerts can be told by.

    Args:
        checks: The configured ones, and those of the watch's own alerts.
    """

    def __init__(self, checks: Iterable[CheckDefinition] = ()) -> None:
        self._checks: Mapping[str, CheckDefinition] = {check.id: check for check in checks}

    def of(self, alert: Alert) -> CheckDefinition | None:
        """Return the alert's definition; None where its check was removed."""
        about = alert.key.get("Check", "") if alert.check_id in OF_A_CHECK else alert.check_id
        check = self._checks.get(about)
        return check and told_as_it_is(alert, check)

    def named(self, alert: Alert) -> Json:
        """Return what the alert is called and counted in; nulls where its check was removed."""
        check = self.of(alert)
        return {"title": check and check.title, "unit": check and check.unit}

    def explained(self, alert: Alert) -> Json:
        """Return that, with what to do about the alert and when it means nothing; likewise."""
        check = self.of(alert)
        return self.named(alert) | {
            "triage": check and check.triage,
            "false_positives": check and check.false_positives,
        }


UNKNOWN = Definitions()
