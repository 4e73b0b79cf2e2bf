"""The frame of all pages, in a browser on the whole service."""

import re

import pytest
import requests
from playwright.sync_api import Browser, Page, Route, expect

from functions.portal.files import CONTENT_SECURITY_POLICY, portal_files
from local.stack import Stack
from tests.browser.pages import (
    Scheme,
    axe_faults,
    open_page,
    overflow,
    press,
    settled,
    tab_to,
    watch,
    watched,
)

PAGES = {
    "Overview": "Alerts.Read",
    "Alerts": "Alerts.Read",
    "Traces": "Traces.Read",
    "Exports": "Evidence.Read",
    "Costs": "Costs.Read",
    "Access log": "Audit.Read",
}
"""By what they are called in the navigation: the role that opens them."""

PROBLEM = {
    "title": "Storage is not available",
    "status": 503,
    "detail": "It did not answer.",
    "next_step": "Ask again in a minute.",
    "instance": "urn:uuid:11111111-2222-4333-8444-555555555555",
}


def navigation(page: Page) -> list[str]:
    """Return what the navigation offers."""
    return page.get_by_role("navigation", name="Pages").get_by_role("link").all_inner_texts()


def shown(page: Page) -> tuple[str, str]:
    """Return all that a page says, and its title."""
    return page.locator("body").inner_text(), page.title()


def test_a_page_that_breaks_a_policy_or_asks_elsewhere_is_seen_to(browser: Browser, stack: Stack) -> None:
    page = open_page(browser, stack, "visitor", "/portal")
    assert watched(page).faults == []
    for fault, told in (
        ("document.body.innerHTML = '<b>x</b>'", "TrustedHTML"),
        ("document.body.setAttribute('style', 'color: red')", "style-src"),
        ("fetch('https://127.0.0.1:1/').catch(() => null)", "connect-src"),
        ("console.error('broken')", "broken"),
        ("setTimeout(() => { throw new Error('thrown') })", "thrown"),
    ):
        page.evaluate(f"() => {{ try {{ {fault} }} catch {{ }} }}")
        page.wait_for_timeout(100)
        assert told in "\n".join(watched(page).faults)
        watched(page).faults.clear()


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1280, "light")])
def test_who_has_no_role_is_told_so_and_sees_no_names_of_pages(
    browser: Browser, stack: Stack, width: int, scheme: Scheme
) -> None:
    page = open_page(browser, stack, "visitor", "/portal?view=costs", width, scheme)
    expect(page.get_by_role("heading")).to_have_text("No access")
    expect(page.get_by_role("navigation")).to_have_count(0)
    assert [name for name in PAGES if name in shown(page)[0]] == []
    expect(page.get_by_text("Signed in as visitor")).to_be_visible()
    expect(page.get_by_role("link", name="Sign out")).to_have_attribute("href", "/.auth/logout")
    assert axe_faults(page) == []
    assert overflow(page) == 0
    assert watched(page).faults == []


@pytest.mark.parametrize(
    ("who", "roles"),
    [
        ("operator", {"Alerts.Read"}),
        ("auditor", {"Traces.Read", "Evidence.Read"}),
        ("officer", {"Audit.Read"}),
        ("finops", {"Costs.Read"}),
        ("engineer", set(PAGES.values())),
    ],
)
def test_the_navigation_has_the_pages_of_ones_roles_and_the_first_opens(
    browser: Browser, stack: Stack, who: str, roles: set[str]
) -> None:
    page = open_page(browser, stack, who, "/portal")
    mine = [name for name, role in PAGES.items() if role in roles]
    assert navigation(page) == mine
    expect(page.locator("#pages [aria-current]")).to_have_text(mine[0])
    assert page.title() == f"{mine[0]} · Tracekeeper"
    assert watched(page).faults == []


def test_a_page_that_one_may_not_open_looks_as_one_that_there_is_not(browser: Browser, stack: Stack) -> None:
    page = open_page(browser, stack, "finops", "/portal?view=nothing")
    nothing = shown(page)
    expect(page.get_by_role("heading")).to_have_text("No such page")
    assert axe_faults(page) == []
    for address in (
        "view=overview",
        "view=alerts&state=open",
        f"alert={'a' * 16}&do=ack",
        f"view=trace&alert={'a' * 16}&trace={'b' * 32}",
        "view=exports",
        "view=access",
        "view=constructor",
        "view=",
    ):
        asked: list[str] = []
        page.on("request", lambda request, asked=asked: asked.append(request.url))
        page.goto(f"{stack.host_url}/portal?{address}")
        settled(page)
        assert shown(page) == nothing
        assert {url for url in asked if "/api/" in url} == {f"{stack.host_url}/api/v1/me"}
    assert watched(page).faults == []


def test_who_signs_in_comes_back_to_the_page_and_its_filters(browser: Browser, stack: Stack) -> None:
    context = browser.new_context(ignore_https_errors=True)
    page = watch(context.new_page(), stack)
    address = f"{stack.host_url}/portal?view=overview&agent=dispatcher&owner=a%26b"
    page.goto(address)
    page.get_by_role("button", name="operator").click()  # the local sign-in asks who it is
    settled(page)
    assert page.url == address
    expect(page.get_by_text("Signed in as operator")).to_be_visible()
    tab_to(page, page.get_by_role("link", name="Sign out"))
    press(page, "Enter")
    expect(page.get_by_text("You are signed out.")).to_be_visible()


def unreachable(route: Route) -> None:
    route.abort()


def unavailable(route: Route) -> None:
    route.fulfill(json=PROBLEM, status=503)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (unreachable, ["The service could not be reached.", "Load the page again."]),
        (
            unavailable,
            [*(PROBLEM[name] for name in ("title", "detail", "next_step")), "11111111-2222-4333-8444"],
        ),
    ],
)
def test_a_service_that_does_not_answer_is_told_in_words(
    browser: Browser, stack: Stack, answer: object, words: list[str]
) -> None:
    page = open_page(browser, stack, "operator", "/portal")
    page.route("**/api/v1/me", answer)
    page.reload()
    told = page.get_by_role("alert")
    for part in words:
        expect(told).to_contain_text(part)
    expect(page.get_by_role("navigation")).to_have_count(0)
    assert axe_faults(page) == []
    assert watched(page).faults == []


def test_a_page_whose_script_is_not_to_be_had_says_so(browser: Browser, stack: Stack) -> None:
    page = open_page(browser, stack, "operator", "/portal")
    page.route("**/portal/overview_page.js", unreachable)
    page.reload()
    expect(page.get_by_role("alert")).to_contain_text("This can't be shown.")
    assert "overview_page.js" in "\n".join(watched(page).faults)  # and who opens the console sees why


def test_by_keyboard_one_skips_to_the_content_and_sees_times_in_utc(browser: Browser, stack: Stack) -> None:
    page = open_page(browser, stack, "operator", "/portal", timezone_id="Asia/Kolkata")
    press(page, "Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    press(page, "Enter")
    expect(page.locator("main")).to_be_focused()
    since = page.get_by_role("region", name="Configuration").locator("time")
    local, utc = since.inner_text(), str(since.get_attribute("title"))
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", utc)
    assert not local.endswith("UTC")
    tab_to(page, page.get_by_role("button", name="Times are those of Asia"))
    press(page, "Enter")
    expect(since).to_have_text(utc)
    expect(page.get_by_role("status")).to_have_text("Times are UTC.")
    page.reload()
    settled(page)
    expect(since).to_have_text(utc)
    expect(since).to_have_attribute("title", local)


def test_every_file_has_the_policy_and_is_sent_again_only_if_it_has_changed(stack: Stack) -> None:
    with requests.Session() as session:
        session.verify, session.trust_env = str(stack.ca), False
        for path in ("portal", *(f"portal/{name}" for name in portal_files())):
            first = session.get(f"{stack.host_url}/{path}", timeout=30)
            assert first.status_code == 200
            tag = first.headers["ETag"]
            again = session.get(f"{stack.host_url}/{path}", headers={"If-None-Match": tag}, timeout=30)
            assert (again.status_code, again.content) == (304, b"")
            for answer in (first, again):
                assert answer.headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
                assert answer.headers["Cache-Control"] == "no-cache"
