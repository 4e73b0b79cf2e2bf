"""Alerts at a terminal: what is listed, shown and taken on, whatever text a trace brought along."""

from dataclasses import replace

import pytest

from functions.alerts.alert import Alert
from functions.alerts.hidden import hide
from functions.alerts.reading import Wanted, read_alert
from functions.alerts.state import PREFIX, CheckState, state_from_json, state_to_json
from functions.cli import main
from functions.clients import person_of
from functions.commands.alert_record import acknowledge, lines_of, show_list
from functions.errors import DocumentConflict, NotFound, NotReady, StorageError
from functions.storage.documents import Document
from local.identity import Tokens
from tests.fakes.storage import MemoryDocuments
from tests.unit.alerts.building import CHECK
from tests.unit.silences.silencing import NOON, alert

HOSTILE = {"Agent": "\x1b[2J\u202e<at>all</at>", "Tool": "x" * 100_000}


class ReadOnly(MemoryDocuments):
    """Documents that this person may read only."""

    def __init__(self, *alerts: Alert) -> None:
        super().__init__()
        state = CheckState(alerts={one.id: one for one in alerts})
        super().write(PREFIX + CHECK.id, state_to_json(state), version=None)

    def write(self, name: str, body: object, *, version: str | None) -> Document:  # noqa: ARG002 - the interface's
        raise StorageError("Storage refused.", next_step="Give the app's identity the role.")


def holding(*alerts: Alert) -> MemoryDocuments:
    documents = MemoryDocuments()
    state = CheckState(alerts={one.id: one for one in alerts}, hidden=hide((), alerts, CHECK))
    documents.write(PREFIX + CHECK.id, state_to_json(state), version=None)
    return documents


def listed(documents: MemoryDocuments, wanted: Wanted) -> tuple[int, list[str]]:
    said: list[str] = []
    return show_list(documents, wanted, {}, said.append), said


def test_each_alert_is_a_line_that_says_what_keeps_it_quiet() -> None:
    code, (line,) = listed(holding(alert(quieted_by=("night@x",))), Wanted("open"))
    assert code == 0
    assert line == (
        f"{alert().id}  open          high      stale_tool_data  dispatcher, get_shipment_status: "
        "95 (limit 30) since 2026-11-24 02:55Z  quiet: night@x"
    )


def test_where_there_is_none_it_says_so() -> None:
    assert listed(holding(alert()), Wanted("resolved")) == (0, ["None."])


def test_what_cannot_be_read_is_said_and_the_exit_code_is_1() -> None:
    documents = holding(alert())
    documents.write("checks/other", {"format": 99}, version=None)
    code, said = listed(documents, Wanted("open"))
    assert (code, said[-1]) == (1, "checks/other can't be read: its alerts are not known.")


def test_hostile_text_cannot_steer_the_terminal_nor_fill_it() -> None:
    documents = holding(alert(HOSTILE, quieted_by=("night@x",)))
    said = listed(documents, Wanted())[1]
    said += lines_of(read_alert(documents, alert(HOSTILE).id))
    assert all(line.isprintable() and len(line) < 400 for line in said)
    assert "\\x1b[2J\\u202e" in said[0]


def test_one_alert_is_shown_with_what_was_not_told_of_it() -> None:
    quiet = alert(quieted_by=("night@x",), acknowledged_by="person-1", acknowledged_at=NOON)
    lines = list(lines_of(read_alert(holding(quiet), quiet.id)))
    assert "  not told because of night@x: once since 2026-11-24 02:55Z" in lines
    assert "  person-1 sees to it since 2026-05-04 12:00Z" in lines
    assert "  Tool: get_shipment_status" in lines


def test_taking_an_alert_on_names_who_did_so_first() -> None:
    documents, said = holding(alert()), list[str]()
    for who in ("person-1", "person-2", "person-1"):
        assert acknowledge(documents, alert().id, who, NOON, said.append) == 0
    assert said == [
        f"{who} to it since 2026-05-04 12:00 UTC." for who in ("You see", "person-1 sees", "You see")
    ]
    held = documents.read(PREFIX + CHECK.id)
    assert held is not None
    assert state_from_json(held.name, held.body).alerts[alert().id].state == "acknowledged"


def test_what_is_not_there_or_not_open_is_told() -> None:
    with pytest.raises(NotFound):
        acknowledge(holding(alert()), "nope", "person-1", NOON, print)
    with pytest.raises(NotReady):
        acknowledge(holding(replace(alert(), state="resolved")), alert().id, "person-1", NOON, print)


def test_who_may_only_read_is_told_which_role_it_takes() -> None:
    with pytest.raises(StorageError, match="Storage Blob Data Contributor on the container 'state'"):
        acknowledge(ReadOnly(alert()), alert().id, "person-1", NOON, print)


def test_a_person_is_who_their_token_was_issued_to() -> None:
    client = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
    token, _ = Tokens("ab1f708d-50f6-404c-a006-d71b2ac7a606", client).issue("https://storage.azure.com")
    assert len(person_of(token).object_id) == 36
    for unreadable in ("opaque", "a.bm90IGpzb24.c", "a.W10.c", "a.e30.c"):
        with pytest.raises(StorageError, match="does not say who you are"):
            person_of(unreadable)


@pytest.mark.parametrize("given", [["list", "--state", "closed"], ["list", "--severity", "x"], ["show"], []])
def test_a_wrong_call_is_told(given: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["alerts", *given])
    assert stopped.value.code == 2
    assert "usage: tracekeeper alerts" in capsys.readouterr().err


def test_a_conflict_keeps_its_own_next_step() -> None:
    class Contended(MemoryDocuments):
        def write(self, name: str, body: object, *, version: str | None) -> Document:  # noqa: ARG002 - likewise
            raise DocumentConflict("It changed.", next_step="Read it again.")

    documents = Contended()
    documents._held = holding(alert())._held  # noqa: SLF001 - what is there, behind a door that is shut
    with pytest.raises(DocumentConflict, match="Try again"):
        acknowledge(documents, alert().id, "person-1", NOON, print)
