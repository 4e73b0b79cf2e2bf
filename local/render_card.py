"""Draws one Adaptive Card to a PNG as the Teams inbox shows it, in headless Chromium.

    python -m local.render_card CARD.json OUT.png

CARD.json is a card, or a whole message for a Workflows webhook.
"""

import argparse
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
from playwright.sync_api import sync_playwright

from local.serving import Service
from local.teams_inbox import CARD_TYPE, TeamsInbox

PHONE_WIDTH = 420
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def main(arguments: Sequence[str]) -> int:
    """Draw the card; 1 where there is no browser."""
    parser = argparse.ArgumentParser(prog="python -m local.render_card", description=__doc__.splitlines()[0])
    parser.add_argument("card", type=Path, metavar="CARD.json")
    parser.add_argument("picture", type=Path, metavar="OUT.png")
    options = parser.parse_args(arguments)
    try:
        render_card(orjson.loads(options.card.read_bytes()), options.picture)
    except FileNotFoundError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def render_card(card: Mapping[str, Any], picture: Path) -> None:
    """Write a PNG of a card, or of all cards of a message, at the width of a phone.

    Raises:
        FileNotFoundError: Chromium or the card renderer is not installed; the message says how to get it.
    """
    browser_path = find_browser()
    message = card if card.get("type") == "message" else _wrap(card)
    inbox = TeamsInbox(journal=None)
    inbox.accept(message, {}, len(orjson.dumps(message)))
    with Service(inbox, certificates=None) as service, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=list(_FLAGS))
        page = browser.new_page(viewport={"width": PHONE_WIDTH, "height": 200}, device_scale_factor=2)
        page.goto(service.url)
        page.wait_for_selector("body[data-shown='1']")
        page.screenshot(path=picture, full_page=True)
        browser.close()


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
