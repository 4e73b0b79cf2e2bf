"""The routes of those who are called: see alerts, take one on, silence what is known of."""

from functions.access.ledger import fingerprint
from functions.access.roles import Role
from functions.alerts import reading
from functions.alerts.definitions import Definitions
from functions.alerts.records import instant_text
from functions.canary.telling import SIGHT_CHECK
from functions.delivery.delivery_failed import DELIVERY_CHECK
from functions.errors import InvalidRequest
from functions.evidence.seals.record_at_risk import RECORD_CHECK
from functions.overlay.refusal import CONFIG_CHECK
from functions.silences.body import Author
from functions.silences.reach import within_reach
from functions.silences.reading import list_silences as silences_with_what_they_hide
from functions.silences.reading import silence_summary
from functions.triggers.http import Answer, Endpoint, Request
from functions.wiring import Services

_STATES: tuple[reading.WantedState, ...] = ("open", "acknowledged", "resolved", "pending")
_SEVERITIES = ("critical", "high", "medium", "low")
_OF_THE_WATCH = (SIGHT_CHECK, CONFIG_CHECK, DELIVERY_CHECK, RECORD_CHECK)


def list_alerts(services: Services, request: Request) -> Answer:
    """List the alerts that the query asks for."""
    query = request.query
    state = next((one for one in _STATES if one == query.get("state")), None)
    if "state" in query and state is None:
        raise InvalidRequest(
            f"The parameter state must be one of {', '.join(_STATES)}.", next_step="Correct it."
        )
    if query.get("severity", "low") not in _SEVERITIES:
        raise InvalidRequest(
            f"The parameter severity must be one of {', '.join(_SEVERITIES)}.", next_step="Correct it."
        )
    wanted = reading.Wanted(state, *(query.get(name) for name in ("severity", "agent", "check", "owner")))
    owners = services.configuration.alerts.agent_owners
    found = reading.list_alerts(services.documents, wanted, owners, request.scope, _definitions(services))
    ticked = services.heart.latest()
    return Answer(found | {"last_tick": ticked and instant_text(ticked)})


def show_alert(services: Services, request: Request) -> Answer:
    """Show one alert with its findings, what to do about it, and where its traces are held."""
    alert = reading.read_alert(
        services.documents, request.route["alert_id"], request.scope, _definitions(services)
    )
    mine = {"acknowledged_by_you": alert["acknowledged_by"] == request.caller.object_id}
    return Answer(alert | mine | services.holding.of(alert["id"], alert["episode"]))


def acknowledge_alert(services: Services, request: Request) -> Answer:
    """Write down that the caller sees to an alert; whoever did so first stays named."""
    if request.json() != {}:
        raise InvalidRequest("The body must be an empty JSON object.", next_step="Send {}.")
    if not request.scope.unlimited:
        reading.read_alert(services.documents, request.route["alert_id"], request.scope)
    alert = services.acknowledging.acknowledge(request.route["alert_id"], request.caller.object_id)
    return Answer(reading.summary(alert), on={"episode": str(alert.episode)})


def list_silences(services: Services, request: Request) -> Answer:
    """List the silences with what each hides now."""
    silences = services.silences
    seen = [one for one in silences.read() if within_reach(one.matchers, request.scope)]
    return Answer(silences_with_what_they_hide(services.documents, seen, silences.now()))


def add_silence(services: Services, request: Request) -> Answer:
    """Silence what the body says, under the caller's name."""
    author = Author(request.caller.object_id, request.caller.name)
    silence = services.silences.add(request.json(), author, request.scope)
    return Answer(
        silence_summary(silence, services.silences.now()),
        status=201,
        on={
            "silence_id": silence.id,
            "until": silence.until.isoformat(),
            "reason_sha256": fingerprint(silence.reason),
        },
    )


def end_silence(services: Services, request: Request) -> Answer:
    """End a silence now; what it hid is reported as if it had run its time."""
    silence = services.silences.end(request.route["silence_id"], request.caller.object_id, request.scope)
    return Answer(silence_summary(silence, services.silences.now()))


def _definitions(services: Services) -> Definitions:
    return Definitions((*services.configuration.checks, *_OF_THE_WATCH))


ENDPOINTS = (
    Endpoint(
        name="list_alerts",
        action="alerts.list",
        role=Role.ALERTS_READ,
        recorded=False,
        handle=list_alerts,
        query=frozenset({"state", "severity", "agent", "check", "owner"}),
    ),
    Endpoint(
        name="show_alert",
        action="alerts.read",
        role=Role.ALERTS_READ,
        recorded=False,
        handle=show_alert,
    ),
    Endpoint(
        name="acknowledge_alert",
        action="alerts.acknowledge",
        role=Role.ALERTS_MANAGE,
        recorded=True,
        handle=acknowledge_alert,
    ),
    Endpoint(
        name="list_silences",
        action="silences.list",
        role=Role.ALERTS_READ,
        recorded=False,
        handle=list_silences,
    ),
    Endpoint(
        name="add_silence",
        action="silences.add",
        role=Role.ALERTS_MANAGE,
        recorded=True,
        handle=add_silence,
    ),
    Endpoint(
        name="end_silence",
        action="silences.end",
        role=Role.ALERTS_MANAGE,
        recorded=True,
        handle=end_silence,
    ),
)
