"""Turns the shipped defaults and a site's files into one validated, hashed, frozen configuration."""

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

import orjson

from functions.access.entries import UNLIMITED, AccessRules, access_rules
from functions.alerts.rules import AlertRules, alert_rules
from functions.checks.definition import CheckDefinition, check_definition
from functions.config_alerts import alert_breaches
from functions.config_environments import (
    in_each_environment,
    in_environment,
    override_breaches,
    unlisted,
)
from functions.config_exports import export_breaches
from functions.config_faults import schema_faults, sound_part, told, unreadable
from functions.config_file import ConfigFile, parse_config_file
from functions.config_rules import PART_DEPTHS, rule_breaches
from functions.costs.prices import Prices, prices
from functions.errors import ConfigurationError, together
from functions.evidence.selection.export_rules import ExportRules, export_rules
from functions.traces.agents import Agents, agents

SHIPPED = Path(__file__).resolve().parent.parent / "config"
"""The defaults that come with the product, and the schemas for all."""

_REQUIRED = ("agents.yaml", "prices.yaml", "alerts.yaml", "redaction.yaml")
_OPTIONAL = ("exports.yaml",)
_KNOWN = (*_REQUIRED, *_OPTIONAL)
_OF_PIPELINES = frozenset({"release.yaml"})
"""Files of the agents' pipelines, which may lie beside those of the app: no part of its configuration."""


@dataclass(frozen=True, slots=True)
class ConfigText:
    """A config file before it is read: its path, as errors name it, and its bytes."""

    path: Path
    data: bytes


Layer = Mapping[str, ConfigText]
"""Some files by their names, such as "agents.yaml" and "checks/slow_run.yaml"."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """Everything that config files decide.

    Attributes:
        checks: In the order of their ids.
        agents: Who the agents are and what they owe.
        prices: What models cost.
        alerts: When alerts are sent and where to.
        redaction: redaction.yaml as its schema accepted it.
        exports: What exports can be asked by, and which are made by themselves.
        access: How far roles reach.
        hash: SHA-256, hex, of the canonical JSON of all files by name, as they hold in the environment.
    """

    checks: tuple[CheckDefinition, ...]
    agents: Agents
    prices: Prices
    alerts: AlertRules
    redaction: Mapping[str, Any]
    exports: ExportRules
    hash: str
    access: AccessRules = UNLIMITED


def load_configuration(*folders: Path, environment: str | None = None) -> Configuration:
    """Load the files of `folders`; those of a later folder replace those of the same name.

    Args:
        folders: Where the files are.
        environment: The deployment's, whose overrides in agents.yaml hold; None where it has no name.

    Raises:
        ConfigurationError: Files are missing, unknown or wrong; every mistake, by file, line and rule.
    """
    return configuration_of(*map(read_folder, folders), environment=environment)


def read_folder(folder: Path) -> Layer:
    """Return the files in a folder but hidden ones and those of pipelines, unchecked.

    Raises:
        ConfigurationError: There is no such folder, or a file can't be read.
    """
    if not folder.is_dir():
        raise ConfigurationError(f"The folder {folder} does not exist.", next_step="Correct its name.")
    folder = folder.resolve()
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_dir() or path.name.startswith(".") or path.parent == SHIPPED / "schemas":
            continue
        if path.relative_to(folder).as_posix() in _OF_PIPELINES:
            continue
        try:
            found[path.relative_to(folder).as_posix()] = ConfigText(path, path.read_bytes())
        except OSError as error:
            raise unreadable(path, error) from error
    return found


def configuration_of(*layers: Layer, environment: str | None = None) -> Configuration:
    """Return what the files say; those of a later layer replace those of the same name.

    Args:
        layers: The files.
        environment: As for `load_configuration`.

    Raises:
        ConfigurationError: As for `load_configuration`.
    """
    texts = {name: text for layer in layers for name, text in layer.items()}
    mistakes = [*_misplaced(texts)]
    files: dict[str, ConfigFile] = {}
    for name in sorted(name for name in texts if _is_known(name)):
        try:
            files[name] = parse_config_file(texts[name].path, texts[name].data)
        except ConfigurationError as error:
            mistakes.append(error)
    mistakes += _mistakes(files, environment, unread=texts.keys() - files.keys())
    if mistakes:
        raise together(mistakes)
    files["agents.yaml"] = in_environment(files["agents.yaml"], environment)
    bodies = {name: file.body for name, file in files.items()}
    known = agents(bodies["agents.yaml"])
    owners = {agent.name: agent.owner for agent in known.by_name.values()}
    return Configuration(
        checks=tuple(check_definition(body) for name, body in bodies.items() if _is_check(name)),
        agents=known,
        prices=prices(bodies["prices.yaml"]),
        alerts=alert_rules(bodies["alerts.yaml"], agent_owners=owners, environment=environment),
        redaction=bodies["redaction.yaml"],
        exports=export_rules(bodies.get("exports.yaml", {})),
        access=access_rules(bodies["agents.yaml"].get("access", {})),
        hash=_hash_of(bodies),
    )


def agents_kept_as(name: str, texts: Layer) -> Agents:
    """Return the agents of a configuration that was in force, proven by its hash.

    It is not held to today's rules, which may be stricter than those of its time.

    Args:
        name: Its hash.
        texts: All of its files.

    Raises:
        ConfigurationError: The files can't be read, or are not those of the hash in any environment.
    """
    files = {file: parse_config_file(text.path, text.data) for file, text in texts.items()}
    for held in in_each_environment(files):
        merged = {file: parsed.body for file, parsed in held.items()}
        if _hash_of(merged) == name:
            return agents(merged["agents.yaml"])
    raise ConfigurationError(
        f"The files kept of the configuration {name[:12]} are not those that were in force.",
        next_step=f"Restore an earlier version of configurations/{name}.json in the container state.",
    )


def _hash_of(bodies: Mapping[str, Any]) -> str:
    return hashlib.sha256(orjson.dumps(bodies, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _misplaced(texts: Layer) -> Iterator[ConfigurationError]:
    """Find files that are missing or that nothing would read."""
    for name in _REQUIRED:
        if name not in texts:
            yield ConfigurationError(f"{name} is missing.", next_step="Add it or restore the shipped one.")
    if not any(map(_is_check, texts)):
        yield ConfigurationError(
            "There is no check.", next_step="Put one into checks/ or restore the shipped ones."
        )
    for name, text in texts.items():
        if not _is_known(name):
            yield ConfigurationError(
                f"{text.path} is not a known config file.",
                next_step=f"Known are {', '.join(_KNOWN)} and checks/<id>.yaml; rename or remove it.",
                place=(str(text.path), 0),
            )


def _mistakes(
    files: Mapping[str, ConfigFile], environment: str | None, *, unread: Collection[str]
) -> Sequence[ConfigurationError]:
    """Find all mistakes in the files: what YAML and the schemas refuse, then what the rules do."""
    found: list[ConfigurationError] = []
    sound, broken = {}, set(unread)
    for name, file in files.items():
        faults = schema_faults(file, _schema(_kind(name)))
        found += [*file.mistakes, *told(file, faults)]
        if faults or file.mistakes:
            broken.add(name)
        if isinstance(file.body, dict) and not file.mistakes:
            sound[name] = sound_part(file, faults, PART_DEPTHS)
    if "agents.yaml" in sound:
        found += override_breaches(sound["agents.yaml"])
        found += unlisted(sound["agents.yaml"], environment)
    found += alert_breaches(sound, broken)
    found += export_breaches(sound, broken)
    breaches = [breach for files in in_each_environment(sound) for breach in rule_breaches(files)]
    # What defaults say wrongly is wrong of many agents, but one mistake.
    return [*found, *{str(breach): breach for breach in breaches}.values()]


def _kind(name: str) -> str:
    return "check" if _is_check(name) else PurePosixPath(name).stem


def _is_known(name: str) -> bool:
    return name in _KNOWN or _is_check(name)


def _is_check(name: str) -> bool:
    path = PurePosixPath(name)
    return path.parent == PurePosixPath("checks") and path.suffix == ".yaml"


@cache
def _schema(kind: str) -> Mapping[str, Any]:
    schema: Mapping[str, Any] = json.loads((SHIPPED / "schemas" / f"{kind}.schema.json").read_text("utf-8"))
    return schema
