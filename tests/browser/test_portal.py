"""The portal in a browser, on the whole service: from the link in a card to an acknowledged alert."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from functions.alerts.alert import Alert, alert_id
from functions.alerts.lifecycle import opened
from functions.alerts.state import PREFIX, CheckState, state_from_json, state_to_json
from functions.checks.finding import Finding, Window
from local.host.people import PEOPLE
from local.stack import Stack
from tests.browser.pages import sign_in, watch, watched
from tests.unit.alerts.building import CHECK, EVERY

PHONE = {"width": 390, "height": 844}
HOSTILE = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>\u202e"
EARLIER = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=30)


@pytest.fixture
def phone(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True, ignore_https_errors=True)
    yield context
    context.close()


@pytest.fixture
def page(phone: BrowserContext, stack: Stack) -> Page:
    return watch(phone.new_page(), stack)


def put(stack: Stack, agent: str) -> str:
    """Let the watch have one open alert about an agent; return its id."""
    key = {"Agent": agent, "Tool": "get_shipment_status"}
    found = Finding(CHECK.id, key, Window(EARLIER, EARLIER + EVERY), 95.0, 30.0, 1, ("a" * 32,), {})
    alert = opened(alert_id(CHECK.id, key), None, found, CHECK)
    save(stack, alert)
    return alert.id


def save(stack: Stack, *alerts: Alert) -> None:
    name = PREFIX + CHECK.id
    held = stack.documents().read(name)
    body = state_to_json(CheckState(alerts={alert.id: alert for alert in alerts}))
    stack.documents().write(name, body, version=held.version if held else None)


def kept(stack: Stack, name: str) -> Alert:
    held = stack.documents().read(PREFIX + CHECK.id)
    assert held is not None
    return state_from_json(held.name, held.body).alerts[name]


def link(stack: Stack, alert: str) -> str:
    """Return the link behind the card's button."""
    return f"{stack.host_url}/portal?alert={alert}&do=ack"


def test_two_taps_acknowledge_an_alert(stack: Stack, phone: BrowserContext, page: Page) -> None:
    alert = put(stack, "dispatcher")
    sign_in(phone, stack, "operator")
    page.goto(link(stack, alert))  # the first tap, on the card
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "high: dispatcher, get_shipment_status: stale tool data"
    )
    page.get_by_role("button", name="Acknowledge").tap()  # the second
    expect(page.get_by_text("acknowledged", exact=True)).to_be_visible()
    expect(page.get_by_role("button")).to_have_count(0)
    held = kept(stack, alert)
    assert (held.state, held.acknowledged_by) == ("acknowledged", PEOPLE["operator"].object_id)


def test_who_is_not_signed_in_comes_back_to_the_same_page(stack: Stack, page: Page) -> None:
    alert = put(stack, "dispatcher")
    page.goto(link(stack, alert))
    page.get_by_role("button", name="operator").tap()  # the local sign-in asks who it is
    expect(page.get_by_role("button", name="Acknowledge")).to_be_focused()
    assert page.url == link(stack, alert)
    page.get_by_role("button", name="Acknowledge").tap()
    expect(page.get_by_text("acknowledged", exact=True)).to_be_visible()


def test_who_turns_back_from_the_sign_in_is_asked_and_not_sent_round_in_circles(
    stack: Stack, page: Page
) -> None:
    alert = put(stack, "dispatcher")
    page.goto(link(stack, alert))
    expect(page.get_by_role("button", name="operator")).to_be_visible()
    page.goto(link(stack, alert))
    expect(page.get_by_role("alert")).to_contain_text("You are not signed in.")
    page.get_by_role("link", name="Sign in").tap()
    page.get_by_role("button", name="operator").tap()
    expect(page.get_by_role("button", name="Acknowledge")).to_be_visible()


def test_who_may_not_acknowledge_is_told_so_and_nothing_happens(
    stack: Stack, phone: BrowserContext, page: Page
) -> None:
    alert = put(stack, "dispatcher")
    sign_in(phone, stack, "visitor")
    page.goto(link(stack, alert))
    expect(page.get_by_role("heading")).to_have_text("No access")
    expect(page.get_by_role("button")).to_have_count(0)
    assert kept(stack, alert).state == "open"


def test_hostile_text_is_shown_as_text(stack: Stack, phone: BrowserContext, page: Page) -> None:
    alert = put(stack, HOSTILE)
    sign_in(phone, stack, "operator")
    page.goto(link(stack, alert))
    expect(page.get_by_role("heading", level=1)).to_contain_text(HOSTILE)
    assert page.title() == "Alert · Tracekeeper"
    assert page.locator("img").count() == 0


def test_an_alert_that_is_over_has_no_button(stack: Stack, phone: BrowserContext, page: Page) -> None:
    alert = put(stack, "dispatcher")
    save(stack, replace(kept(stack, alert), state="resolved", resolved_at=EARLIER + 4 * EVERY))
    sign_in(phone, stack, "operator")
    page.goto(link(stack, alert))
    expect(page.get_by_text("resolved", exact=True)).to_be_visible()
    expect(page.get_by_role("button")).to_have_count(0)


def test_an_address_without_an_alert_asks_only_who_it_is(
    stack: Stack, phone: BrowserContext, page: Page
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    sign_in(phone, stack, "operator")
    page.goto(f"{stack.host_url}/portal?alert=../exports&do=ack")
    expect(page.get_by_role("heading")).to_have_text(re.compile("No (such page|access)"))
    assert [url for url in asked if "/api/" in url] == [f"{stack.host_url}/api/v1/me"]


def test_the_page_has_no_fault(stack: Stack, phone: BrowserContext, page: Page) -> None:
    sign_in(phone, stack, "operator")
    page.goto(link(stack, put(stack, "dispatcher")))
    expect(page.get_by_role("button", name="Acknowledge")).to_be_visible()
    assert watched(page).faults == []
