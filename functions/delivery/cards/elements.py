"""Puts texts together as an Adaptive Card 1.5 in the message that a Workflows webhook posts. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from functions.alerts.escaping import escape
from functions.alerts.rules import Mention
from functions.errors import TracekeeperError
from functions.storage.documents import encode

MAX_BYTES = 20_000
"""Teams drops what is over 28,672 bytes of its own encoding without a word; this leaves it room."""

Element = dict[str, Any]


def message(
    body: Sequence[Element],
    actions: Iterable[Element] = (),
    *,
    headline: str,
    about: str,
    mention: Mention | None = None,
) -> Mapping[str, Any]:
    """Return the message that posts one card.

    Args:
        body: The card's elements.
        actions: Its buttons.
        headline: What a notification and a client that can't draw cards show. Escaped.
        about: What the card is of, as an error names it.
        mention: Whom `mentioned` calls in the body.

    Raises:
        TracekeeperError: The card is larger than Teams takes; it names what it is of and the size.
    """
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.5",
        "msteams": {"width": "Full", **({"entities": [_entity(mention)]} if mention else {})},
        "fallbackText": headline,
        "body": list(body),
        "actions": list(actions),
    }
    whole = {
        "type": "message",
        "attachments": [
            {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
        ],
    }
    size = len(encode(whole))
    if size > MAX_BYTES:
        raise TracekeeperError(
            f"A card of {about} has {size} bytes; Teams takes {MAX_BYTES}.",
            next_step="Shorten the check's title, triage or list of shown columns.",
        )
    return whole


def header(style: str, headline: str, sentences: str) -> Element:
    """Return the coloured top of a card: what happened in one line, and a little more about it."""
    return {
        "type": "Container",
        "style": style,
        "bleed": True,
        "items": [
            {"type": "TextBlock", "text": headline, "weight": "Bolder", "size": "Medium", "wrap": True},
            {"type": "TextBlock", "text": sentences, "wrap": True, "spacing": "Small"},
        ],
    }


def paragraph(text: str, **look: Any) -> Element:
    """Return a paragraph; its text is read as Markdown."""
    return {"type": "TextBlock", "text": text, "wrap": True, **look}


def table(facts: Iterable[tuple[str, str]]) -> Element:
    """Return names and values, one pair a line. Both are read as Markdown."""
    return {"type": "FactSet", "facts": [{"title": title, "value": value} for title, value in facts]}


def as_it_stands(text: str) -> Element:
    """Return a text to be copied: no client reads it as Markdown."""
    run = {"type": "TextRun", "text": text, "fontType": "Monospace", "size": "Small"}
    return {"type": "RichTextBlock", "inlines": [run]}


def text_table(lines: Iterable[str], room: int = MAX_BYTES - 2_000) -> Iterator[Element]:
    """Yield lines in a font of one width, as far as they fit into `room` bytes; empty ones part sections.

    Each is an element of its own, and its spaces are those that don't break: Markdown would join the lines,
    and clients differ in what a line's end means. What a line names is escaped.
    """
    first = True
    for line in lines:
        if not line:
            first = True
            continue
        spacing = "Medium" if first else "None"
        text = line.replace(" ", "\u00a0")
        element = {"type": "TextBlock", "text": text, "fontType": "Monospace", "size": "Small"}
        element["spacing"] = spacing
        room -= len(encode(element)) + 1
        if room < 0:
            yield paragraph("The rest is too long for a card.", spacing="Medium")
            return
        yield element
        first = False


def button(title: str, url: str) -> Element:
    """Return a button that opens an address."""
    return {"type": "Action.OpenUrl", "title": title, "url": url}


def mentioned(mention: Mention) -> Element:
    """Return the line that calls a person in a card that has `mention`."""
    return paragraph(_at(mention), spacing="Small")


def _entity(mention: Mention) -> Element:
    """Return what makes a call of a text: learn.microsoft.com/microsoftteams, "Mention support"."""
    return {
        "type": "mention",
        "text": _at(mention),
        "mentioned": {"id": mention.user, "name": escape(mention.name)},
    }


def _at(mention: Mention) -> str:
    return f"<at>{escape(mention.name)}</at>"
