"""Makes the pictures of what we write besides pages: cards and the comparison of two releases."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson
from playwright.sync_api import Browser

from functions.release.compare import compare
from functions.release.compare_html import page
from functions.release.compare_words import Comparison
from local.images.camera import View, picture
from local.render_card import render_card
from tests.unit.release.made_up import AGENTS, NEW, OLD, Ways, two

CARDS = tuple(sorted((Path(__file__).parents[2] / "tests" / "golden" / "cards").glob("*.json")))

NAMES = (*(f"cards/{path.stem}.png" for path in CARDS), "comparison.png")

_SINCE, _UNTIL = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 20, tzinfo=UTC)
_SEED = 5
_WORSE = Ways(looks_up=0.6, other_tool=0.06, dearer=2.2)


def pictures(browser: Browser) -> Iterator[tuple[str, bytes]]:
    """Yield each picture with its name."""
    with TemporaryDirectory() as made:
        folder = Path(made)
        for path in CARDS:
            drawn = folder / f"{path.stem}.png"
            render_card(browser, orjson.loads(path.read_bytes()), drawn)
            yield f"cards/{drawn.name}", drawn.read_bytes()
        file = folder / "comparison.html"
        file.write_text(_comparison(), encoding="utf-8")
        yield "comparison.png", picture(browser, View(file.as_uri(), width=860, height=760))


def _comparison() -> str:
    runs = two(_SEED, Ways(), _WORSE, runs=120)
    return page(
        Comparison(OLD, NEW, _SINCE, _UNTIL, compare(runs, AGENTS, OLD, NEW), "USD", date(2026, 11, 1))
    )
