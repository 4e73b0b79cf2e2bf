"""Reads where a check must fire and where it must stay quiet: tests/checks/<id>/fires.yaml and quiet.yaml."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from functions.config_faults import read_config_file

FIXTURES = Path(__file__).parent
"""One folder a check, named after it."""


@dataclass(frozen=True)
class Site:
    """What a case changes in the site of tests/checks/site, as bodies of the files there."""

    agents: Mapping[str, Any] = field(default_factory=dict)
    prices: tuple[Any, ...] | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """One named situation.

    Attributes:
        file: Its file, for messages.
        name: What the situation is.
        traces: As fixtures.schema.json has accepted them.
        expect: What must be found, likewise; empty where the check must stay quiet.
        site: Who the agents are and what models cost, where it differs.
        content_moved: Whether content goes to AppGenAIContent.
        alone: Whether it needs a workspace of its own.
    """

    file: Path
    name: str
    traces: tuple[Mapping[str, Any], ...]
    expect: tuple[Mapping[str, Any], ...]
    site: Site
    content_moved: bool
    alone: bool

    def __str__(self) -> str:
        return f"{self.file.parent.name}/{self.file.name}: {self.name}"


def read_cases(folder: Path) -> tuple[Case, ...]:
    """Return the cases of a check's two files.

    Raises:
        ConfigurationError: A file is missing or wrong; the message names file, line and rule.
    """
    return (*_cases(folder / "fires.yaml"), *_cases(folder / "quiet.yaml"))


def _cases(path: Path) -> Iterator[Case]:
    file = read_config_file(path, _schema())
    shared = file.body.get("site", {})
    for name, body in file.body.items():
        if name == "site":
            continue
        if ("expect" in body) != (path.name == "fires.yaml"):
            rule = "lacks expect" if path.name == "fires.yaml" else "expects something, though it is quiet"
            raise file.wrong((name,), rule, next_step="Move the case to the other file or correct it.")
        yield Case(
            file=path,
            name=name,
            traces=tuple(body["traces"]),
            expect=tuple(body.get("expect", ())),
            site=_site(shared, body),
            content_moved=body.get("content", "moved") == "moved",
            alone=body.get("alone", False),
        )


def _site(shared: Mapping[str, Any], own: Mapping[str, Any]) -> Site:
    prices = own.get("prices", shared.get("prices"))
    return Site(
        agents={**shared.get("agents", {}), **own.get("agents", {})},
        prices=None if prices is None else tuple(prices),
        attributes={**shared.get("attributes", {}), **own.get("attributes", {})},
    )


@cache
def _schema() -> Mapping[str, Any]:
    schema: Mapping[str, Any] = json.loads((FIXTURES / "fixtures.schema.json").read_text("utf-8"))
    return schema


def keys_of_the_form() -> set[str]:
    """Return every key that a fixture may use."""
    parts = _schema()["$defs"].values()
    return {key for part in parts for key in part.get("properties", {})}
