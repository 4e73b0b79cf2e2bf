"""Single traces over HTTP."""

import azure.functions as func
import pytest

from functions.triggers.http import serve
from functions.triggers.traces import ENDPOINTS
from tests.unit.triggers.rig import Rig, make_rig, request

TRACE = "0af7651916cd43dd8448eb211c80319c"
INJECTIONS = (
    "'",
    '"',
    "' or true | union *",
    f"{TRACE}' | project Properties //",
    "x\n| take 1",
    "%27",
    "\x00",
)


def ask(rig: Rig, name: str, asked: func.HttpRequest) -> func.HttpResponse:
    endpoint = next(endpoint for endpoint in ENDPOINTS if endpoint.name == name)
    return serve(endpoint, asked, lambda: rig.services)[0]


@pytest.mark.parametrize("trace_id", ["x" * 10_000, TRACE + "0", "0" * 32, "\uff11" * 32, "", *INJECTIONS])
def test_what_is_no_trace_id_reaches_no_query(trace_id: str) -> None:
    rig = make_rig()
    response = ask(rig, "read_trace", request("Traces.Read", route={"trace_id": trace_id}))
    assert response.status_code == 400
    assert response.mimetype == "application/problem+json"
    assert rig.source.asked == []
    assert rig.recorded()[-1]["outcome"] == "refused"


def test_a_trace_that_does_not_exist_is_not_found_and_written_down() -> None:
    rig = make_rig()
    assert ask(rig, "read_trace", request("Traces.Read", route={"trace_id": TRACE})).status_code == 404
    assert rig.recorded()[-1]["on"] == {"trace_id": TRACE}


def test_the_role_for_exports_is_none_for_traces() -> None:
    asked = request("Evidence.Read", route={"trace_id": TRACE})
    assert ask(make_rig(), "read_trace", asked).status_code == 403


@pytest.mark.parametrize(("roles", "status"), [(("Traces.Read",), 404), (("Alerts.Read",), 403)])
def test_the_ledger_keeps_the_ticket_of_whoever_may_read_and_of_nobody_else(
    roles: tuple[str, ...], status: int
) -> None:
    rig = make_rig()
    asked = request(*roles, route={"trace_id": TRACE}, headers={"Tracekeeper-Ticket": "OPS-12"})
    assert ask(rig, "read_trace", asked).status_code == status
    assert rig.recorded()[-1]["on"].get("ticket") == ("OPS-12" if status == 404 else None)


@pytest.mark.parametrize(
    "ticket", ["", " ", "x" * 101, "OPS\t1", "\u00dcber", "a@example.com", "123-45-6789"]
)
def test_a_ticket_that_may_not_stand_in_the_ledger_is_refused(ticket: str) -> None:
    rig = make_rig()
    asked = request("Traces.Read", route={"trace_id": TRACE}, headers={"Tracekeeper-Ticket": ticket})
    assert ask(rig, "read_trace", asked).status_code == 400
    assert rig.source.asked == []
    assert rig.recorded()[-1]["on"] == {"trace_id": TRACE}
    assert ticket.strip() == "" or ticket not in str(rig.recorded()[-1])
