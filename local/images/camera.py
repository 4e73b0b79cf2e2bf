"""Takes pictures of pages, and refuses one that shows or says that something is wrong."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from playwright.sync_api import Browser, ConsoleMessage, FloatRect, Locator, Page, expect

SHARP = 2
MOST_BYTES = 300_000
"""A picture that would be larger is taken with one pixel for each of CSS."""

Scheme = Literal["light", "dark"]

_LOADED = 60_000  # ms
_MARGIN = 16  # CSS pixels around a part
_WRONG = ("No such page", "No access")


class PictureError(Exception):
    """What was to be seen is not as it has to be; the message says what is."""


@dataclass(frozen=True, slots=True)
class View:
    """A page as somebody sees it.

    Attributes:
        url: Of a web page, or of a file.
        width: Of the screen, in CSS pixels.
        height: Of the screen; the picture ends there, or earlier where the page does.
        scheme: Light or dark.
        user: Who is signed in; None for files.
        prepare: Makes it show what the picture is about.
        part: A CSS selector of the part that is taken; None takes the top of the page.
        until: A CSS selector of the last part of the top, in place of a height.
    """

    url: str
    width: int = 1280
    height: int = 1000
    scheme: Scheme = "light"
    user: str | None = None
    prepare: Callable[[Page], None] = field(default=lambda page: None)  # noqa: ARG005 - nothing to prepare
    part: str | None = None
    until: str | None = None


def picture(browser: Browser, view: View) -> bytes:
    """Return a PNG, as sharp as its size allows.

    Raises:
        PictureError: The page shows an error, or wrote one on its console.
    """
    sharp = _taken(browser, view, SHARP)
    return sharp if len(sharp) <= MOST_BYTES else _taken(browser, view, 1)


def _taken(browser: Browser, view: View, scale: int) -> bytes:
    context = browser.new_context(
        viewport={"width": view.width, "height": view.height},
        device_scale_factor=scale,
        color_scheme=view.scheme,
        locale="en-GB",
        timezone_id="UTC",
        ignore_https_errors=True,
    )
    faults: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type == "error":
            faults.append(message.text)

    try:
        if view.user is not None:
            origin = view.url.partition("/portal")[0]
            context.request.post(f"{origin}/.auth/login/aad", form={"user": view.user})
        page = context.new_page()
        page.on("console", hear)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(view.url)
        _settle(page)
        view.prepare(page)
        _settle(page)
        faults += _shown_faults(page)
        if faults:
            message = f"{view.url} shows or says: {'; '.join(faults)}"
            raise PictureError(message)
        return _top(page, view) if view.part is None else _part(page, view.part)
    finally:
        context.close()


def _settle(page: Page) -> None:
    page.wait_for_load_state("networkidle")
    expect(page.locator(".loading")).to_have_count(0, timeout=_LOADED)


def _shown_faults(page: Page) -> list[str]:
    found = [_words(one) for one in page.locator(".refused").all()]
    return found + [name for name in page.locator("h1").all_inner_texts() if name in _WRONG]


def _words(shown: Locator) -> str:
    return " ".join(shown.inner_text().split())


def _part(page: Page, selector: str) -> bytes:
    box = _box(page, selector)
    clip: FloatRect = {
        "x": box["x"] - _MARGIN,
        "y": box["y"] - _MARGIN,
        "width": box["width"] + 2 * _MARGIN,
        "height": box["height"] + 2 * _MARGIN,
    }
    return page.screenshot(clip=clip, full_page=True, animations="disabled")


def _top(page: Page, view: View) -> bytes:
    if view.until is None:
        whole = float(page.evaluate("document.documentElement.getBoundingClientRect().height"))
        height = min(whole, view.height)
    else:
        box = _box(page, view.until)
        height = box["y"] + box["height"] + _MARGIN
    clip: FloatRect = {"x": 0, "y": 0, "width": view.width, "height": height}
    return page.screenshot(clip=clip, full_page=True, animations="disabled")


def _box(page: Page, selector: str) -> FloatRect:
    box = page.locator(selector).first.bounding_box()
    if box is None:
        message = f"{selector} is not to be seen"
        raise PictureError(message)
    return box
