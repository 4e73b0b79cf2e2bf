"""What this project uses of Adaptive Cards 1.5, so that a card can be judged without the schema at hand.

From https://adaptivecards.io/explorer/ and, for the message around a card,
https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using.
"""

from collections.abc import Iterator, Mapping
from typing import Any

SPACING = {"default", "none", "small", "medium", "large", "extraLarge", "padding"}
SIZES = {"default", "small", "medium", "large", "extraLarge"}
WEIGHTS = {"default", "lighter", "bolder"}
FONTS = {"default", "monospace"}
STYLES = {"default", "emphasis", "good", "attention", "warning", "accent"}

REQUIRED: Mapping[str, Mapping[str, type]] = {
    "AdaptiveCard": {"type": str, "version": str, "body": list},
    "TextBlock": {"type": str, "text": str},
    "FactSet": {"type": str, "facts": list},
    "Container": {"type": str, "items": list},
    "RichTextBlock": {"type": str, "inlines": list},
    "TextRun": {"type": str, "text": str},
    "Action.OpenUrl": {"type": str, "url": str},
}
OPTIONAL: Mapping[str, Mapping[str, type | set[str]]] = {
    "AdaptiveCard": {"$schema": str, "fallbackText": str, "actions": list, "msteams": dict},
    "TextBlock": {
        "wrap": bool,
        "separator": bool,
        "size": SIZES,
        "weight": WEIGHTS,
        "spacing": SPACING,
        "fontType": FONTS,
    },
    "FactSet": {"spacing": SPACING},
    "Container": {"style": STYLES, "bleed": bool},
    "RichTextBlock": {},
    "TextRun": {"size": SIZES, "fontType": FONTS},
    "Action.OpenUrl": {"title": str},
}


def card_of(message: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the card in a message, which must have the form that a Workflows webhook takes."""
    (attachment,) = message["attachments"]
    assert message == {"type": "message", "attachments": [attachment]}
    assert attachment == {
        "contentType": "application/vnd.microsoft.card.adaptive",
        "contentUrl": None,
        "content": attachment["content"],
    }
    return attachment["content"]  # type: ignore[no-any-return]  # JSON


def problems(card: Mapping[str, Any]) -> list[str]:
    """Return everything in which a card strays from what is written above."""
    found = [*_problems(card, {"AdaptiveCard"}), *_mention_problems(card)]
    return found if card.get("version") == "1.5" else [*found, "the version is not 1.5"]


def texts(card: Mapping[str, Any]) -> Iterator[str]:
    """Yield every text of a card that a person sees."""
    for name, value in card.items():
        if name == "msteams":  # its entities only say again what a text of the card means
            continue
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, Mapping):
                yield from texts(one)
            elif name in {"text", "title", "value", "fallbackText"}:
                yield one


def _mention_problems(card: Mapping[str, Any]) -> Iterator[str]:
    """Yield what keeps mentions from calling anybody.

    From https://learn.microsoft.com/microsoftteams/platform/task-modules-and-cards/cards/cards-format.
    """
    shown = list(texts(card))
    entities = card.get("msteams", {}).get("entities", ())
    for entity in entities:
        if entity.keys() != {"type", "text", "mentioned"} or entity["mentioned"].keys() != {"id", "name"}:
            yield "a mention is more or less than its type, its text and who is meant"
        elif not any(entity["text"] in text for text in shown):
            yield "a mention's text is nowhere in the card"
    called = [text for text in shown if "<at>" in text]
    if len(called) != len(entities):
        yield f"{len(called)} texts call somebody, and {len(entities)} entities say whom"


def _problems(element: Mapping[str, Any], allowed: set[str]) -> Iterator[str]:
    kind = element.get("type", "")
    if kind not in allowed:
        yield f"{kind or 'an element without type'} is not one of {sorted(allowed)}"
        return
    required, optional = REQUIRED[kind], OPTIONAL[kind]
    yield from (f"{kind} lacks {name}" for name in required if name not in element)
    for name, value in element.items():
        expected = required.get(name) or optional.get(name)
        if expected is None:
            yield f"{kind} has no property {name}"
        elif isinstance(expected, set):
            if value[:1].lower() + value[1:] not in expected:
                yield f"{kind}.{name} is {value}"
        elif not isinstance(value, expected):
            yield f"{kind}.{name} is a {type(value).__name__}"
    for part in (*element.get("body", ()), *element.get("items", ())):
        yield from _problems(part, {"TextBlock", "FactSet", "Container", "RichTextBlock"})
    for run in element.get("inlines", ()):
        yield from _problems(run, {"TextRun"})
    for action in element.get("actions", ()):
        yield from _problems(action, {"Action.OpenUrl"})
    for fact in element.get("facts", ()):
        if {name: type(value) for name, value in fact.items()} != {"title": str, "value": str}:
            yield "a fact is more or less than a title and a value"
