"""The rules that redaction.yaml obeys beyond its schema: what may never be written, whatever a site wants."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from functions.config_file import ConfigFile, Place
from functions.errors import ConfigurationError
from functions.evidence.redaction.policy import SHAPES_WITH_WORDS, entries

Errors = Iterator[ConfigurationError]


def policy_breaches(file: ConfigFile) -> Errors:
    """Yield an error for every rule of a policy that keeps too much or says nothing.

    Args:
        file: What of redaction.yaml its schema accepts.
    """
    for place, _, table, name, action in entries(file.body):
        if name.endswith("*"):
            yield from _careless_prefix(file, place, action)
        if action == "mask":
            yield from _misplaced_mask(file, place)
        elif table == "AppGenAIContent":
            yield from _kept_content(file, place, action)
        yield from _disordered(file, place, action)


def _careless_prefix(file: ConfigFile, place: Place, action: Any) -> Errors:
    """A prefix is for names that nobody has seen: what stands under them may be anything."""
    if action == "mask":
        yield file.wrong(
            place,
            "would show free text by a prefix",
            next_step="Name each attribute whose text is to be masked.",
        )
    elif isinstance(action, dict) and action.get("keep") in SHAPES_WITH_WORDS:
        yield file.wrong(
            place,
            f"would keep words (the shape {action['keep']}) by a prefix",
            next_step="Name each attribute, or keep integer, number, boolean, instant, one_of or each_of.",
        )


def _misplaced_mask(file: ConfigFile, place: Place) -> Errors:
    if place[:2] != ("profiles", "content"):
        yield file.wrong(
            place,
            "would show text in the profile metadata, which shows none",
            next_step="Put the rule under profiles.content, and drop the attribute here.",
        )


def _kept_content(file: ConfigFile, place: Place, action: Any) -> Errors:
    if action != "drop":
        yield file.wrong(
            place,
            "is content, which is masked or dropped",
            next_step="Give drop, or mask under profiles.content.",
        )


def _disordered(file: ConfigFile, place: Place, action: Any) -> Errors:
    coarser = action.get("generalize") if isinstance(action, dict) else None
    bounds = coarser.get("buckets", []) if isinstance(coarser, dict) else []
    if any(low >= high for low, high in pairwise(bounds)):
        yield file.wrong(
            (*place, "generalize", "buckets"),
            "must ascend",
            next_step="Order the bounds from the lowest to the highest.",
        )
