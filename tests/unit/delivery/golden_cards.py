"""The cards and events of all kinds, as they are kept in tests/golden.

`python -m tests.unit.delivery.golden_cards` writes them anew; read the difference before you commit it.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from functions.alerts.rules import Mention
from functions.alerts.told_as import told_as_it_is
from functions.delivery.cards.writer import CardWriter
from functions.delivery.events import EventWriter
from functions.delivery.interface import Writer
from tests.unit.alerts.news import BASE_URL, storm, tellings

GOLDEN = Path(__file__).parents[2] / "golden"
MENTIONS = {"platform": Mention("Ada Lovelace", "ada@example.com")}
CARDS = CardWriter(BASE_URL, told_as_it_is, MENTIONS)
EVENTS = EventWriter(BASE_URL, told_as_it_is)
DIGEST_KEY = "digest-teams-1"


def cards() -> Mapping[str, Mapping[str, Any]]:
    """Return the messages with cards, by name."""
    return _written(CARDS, storm(5000))


def events() -> Mapping[str, Mapping[str, Any]]:
    """Return the events by name; their digest is of a small storm, since it holds all of it."""
    return _written(EVENTS, storm(3))


def pretty(message: Mapping[str, Any]) -> bytes:
    """Return a message as its file holds it."""
    return orjson.dumps(message, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _written(writer: Writer, many: Any) -> Mapping[str, Mapping[str, Any]]:
    one = {name: writer.one(telling) for name, telling in tellings().items()}
    return one | {"digest": writer.digest(DIGEST_KEY, many)}


if __name__ == "__main__":
    for folder, messages in (("cards", cards()), ("events", events())):
        (GOLDEN / folder).mkdir(exist_ok=True)
        for name, message in messages.items():
            (GOLDEN / folder / f"{name}.json").write_bytes(pretty(message))
