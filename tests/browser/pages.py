"""Opens pages of the portal as somebody, watches them for faults, and asks axe-core about them."""

from dataclasses import dataclass, field
from typing import Any, Literal
from weakref import WeakKeyDictionary

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, Request, expect

from local.node import find_module_file
from local.stack import Stack

Scheme = Literal["light", "dark"]

_MOST_TABS = 80
_WATCHES: "WeakKeyDictionary[Page, Watch]" = WeakKeyDictionary()


@dataclass  # without slots, since Playwright puts its own things on it
class Watch:
    """What a page did that it must not: errors on its console, policies broken, other hosts asked.

    What the browser itself writes on the console of an answer that is no success is no fault of the page, if
    it is the API's answer.
    """

    origin: str
    faults: list[str] = field(default_factory=list)

    def console(self, message: ConsoleMessage) -> None:
        """Hear what is written on the console."""
        answer = message.text.startswith("Failed to load resource")
        if message.type == "error" and not (
            answer and message.location["url"].startswith(f"{self.origin}/api/v1/")
        ):
            self.faults.append(f"{message.text} {message.location['url']}")

    def request(self, request: Request) -> None:
        """Hear what is asked for."""
        if not request.url.startswith((f"{self.origin}/", f"blob:{self.origin}/")):
            self.faults.append(f"asked for {request.url}")


def watched(page: Page) -> Watch:
    """Return what was seen of the page since it was opened."""
    return _WATCHES[page]


def watch(page: Page, stack: Stack) -> Page:
    """Watch a page from now on."""
    seen = Watch(stack.host_url)
    _WATCHES[page] = seen
    page.on("console", seen.console)
    page.on("pageerror", lambda error: seen.faults.append(str(error)))
    page.on("request", seen.request)
    return page


def sign_in(context: BrowserContext, stack: Stack, who: str) -> None:
    """Sign in as who has used the service before: on Azure the session of the tenant does the same."""
    answer = context.request.post(f"{stack.host_url}/.auth/login/aad", form={"user": who})
    assert answer.ok


def open_page(  # noqa: PLR0917 - what every test says, in the order of a sentence
    browser: Browser,
    stack: Stack,
    who: str,
    address: str,
    width: int = 1280,
    scheme: Scheme = "light",
    **context: Any,
) -> Page:
    """Return a page of the portal, watched, once it shows what it was opened for.

    Args:
        browser: Where.
        stack: The service.
        who: One of the people in people.py, who is signed in.
        address: Such as "/portal?view=alerts".
        width: Of the screen, in CSS pixels.
        scheme: Light or dark.
        context: More for Playwright, such as `timezone_id`.
    """
    context = {"timezone_id": "UTC", "locale": "en-GB", **context}
    made = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, ignore_https_errors=True, **context
    )
    sign_in(made, stack, who)
    page = watch(made.new_page(), stack)
    page.goto(stack.host_url + address)
    settled(page)
    return page


def settled(page: Page) -> None:
    """Wait until the page has a heading, and nothing of it is loading."""
    expect(page.locator("main h1").first).to_be_visible()
    expect(page.locator("main .loading")).to_have_count(0)


def axe_faults(page: Page) -> list[str]:
    """Return what axe-core finds serious or critical in the page as it is now."""
    try:
        axe = find_module_file("axe-core/axe.min.js").read_text(encoding="utf-8")
    except FileNotFoundError as missing:
        pytest.skip(str(missing))
    seen = watched(page).faults
    before = len(seen)
    page.evaluate(axe)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    del seen[before:]  # what axe does to the page is no fault of the page
    assert len(found["passes"]) > 10
    return [
        f"{one['id']} ({one['impact']}): {node['html']}"
        for one in found["violations"]
        if one["impact"] in {"serious", "critical"}
        for node in one["nodes"]
    ]


def overflow(page: Page) -> int:
    """Return by how many pixels the document is wider than the screen."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def press(page: Page, *keys: str) -> None:
    """Press keys one after the other, by their names: Tab, Enter, Space, ArrowDown, a."""
    for key in keys:
        page.keyboard.press(key)


def tab_to(page: Page, wanted: Locator) -> None:
    """Press Tab until the element has the focus, and see to it that the focus shows."""
    for _ in range(_MOST_TABS):
        if wanted.evaluate("node => node === document.activeElement"):
            style = wanted.evaluate("node => getComputedStyle(node).outlineStyle")
            assert style != "none", "the focus does not show"
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"no Tab leads to {wanted}")
