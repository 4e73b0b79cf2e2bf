"""Draws Adaptive Cards to PNGs as the Teams inbox shows them, in headless Chromium.

    python -m local.render_card CARD.json... --into FOLDER [--width PIXELS]

A CARD.json is a card, or a whole message for a Workflows webhook; its picture is FOLDER/CARD.png.
"""

import argparse
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
from playwright.sync_api import Browser, sync_playwright

from local.serving import Service
from local.teams_inbox import CARD_TYPE, TeamsInbox

PHONE_WIDTH = 420
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_TALL = 4000
"""Pixels: nothing has to be scrolled, and so nothing lies under the page's head."""
_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def main(arguments: Sequence[str]) -> int:
    """Draw the cards; 1 where there is no browser."""
    parser = argparse.ArgumentParser(prog="python -m local.render_card", description=__doc__.splitlines()[0])
    parser.add_argument("cards", type=Path, metavar="CARD.json", nargs="+")
    parser.add_argument("--into", type=Path, metavar="FOLDER", required=True)
    parser.add_argument("--width", type=int, metavar="PIXELS", default=PHONE_WIDTH, help="of the screen")
    options = parser.parse_args(arguments)
    try:
        with browser() as opened:
            for path in options.cards:
                picture = options.into / f"{path.stem}.png"
                render_card(opened, orjson.loads(path.read_bytes()), picture, width=options.width)
    except FileNotFoundError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


@contextmanager
def browser() -> Iterator[Browser]:
    """Open a browser for `render_card`.

    Raises:
        FileNotFoundError: Chromium is not installed; the message says how to get it.
    """
    path = find_browser()
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=list(_FLAGS))
        yield opened
        opened.close()


def render_card(
    browser: Browser, card: Mapping[str, Any], picture: Path, *, width: int = PHONE_WIDTH
) -> None:
    """Write a PNG of a card, or of the first card of a message, on a screen of so many pixels.

    Raises:
        FileNotFoundError: The card renderer is not installed; the message says how to get it.
    """
    message = card if card.get("type") == "message" else _wrap(card)
    inbox = TeamsInbox(journal=None)
    inbox.accept(message, {}, len(orjson.dumps(message)))
    with Service(inbox, certificates=None) as service:
        page = browser.new_page(viewport={"width": width, "height": _TALL}, device_scale_factor=2)
        page.goto(service.url)
        page.wait_for_selector("body[data-shown='1']")
        page.locator(".card").first.screenshot(path=picture)
        page.close()


def find_browser() -> str:
    """The path of an installed Chromium.

    Raises:
        FileNotFoundError: There is none.
    """
    for name in _BROWSERS:
        if found := shutil.which(name):
            return found
    raise FileNotFoundError("Chromium is missing. Install it, for example with `apt-get install chromium`.")


def _wrap(card: Mapping[str, Any]) -> Mapping[str, Any]:
    return {
        "type": "message",
        "attachments": [{"contentType": CARD_TYPE, "contentUrl": None, "content": card}],
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
