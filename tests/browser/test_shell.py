"""The frame of all pages, in a browser on the whole service."""

import pytest
from playwright.sync_api import Browser, expect

from local.stack import Stack
from tests.browser.pages import Scheme, axe_faults, open_page, overflow, watched


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
    page = open_page(browser, stack, "visitor", "/portal", width, scheme)
    expect(page.get_by_role("heading")).to_have_text("No access")
    expect(page.get_by_role("navigation")).to_have_count(0)
    expect(page.get_by_text("Signed in as visitor")).to_be_visible()
    assert axe_faults(page) == []
    assert overflow(page) == 0
    assert watched(page).faults == []
