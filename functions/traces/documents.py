"""Reads lists of document ids as telemetry carries them. Pure."""

import orjson

_BRACKETS = {("[", "]"), ("(", ")")}


def listed_documents(text: str) -> tuple[str, ...]:
    """Return the ids in a list: JSON, the text of a Python list or tuple, or parted by commas.

    Args:
        text: Hostile.
    """
    if text.startswith("["):
        try:
            items = orjson.loads(text)
        except orjson.JSONDecodeError:
            items = None
        if isinstance(items, list) and all(isinstance(item, str | int) for item in items):
            return tuple(filter(None, (str(item).strip() for item in items)))
    if (text[:1], text[-1:]) in _BRACKETS:
        text = text[1:-1]
    return tuple(filter(None, (_unquoted(item.strip()) for item in text.split(","))))


def _unquoted(item: str) -> str:
    quoted = len(item) >= 2 and item[0] == item[-1] and item[0] in {'"', "'"}
    return item[1:-1].strip() if quoted else item
