"""The page of exports, in a browser on the whole service: from the request to the bundle that verifies."""

import hashlib
import io
import secrets
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from functions.alerts.alert import Alert, alert_id
from functions.alerts.episode import opened
from functions.alerts.state import PREFIX, CheckState, state_to_json
from functions.checks.finding import Finding, Window
from functions.cli import main as tracekeeper
from functions.storage.blob import BlobObjects
from local.stack import Stack
from tests.browser.pages import (
    Scheme,
    axe_faults,
    open_page,
    overflow,
    press,
    settled,
    tab_to,
    watched,
)
from tests.checks.telemetry import Trace
from tests.unit.alerts.building import CHECK

HOSTILE = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>\u202e\u0007"
LONG = "n" * 3000
START = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=40)
TRACE = Trace(1, start=START)
UNKNOWN = "f" * 32
KEY = {"Agent": "dispatcher", "Tool": "get_shipment_status"}
ALERT = alert_id(CHECK.id, KEY)
REASON, TICKET = "A customer disputes the answer", "CASE-7"
BUSY = {"REQUESTS_PER_MINUTE": "1000", "EXPORTS_PER_HOUR": "100"}
SIZES: list[tuple[int, Scheme]] = [(360, "dark"), (1280, "light")]
LARGE = 66 * 1024 * 1024
PART = 8 * 1024 * 1024


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("exports"), host_environment=BUSY) as running:
        TRACE.tool("get_shipment_status", TRACE.agent("dispatcher", TRACE.request()))
        running.telemetry.ingest(TRACE.envelopes, delay=timedelta(seconds=1))
        found = Finding(
            CHECK.id, KEY, Window(START, START + timedelta(minutes=5)), 9.0, 1.0, 1, (TRACE.trace_id,), {}
        )
        alert: Alert = opened(ALERT, None, found, CHECK)
        running.documents().write(
            PREFIX + CHECK.id, state_to_json(CheckState(alerts={ALERT: alert})), version=None
        )
        running.start_host()
        yield running


def request(stack: Stack, who: str, selector: Mapping[str, Any], profile: str = "metadata") -> str:
    """Ask for an export past the page, and return its id."""
    asked = {"selector": selector, "profile": profile, "reason": REASON, "ticket": TICKET}
    with stack.sign_in(who) as session:
        answer = session.post(f"{stack.host_url}/api/v1/exports", json=asked, timeout=60)
    answer.raise_for_status()
    return str(answer.json()["id"])


def put(stack: Stack, **changed: Any) -> str:
    """Put an export there that looks like this, and return its id."""
    export_id = secrets.token_hex(16)
    body = {
        "id": export_id,
        "state": "running",
        "selector": {"trace_ids": [TRACE.trace_id]},
        "scope": {"agents": None, "tenants": None},
        "profile": "metadata",
        "reason": REASON,
        "ticket": TICKET,
        "requester": "person-1",
        "requested_at": START.isoformat(),
        "decision": None,
        "finished_at": None,
        "failure": None,
        "bundle": None,
        "counts": None,
        "late_rows": None,
    }
    stack.documents().write(f"exports/{export_id}", body | changed, version=None)
    return export_id


@pytest.fixture(scope="module")
def large(stack: Stack) -> tuple[str, str]:
    """A bundle too large for one answer: the object's name and its SHA-256."""
    name, content = (
        f"{secrets.token_hex(16)}/bundle-metadata.zip",
        secrets.token_bytes(1024) * (LARGE // 1024),
    )
    BlobObjects(stack.storage.blobs.get_container_client("evidence")).put(name, io.BytesIO(content))
    return name, hashlib.sha256(content).hexdigest()


def bundled(stack: Stack, name: str, sha256: str, profile: str = "metadata") -> str:
    """Put a finished export there whose bundle is this object, and is said to have this SHA-256."""
    bundle = {
        "object_name": name,
        "size": LARGE,
        "sha256": sha256,
        "queries_hmac_sha256": "0" * 64,
        "tag_manifest_sha256": "1" * 64,
        "key_id": "k",
    }
    counts = {"traces": 1, "spans": 3, "rows": 3, "complete": True}
    return put(
        stack, state="done", profile=profile, finished_at=START.isoformat(), bundle=bundle, counts=counts
    )


@pytest.fixture(scope="module")
def incomplete(stack: Stack) -> str:
    """An export of a trace that there is and of one that there is not."""
    return request(stack, "auditor", {"trace_ids": [TRACE.trace_id, UNKNOWN]})


def of(export_id: str) -> str:
    return f"/portal?view=exports&export={export_id}"


def state(page: Page) -> Any:
    """What the page says of the export's state."""
    return expect(page.get_by_role("region", name="State", exact=True))


def held(stack: Stack, export_id: str) -> Mapping[str, Any]:
    document = stack.documents().read(f"exports/{export_id}")
    assert document is not None
    return document.body


def test_an_auditor_gets_from_the_request_to_a_bundle_that_verifies_by_keyboard_alone(
    browser: Browser, stack: Stack, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = open_page(browser, stack, "auditor", "/portal?view=exports")
    ids = page.get_by_label("Trace ids", exact=True).and_(page.get_by_role("textbox"))
    if not ids.is_visible():
        tab_to(page, page.locator("summary", has_text="Ask for an export"))
        press(page, "Enter")
    tab_to(page, ids)
    page.keyboard.type(TRACE.trace_id)
    tab_to(page, page.get_by_label("Reason"))
    page.keyboard.type(REASON)
    press(page, "Tab")
    page.keyboard.type(TICKET)
    tab_to(page, page.get_by_role("button", name="Ask for the export"))
    press(page, "Enter")
    state(page).to_contain_text("1 trace, 3 spans, 3 rows", timeout=30_000)
    state(page).to_contain_text("complete")
    expect(page.locator("#told")).to_have_text("The export is done.")
    assert not any(text in unquote(page.url) for text in (REASON, TICKET, TRACE.trace_id))
    tab_to(page, page.get_by_role("link", name="Download"))
    with page.expect_download() as taken:
        press(page, "Enter")
    bundle = tmp_path / taken.value.suggested_filename
    taken.value.save_as(bundle)
    assert tracekeeper(["verify", str(bundle), "--key", str(stack.public_key)]) == 0
    assert capsys.readouterr().out.startswith("VERIFIED")
    assert f"tracekeeper verify {bundle.name} --key pub.pem" in page.locator("main").inner_text()
    check = page.get_by_label("Check a file that you have")
    check.set_input_files(bundle)
    expect(page.locator("main")).to_contain_text("Checked: its SHA-256 is that of the bundle.")
    other = tmp_path / "other.zip"
    other.write_bytes(bundle.read_bytes()[:-1] + b"x")
    check.set_input_files(other)
    expect(page.locator("main")).to_contain_text("NOT THE BUNDLE")
    assert watched(page).faults == []


def test_what_is_wrong_with_a_field_is_said_beside_it(browser: Browser, stack: Stack) -> None:
    page = open_page(browser, stack, "auditor", f"/portal?view=exports&alert={ALERT}")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.method))
    reason, ticket = page.get_by_label("Reason"), page.get_by_label("Ticket")
    expect(reason).to_be_focused()
    press(page, "Enter")
    expect(reason).to_have_accessible_description(
        "This is needed. One plain line, nothing personal: it stands in the bundle and in the ledger."
    )
    assert asked == []
    reason.fill("mail ada@example.org")
    ticket.fill(TICKET)
    press(page, "Enter")
    expect(reason).to_be_focused()
    expect(reason).to_have_attribute("aria-invalid", "true")
    expect(page.locator(".field", has=reason)).to_contain_text("looks like a secret or personal data")
    expect(ticket).not_to_have_attribute("aria-invalid", "true")
    page.get_by_label("A window of time").check()
    page.get_by_role("textbox", name="From").fill("2026-01-01T00:00")
    page.get_by_role("textbox", name="To", exact=True).fill("2026-03-01T00:00")
    reason.fill(REASON)
    press(page, "Enter")
    expect(page.locator(".field", has=page.get_by_role("textbox", name="To", exact=True))).to_contain_text(
        "Must be at most 31 days long."
    )
    expect(reason).not_to_have_attribute("aria-invalid", "true")
    assert watched(page).faults == []


def test_the_traces_of_an_alert_are_asked_for_from_its_address(browser: Browser, stack: Stack) -> None:
    page = open_page(browser, stack, "auditor", f"/portal?view=exports&alert={ALERT}")
    assert page.get_by_label("Alert", exact=True).input_value() == ALERT
    page.get_by_label("Reason").fill(REASON)
    page.get_by_label("Ticket").fill(TICKET)
    press(page, "Enter")
    expect(page.get_by_text(f"1 trace of the alert {ALERT}")).to_be_visible()


def test_a_second_person_approves_and_the_requester_can_not(browser: Browser, stack: Stack) -> None:
    export_id = request(stack, "engineer", {"trace_ids": [TRACE.trace_id]}, "content")
    own = open_page(browser, stack, "engineer", of(export_id))
    expect(own.get_by_text("Who asks for an export can't approve it.")).to_be_visible()
    assert own.get_by_role("button", name="Approve").count() == 0
    page = open_page(browser, stack, "reviewer", of(export_id))
    tab_to(page, page.get_by_role("button", name="Approve"))
    press(page, "Enter")
    reason = page.get_by_label("Reason")
    expect(reason).to_be_focused()
    page.keyboard.type("The dispute is real")
    tab_to(page, page.get_by_role("button", name="Approve"))
    press(page, "Enter")
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    expect(page.get_by_text("The dispute is real")).to_be_visible()
    state(page).not_to_contain_text("waits for approval")
    assert held(stack, export_id)["decision"]["approved"] is True
    assert watched(page).faults == []


def test_who_refuses_says_so_and_a_decision_that_came_too_late_is_told_in_the_answer_s_words(
    browser: Browser, stack: Stack
) -> None:
    export_id = request(stack, "engineer", {"trace_ids": [TRACE.trace_id]}, "content")
    pages = [open_page(browser, stack, "reviewer", of(export_id)) for _ in range(2)]
    for page in pages:
        page.get_by_label("Reason").fill("There is no need")
    pages[0].get_by_role("button", name="Refuse").click()
    state(pages[0]).to_contain_text("A second person refused it.")
    pages[1].get_by_role("button", name="Approve").click()
    expect(pages[1].get_by_role("alert")).to_contain_text("waits for no approval")


def test_cancelling_asks_once_more(browser: Browser, stack: Stack) -> None:
    export_id = put(stack)
    page = open_page(browser, stack, "auditor", of(export_id))
    cancel = page.get_by_role("button", name="Cancel the export")
    tab_to(page, cancel)
    press(page, "Enter")
    expect(page.get_by_role("button", name="No, keep it")).to_be_focused()
    press(page, "Escape")
    expect(cancel).to_be_focused()
    assert held(stack, export_id)["state"] == "running"
    press(page, "Enter", "Shift+Tab", "Enter")
    state(page).to_contain_text("It was cancelled.")
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    expect(page.locator("#told")).to_have_text("The export is cancelled.")
    assert held(stack, export_id)["state"] == "cancelled"
    assert watched(page).faults == []


def until_asked(page: Page, asked: list[str]) -> int:
    """Let the page's clock run until it asks again; return for how many milliseconds."""
    before, passed = len(asked), 0
    while len(asked) == before:
        page.clock.run_for(100)
        passed += 100
        assert passed <= 60_000
    return passed


def test_progress_is_followed_ever_more_rarely_and_not_while_the_page_is_hidden(
    browser: Browser, stack: Stack
) -> None:
    export_id = put(stack)
    page = open_page(browser, stack, "auditor", "/portal?view=exports")
    slices = {"slices": 8, "done": 2}
    asked: list[str] = []

    def answer(route: Route) -> None:
        asked.append(route.request.url)
        told = route.fetch()
        route.fulfill(response=told, json={**told.json(), "progress": slices})

    page.route(f"**/api/v1/exports/{export_id}", answer)
    page.clock.install()
    page.goto(stack.host_url + of(export_id))
    bar = page.get_by_role("progressbar", name="Slices read")
    expect(bar).to_have_js_property("value", 2)
    state(page).to_contain_text("2 of 8 slices read.")
    slices["done"] = 5
    with page.expect_response(f"**/{export_id}"):
        page.clock.run_for(1_100)
    state(page).to_contain_text("5 of 8 slices read.")
    expect(bar).to_have_js_property("value", 5)
    page.clock.run_for(100)
    expect(page.locator("#told")).to_have_text("5 of 8 slices read.")
    first, *others = [until_asked(page, asked) for _ in range(4)]
    assert first >= 900  # the clock has run a little already
    assert all(wait >= least for wait, least in zip(others, (1_500, 2_200, 3_300), strict=True))
    lately = len(asked)
    page.evaluate("Object.defineProperty(document, 'hidden', { value: true, configurable: true })")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.clock.run_for(600_000)
    assert len(asked) == lately
    page.evaluate("Object.defineProperty(document, 'hidden', { value: false, configurable: true })")
    with page.expect_response(f"**/{export_id}"):
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    assert watched(page).faults == []
    page.unroute_all(behavior="ignoreErrors")
    page.context.close()  # or it goes on asking when the service has gone


IN_MEMORY = "delete window.showSaveFilePicker"
INTO_FILE = """
window.showSaveFilePicker = async ({ suggestedName }) =>
  (await navigator.storage.getDirectory()).getFileHandle(suggestedName, { create: true });
"""


def test_a_large_bundle_comes_in_parts_and_is_checked_before_it_is_saved(
    browser: Browser, stack: Stack, large: tuple[str, str]
) -> None:
    name, digest = large
    page = open_page(browser, stack, "auditor", "/portal?view=exports")
    page.add_init_script(IN_MEMORY)
    asked: list[str] = []
    page.on("request", lambda request: asked.extend([request.headers.get("range", "")]))
    page.goto(stack.host_url + of(bundled(stack, name, digest)))
    page.get_by_role("button", name="Download 69.2 MB").focus()
    with page.expect_download() as taken:
        press(page, "Enter")
    assert hashlib.sha256(taken.value.path().read_bytes()).hexdigest() == digest
    expect(page.locator("main")).to_contain_text("Checked: its SHA-256 is that of the bundle.")
    assert [one for one in asked if one] == [f"bytes={at}-{at + PART - 1}" for at in range(0, LARGE, PART)]
    assert watched(page).faults == []


def test_a_file_that_is_not_the_bundle_is_said_to_be_another(
    browser: Browser, stack: Stack, large: tuple[str, str]
) -> None:
    page = open_page(browser, stack, "auditor", "/portal?view=exports")
    page.add_init_script(INTO_FILE)
    page.goto(stack.host_url + of(bundled(stack, large[0], "0" * 64)))
    page.get_by_role("button", name="Download 69.2 MB").click()
    expect(page.locator("main")).to_contain_text("NOT THE BUNDLE", timeout=20_000)
    size = page.evaluate(
        "async () => { for await (const one of (await navigator.storage.getDirectory()).values()) "
        "return (await one.getFile()).size }"
    )
    assert size == LARGE
    assert watched(page).faults == []


def test_a_part_of_another_bundle_ends_the_download_and_a_busy_service_is_asked_again(
    browser: Browser, stack: Stack
) -> None:
    page = open_page(browser, stack, "auditor", "/portal?view=exports")
    page.add_init_script(IN_MEMORY)
    answers = [
        {"status": 429, "headers": {"Retry-After": "1"}, "json": {"title": "Too many requests"}},
        {
            "status": 206,
            "headers": {"ETag": f'"{"1" * 64}"', "Content-Range": f"bytes 0-0/{LARGE}"},
            "body": b"x",
        },
    ]
    page.route("**/bundle", lambda route: route.fulfill(**answers.pop(0)))
    page.goto(stack.host_url + of(bundled(stack, "nothing", "0" * 64)))
    page.get_by_role("button", name="Download 69.2 MB").click()
    expect(page.get_by_role("alert")).to_contain_text("something else than this bundle", timeout=10_000)
    expect(page.get_by_role("button", name="Download 69.2 MB")).to_be_focused()
    assert answers == []


def test_a_bundle_with_content_is_not_offered_without_its_role(browser: Browser, stack: Stack) -> None:
    export_id = bundled(stack, "nothing", "0" * 64, profile="content")
    page = open_page(browser, stack, "auditor", of(export_id))
    expect(page.get_by_text("who has the role Evidence.ReadContent too.")).to_be_visible()
    assert page.get_by_role("button", name="Download").count() == 0
    page = open_page(browser, stack, "reviewer", of(export_id))
    expect(page.get_by_role("button", name="Download")).to_be_visible()


@pytest.mark.parametrize(("width", "scheme"), SIZES)
def test_an_incomplete_bundle_says_what_it_lacks(
    browser: Browser, stack: Stack, incomplete: str, width: int, scheme: Scheme
) -> None:
    page = open_page(browser, stack, "auditor", of(incomplete), width, scheme)
    lacks = page.get_by_role("region", name="Incomplete")
    expect(lacks).to_contain_text(UNKNOWN, timeout=30_000)
    expect(lacks).not_to_contain_text(TRACE.trace_id)
    expect(
        page.get_by_text(f"unzip -q tracekeeper-{incomplete}-bundle-metadata-INCOMPLETE.zip")
    ).to_be_visible()
    assert axe_faults(page) == []
    assert overflow(page) == 0
    assert watched(page).faults == []


@pytest.mark.parametrize(("width", "scheme"), SIZES)
def test_hostile_words_are_shown_as_text(browser: Browser, stack: Stack, width: int, scheme: Scheme) -> None:
    window = {"start": START.isoformat(), "end": START.isoformat(), "agent": LONG, "release": HOSTILE}
    export_id = put(
        stack,
        state="failed",
        finished_at=START.isoformat(),
        selector={"window": window},
        reason=HOSTILE,
        ticket=LONG,
        failure=HOSTILE,
    )
    page = open_page(browser, stack, "auditor", of(export_id), width, scheme)
    state(page).to_contain_text("<img src=x onerror=")
    shown = [page.title(), overflow(page), page.locator("img, main script").count(), axe_faults(page)]
    page.goto(f"{stack.host_url}/portal?view=exports&alert={ALERT}")
    settled(page)
    expect(page.get_by_role("row").filter(has_text="<img src=x").first).to_be_visible()
    shown += [page.title(), overflow(page), page.locator("img, main script").count(), axe_faults(page)]
    assert shown == ["Exports · Tracekeeper", 0, 0, []] * 2
    assert watched(page).faults == []


def test_an_export_that_there_is_not_is_told_in_words(browser: Browser, stack: Stack) -> None:
    page = open_page(browser, stack, "auditor", of(UNKNOWN), 360, "dark")
    expect(page.get_by_role("alert")).to_contain_text("There is no such export.")
    assert axe_faults(page) == []
    assert watched(page).faults == []


def test_who_has_not_the_role_sees_neither_exports_nor_that_there_is_such_a_page(
    browser: Browser, stack: Stack
) -> None:
    page = open_page(browser, stack, "officer", "/portal?view=nothing")
    told = page.locator("main").inner_text()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(stack.host_url + of(put(stack)))
    settled(page)
    assert page.locator("main").inner_text() == told
    assert page.get_by_role("link", name="Exports").count() == 0
    assert not [url for url in asked if "/api/v1/exports" in url]
