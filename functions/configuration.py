"""Turns the shipped defaults and a site's files into one validated, hashed, frozen configuration."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import orjson

from functions.alerts.rules import AlertRules, alert_rules
from functions.checks.definition import CheckDefinition, check_definition
from functions.config_file import ConfigFile, read_config_file
from functions.config_rules import hold_to_rules
from functions.costs.prices import Prices, prices
from functions.errors import ConfigurationError
from functions.traces.agents import Agents, agents

SHIPPED = Path(__file__).resolve().parent.parent / "config"
"""The defaults that come with the product, and the schemas for all."""

_REQUIRED = ("agents.yaml", "prices.yaml", "alerts.yaml", "redaction.yaml")


@dataclass(frozen=True, slots=True)
class Configuration:
    """Everything that config files decide.

    Attributes:
        checks: In the order of their ids.
        agents: Who the agents are and what they owe.
        prices: What models cost.
        alerts: When alerts are sent and where to.
        redaction: redaction.yaml as its schema accepted it.
        hash: SHA-256, hex, of the canonical JSON of all files by name.
    """

    checks: tuple[CheckDefinition, ...]
    agents: Agents
    prices: Prices
    alerts: AlertRules
    redaction: Mapping[str, Any]
    hash: str


def load_configuration(*folders: Path) -> Configuration:
    """Load the files of `folders`; those of a later folder replace those of the same name.

    Raises:
        ConfigurationError: A file is missing, unknown or wrong; the message names file, line and rule.
    """
    found = {name: path for folder in folders for name, path in _files(folder)}
    for name in _REQUIRED:
        if name not in found:
            raise ConfigurationError(
                f"{name} is missing.", next_step=f"Put it into {folders[0]} or restore the shipped one."
            )
    files = {name: _read(name, path) for name, path in sorted(found.items())}
    checks = [file for name, file in files.items() if name.startswith("checks/")]
    if not checks:
        raise ConfigurationError(
            "There is no check.", next_step="Put one into checks/ or restore the shipped ones."
        )
    hold_to_rules(files)
    bodies = {name: file.body for name, file in files.items()}
    return Configuration(
        checks=tuple(check_definition(file.body) for file in checks),
        agents=agents(bodies["agents.yaml"]),
        prices=prices(bodies["prices.yaml"]),
        alerts=alert_rules(bodies["alerts.yaml"]),
        redaction=bodies["redaction.yaml"],
        hash=hashlib.sha256(orjson.dumps(bodies, option=orjson.OPT_SORT_KEYS)).hexdigest(),
    )


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    if not folder.is_dir():
        raise ConfigurationError(
            f"The folder {folder} does not exist.", next_step="Correct the setting CONFIG_DIRECTORY."
        )
    folder = folder.resolve()
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_dir() or path.name.startswith(".") or path.parent == SHIPPED / "schemas":
            continue
        if name not in _REQUIRED and not _is_check(path.relative_to(folder)):
            raise ConfigurationError(
                f"{path} is not a known config file.",
                next_step=f"Known are {', '.join(_REQUIRED)} and checks/<id>.yaml; rename or remove it.",
            )
        yield name, path


def _is_check(path: Path) -> bool:
    return path.parent == Path("checks") and path.suffix == ".yaml"


def _read(name: str, path: Path) -> ConfigFile:
    return read_config_file(path, _schema("check" if _is_check(Path(name)) else path.stem))


@cache
def _schema(kind: str) -> Mapping[str, Any]:
    schema: Mapping[str, Any] = json.loads((SHIPPED / "schemas" / f"{kind}.schema.json").read_text("utf-8"))
    return schema
