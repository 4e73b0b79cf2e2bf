"""Makes of agents.yaml what holds in one environment: defaults under each agent, overrides over them.

The more special wins: `defaults`, then the environment's `defaults`, then the agent's entry, then the
environment's entry for the agent. Mappings are merged key by key, lists and single values replaced. Each
value remembers where it stands in the file, so that what is wrong with it is told there.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from functions.config_file import ConfigFile, Place
from functions.errors import ConfigurationError

Files = Mapping[str, ConfigFile]


def in_environment(agents: ConfigFile, environment: str | None) -> ConfigFile:
    """Return agents.yaml with the entries that hold in an environment, and without defaults and overrides.

    Args:
        agents: The file.
        environment: One that the file may list; None for a deployment without a name.
    """
    if not agents.body.keys() & {"defaults", "environments"}:
        return agents
    above: Place = ("environments", environment or "")
    overrides = agents.body.get("environments", {}).get(environment, {})
    merged: dict[str, Any] = {}
    origins: dict[Place, Place] = {}
    for name, entry in agents.body.get("agents", {}).items():
        merged[name] = {}
        for origin, layer in (
            (("defaults",), agents.body.get("defaults", {})),
            ((*above, "defaults"), overrides.get("defaults", {})),
            (("agents", name), entry),
            ((*above, "agents", name), overrides.get("agents", {}).get(name, {})),
        ):
            _lay(layer, origin, upon=merged[name], at=("agents", name), origins=origins)
    kept = {key: agents.body[key] for key in agents.body.keys() - {"defaults", "environments"}}
    return ConfigFile(agents.path, {**kept, "agents": merged}, agents.lines, origins=origins)


def in_each_environment(files: Files) -> Iterator[Files]:
    """Yield the files as they hold in no environment, and in each that agents.yaml lists."""
    agents = files.get("agents.yaml")
    if agents is None:
        yield files
        return
    for environment in (None, *agents.body.get("environments", ())):
        yield {**files, "agents.yaml": in_environment(agents, environment)}


def override_breaches(agents: ConfigFile) -> Iterator[ConfigurationError]:
    """Find overrides of agents that there are not."""
    for environment, overrides in agents.body.get("environments", {}).items():
        for name in overrides.get("agents", ()):
            if name not in agents.body.get("agents", ()):
                yield agents.wrong(
                    ("environments", environment, "agents", name),
                    "is not an agent under agents",
                    next_step="Add the agent there or correct the name here.",
                )


def unlisted(agents: ConfigFile, environment: str | None) -> Iterator[ConfigurationError]:
    """Find that the deployment's environment is none of those that the file lists, if it lists any."""
    listed = agents.body.get("environments", {})
    if environment is not None and listed and environment not in listed:
        yield agents.wrong(
            ("environments",),
            f"does not list {environment}, which the setting ENVIRONMENT_NAME gives",
            next_step=f"Correct the setting, or add `{environment}: {{}}` where nothing differs.",
        )


def _lay(
    layer: Mapping[str, Any],
    origin: Place,
    *,
    upon: dict[str, Any],
    at: Place,
    origins: dict[Place, Place],
) -> None:
    for key, value in layer.items():
        origins[*at, key] = (*origin, key)
        if isinstance(value, dict):
            held = upon.setdefault(key, {})
            _lay(value, (*origin, key), upon=held, at=(*at, key), origins=origins)
        else:
            upon[key] = value
