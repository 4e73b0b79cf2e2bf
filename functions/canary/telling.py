"""Tells people what can't be seen: one alert a path, with the missing role and how to grant it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from functions.alerts.alert import Alert
from functions.alerts.told_as import told_as_it_is
from functions.canary.sight import CONTENT, FRESH, SPANS, WORDS, NeedSight, Sight
from functions.checks.definition import CheckDefinition, without_query
from functions.checks.finding import Finding, JudgedWindow, Window

SOURCE_BLIND = "source_blind"
"""Stands for a check's id in the alerts about sight."""

ROLE = "Privileged Monitoring Data Reader"
"""Who lacks it (id dbc9c667-e97f-4491-aee6-90b9cf960190) gets no rows of a protected table, and no error."""

PATHS = {SPANS: "AppDependencies", CONTENT: "AppGenAIContent"}
"""A need, and the table by which it is watched."""

SIGHT_CHECK = replace(
    without_query(
        SOURCE_BLIND,
        title="Checks can't see what they judge",
        severity="high",
        owner="platform",
        every=timedelta(minutes=5),
        key=("Path",),
        shows=("Answer", "MissingRole", "SendingError"),
        unit="blind checks",
        false_positives="A short delay of Azure Monitor ends by itself: no window is lost, only late.",
        triage="Look at the answer; docs/checks.md has what each of them asks for.",
    ),
    windows_in_a_row=3,
)
"""What the alerts are told as. Its judge is `looking.Looking`: it has no query of its own."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Who asks, and where: the identity's client id, and the workspace's GUID or a resource's ARM id."""

    client_id: str
    workspace_id: str | None
    resource_id: str | None

    def grant(self) -> str:
        """Return the command that gives this reader the role on its workspace."""
        if self.resource_id is None:
            scope = (
                '"$(az monitor log-analytics workspace list '
                f'--query "[?customerId==\'{self.workspace_id}\'].id" -o tsv)"'
            )
        elif "/microsoft.operationalinsights/workspaces/" in self.resource_id.lower():
            scope = f'"{self.resource_id}"'
        else:
            scope = (
                f'"$(az resource show --ids "{self.resource_id}" '
                '--query properties.WorkspaceResourceId -o tsv)"'
            )
        return f'az role assignment create --assignee {self.client_id} --role "{ROLE}" --scope {scope}'

    def told_as(self, alert: Alert, check: CheckDefinition) -> CheckDefinition:
        """Return the definition by which a card tells of an alert: with what its answer asks for."""
        if alert.check_id != SOURCE_BLIND:
            return told_as_it_is(alert, check)
        answer = alert.shows.get("Answer")
        steps: dict[str, str] = {
            WORDS[
                "not_allowed"
            ]: f"Give the app's identity the role {ROLE} on the workspace: run the command.",
            WORDS["moved"]: _MOVED_STEP,
            WORDS["late"]: _LATE_STEP,
            WORDS["unknown"]: _UNKNOWN_STEP,
        }
        lacking = answer == WORDS["not_allowed"] and alert.state == "open"
        granted = self.grant() if lacking else ""
        return replace(check, triage=steps.get(str(answer), check.triage), command=granted)


_MOVED_STEP = (
    "Find out who changed where content is kept: in the ordinary tables every reader of the workspace sees "
    "it. Where that was meant, let CONTENT_ROUTING say where it lies now."
)
_LATE_STEP = (
    "Look at the health of Azure Monitor in this region. What came late is judged as soon as it is there."
)
_UNKNOWN_STEP = (
    "Look for the function send_canary in the app's log. The app's identity needs the role Monitoring "
    "Metrics Publisher on the component that CANARY_CONNECTION_STRING names. Without it no run is sent."
)


def judged(
    sight: Sight, checks: Sequence[CheckDefinition], *, window: Window, not_sent: str | None
) -> JudgedWindow:
    """Return what people have to hear of: one finding for each path that can't be seen.

    Args:
        sight: What could be seen at the end of `window`.
        checks: Those that can be blind.
        window: The time since the last question.
        not_sent: The kind of error of the latest marker run; None where it was accepted.
    """
    found, unjudged = [], []
    for need, known in sight.needs.items():
        key = {"Path": PATHS[need]}
        if known.answer == "pass":
            continue
        if known.answer == "unknown" and not _worth_telling(need, known, sight):
            unjudged.append(key)
            continue
        blind = sum(need in check.needs for check in checks)
        shows = {
            "Answer": WORDS[known.answer],
            "MissingRole": ROLE if known.answer == "not_allowed" else "",
            "SendingError": not_sent or "",
        }
        found.append(Finding(SOURCE_BLIND, key, window, float(blind), None, 1, (), shows))
    return JudgedWindow(window, tuple(found), unjudged=tuple(unjudged))


def _worth_telling(need: str, unknown: NeedSight, sight: Sight) -> bool:
    """Tell of what nobody knows once it lasts, and of one cause once."""
    spans = sight.needs.get(SPANS)
    same_cause = need == CONTENT and spans is not None and spans.answer != "pass"
    return not same_cause and sight.asked_at - unknown.since >= FRESH
