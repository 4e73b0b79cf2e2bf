"""The access log's page, in a browser on the whole service: who asked for what, and does the chain hold."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from playwright.sync_api import Browser, Page, expect

from functions.spreadsheet import encode_csv
from functions.storage.blob import BlobAppendBlobs
from functions.storage.chained_log import ChainedLog
from local.host.people import PEOPLE
from local.stack import Stack
from tests.browser.pages import Scheme, axe_faults, open_page, overflow, press, settled, tab_to, watched

ACCESS = "/portal?view=access"
HOSTILE = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>\u202e\u0007"
FORMULAS = [
    "=1+1",
    " \t@SUM(A1)",
    "\uff1d1",
    "a;=1",
    'b;" -1',
    "-2",
    'plain, "quoted"',
    "x\n+1",
    HOSTILE,
    "|cmd",
    "ok",
]
LONG = "n" * 3000
GROUND = "row => getComputedStyle(row).backgroundColor"
SIZES: list[tuple[int, Scheme]] = [(360, "dark"), (1280, "light")]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("access")) as running:
        log = ChainedLog(BlobAppendBlobs(ledger(running)), now=lambda: datetime.now(UTC))
        for n, words in enumerate((*FORMULAS, LONG)):
            log.append(entry(n, words))
        running.start_host()
        running.fire("note_head")
        for who in ("visitor", "auditor"):
            with running.sign_in(who) as session:
                session.get(f"{running.host_url}/api/v1/exports", timeout=30)
        yield running


def ledger(stack: Stack) -> Any:
    return stack.storage.blobs.get_container_client("ledger")


def entry(n: int, words: str) -> dict[str, Any]:
    """An entry of somebody who chose this name."""
    return {
        "at": datetime.now(UTC),
        "action": "traces.read",
        "who": {"object_id": f"person-{n}", "name": words},
        "on": {"ticket": words},
        "outcome": "refused",
        "reason": words,
        "correlation_id": f"correlation-{n}",
    }


@contextmanager
def tampered(stack: Stack) -> Iterator[None]:
    """Let a line of the ledger say something else meanwhile, as who can write to the container could."""
    *_, name = sorted(blob.name for blob in ledger(stack).list_blobs() if blob.size)
    blob = ledger(stack).get_blob_client(name)
    before = blob.download_blob().readall()
    for content in (before.replace(b'"refused"', b'"served!"', 1), before):
        blob.delete_blob()
        blob.create_append_blob()
        blob.append_block(content)
        if content is not before:
            yield


def rows(page: Page) -> Any:
    return page.get_by_role("table").locator("tbody tr")


def test_an_officer_finds_who_was_denied_and_takes_the_list_along_by_keyboard_alone(
    browser: Browser, stack: Stack
) -> None:
    page = open_page(browser, stack, "officer", ACCESS)
    expect(page.get_by_role("heading", name="The chain holds", exact=True)).to_be_visible()
    chain = page.get_by_role("region", name="The chain").inner_text()
    assert "the signature is of the key that signs now" in chain
    assert f"over {len(FORMULAS) + 2} lines" in chain  # one of them closes a file of the ledger
    served = rows(page).filter(has_not_text="denied").first
    ground = served.evaluate(GROUND)
    tab_to(page, page.get_by_role("combobox", name="Outcome"))
    page.keyboard.type("denied")
    expect(rows(page)).to_have_count(1)
    expect(rows(page)).to_contain_text("visitor")
    assert rows(page).evaluate(GROUND) != ground
    expect(rows(page)).to_contain_text("List exports")
    expect(rows(page)).to_contain_text("This needs the role Evidence.Read.")
    tab_to(page, rows(page).locator("summary"))
    press(page, "Enter")
    expect(rows(page)).to_contain_text(PEOPLE["visitor"].object_id)
    page.get_by_role("combobox", name="Outcome").select_option("refused")
    expect(rows(page)).to_have_count(len(FORMULAS) + 1)
    tab_to(page, page.get_by_role("button", name="Download as CSV"))
    with page.expect_download() as taken:
        press(page, "Enter")
    assert taken.value.suggested_filename == "tracekeeper-access-log.csv"
    assert page.url == stack.host_url + ACCESS
    assert watched(page).faults == []


def test_the_file_is_what_our_own_writer_makes_of_the_same_entries(browser: Browser, stack: Stack) -> None:
    page = open_page(browser, stack, "officer", "/portal?view=nothing")
    with page.expect_response("**/api/v1/access-log*") as answered:
        page.goto(stack.host_url + ACCESS)
    entries = [one for one in answered.value.json()["entries"] if one["outcome"] == "refused"]
    assert [one["who"]["name"] for one in entries] == [LONG, *reversed(FORMULAS)]
    page.get_by_role("combobox", name="Outcome").select_option("refused")
    with page.expect_download() as taken:
        page.get_by_role("button", name="Download as CSV").click()
    header = ["at", "object_id", "name", "action", "outcome", "on", "reason", "correlation_id"]
    expected = [
        [
            one["at"],
            one["who"]["object_id"],
            one["who"]["name"],
            one["action"],
            one["outcome"],
            orjson.dumps(one["on"]).decode(),
            one["reason"],
            one["correlation_id"],
        ]
        for one in entries
    ]
    assert taken.value.path().read_bytes() == encode_csv(header, expected)


def test_filters_by_person_and_action_stand_in_no_address(browser: Browser, stack: Stack) -> None:
    page = open_page(browser, stack, "officer", ACCESS)
    person = page.get_by_role("combobox", name="Person")
    person.select_option(label=f"visitor ({PEOPLE['visitor'].object_id[:8]})")
    expect(rows(page)).to_have_count(1)
    person.select_option("")
    page.get_by_role("combobox", name="Action").select_option("traces.read")
    expect(rows(page)).to_have_count(len(FORMULAS) + 1)
    assert page.url == stack.host_url + ACCESS
    count = page.get_by_role("combobox", name="Entries")
    count.focus()
    with page.expect_response(lambda answer: "count=1000" in answer.url):
        press(page, "ArrowDown")
    expect(page.get_by_role("combobox", name="Action")).to_have_value("")
    expect(count).to_be_focused()


@pytest.mark.parametrize(("width", "scheme"), SIZES)
def test_names_that_people_chose_are_shown_as_text(
    browser: Browser, stack: Stack, width: int, scheme: Scheme
) -> None:
    page = open_page(browser, stack, "officer", ACCESS, width, scheme)
    expect(rows(page).filter(has_text="<img src=x").first).to_be_visible()
    assert page.title() == "Access log · Tracekeeper"
    assert page.locator("img, main script").count() == 0
    assert axe_faults(page) == []
    assert overflow(page) == 0
    assert watched(page).faults == []


@pytest.mark.parametrize(("width", "scheme"), SIZES)
def test_a_broken_chain_is_told_loudly(browser: Browser, stack: Stack, width: int, scheme: Scheme) -> None:
    with tampered(stack):
        page = open_page(browser, stack, "officer", ACCESS, width, scheme)
        alarm = page.get_by_role("alert")
        expect(alarm.get_by_role("heading")).to_have_text("THE LEDGER DOES NOT HOLD")
        expect(alarm).to_contain_text("The chain of the log is broken at line")
        assert page.get_by_role("table").count() == 0
        assert axe_faults(page) == []
        assert overflow(page) == 0
    assert watched(page).faults == []


def test_who_has_not_the_role_sees_neither_the_log_nor_that_there_is_such_a_page(
    browser: Browser, stack: Stack
) -> None:
    page = open_page(browser, stack, "auditor", "/portal?view=nothing")
    told = page.locator("main").inner_text()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(stack.host_url + ACCESS)
    settled(page)
    assert page.locator("main").inner_text() == told
    assert page.get_by_role("link", name="Access log").count() == 0
    assert not [url for url in asked if "/api/v1/access-log" in url]
