"""The rules by which the agents of agents.yaml must fit each other and the attributes of that file."""

from collections.abc import Iterator

from functions.config_file import ConfigFile
from functions.errors import ConfigurationError
from functions.traces.documents import listed_documents


def shared_names(agents: ConfigFile) -> Iterator[ConfigurationError]:
    """Find names that would stand for two agents."""
    entries = agents.body.get("agents", {})
    owners = {name: name for name in entries}
    for agent, entry in entries.items():
        for index, sent in enumerate(entry.get("names", ())):
            place = ("agents", agent, "names", index)
            if sent == "*":
                yield agents.wrong(
                    place,
                    "would take every agent's telemetry",
                    next_step="Put the beginning of the names before the *.",
                )
            elif owners.setdefault(sent, agent) != agent:
                yield agents.wrong(
                    place,
                    f"already stands for the agent {owners[sent]}",
                    next_step="Remove it from one of the two agents, or merge them.",
                )


def unknown_dimensions(agents: ConfigFile) -> Iterator[ConfigurationError]:
    """Find look-ups that depend on a dimension which no property carries: they would never be owed."""
    carried = agents.body.get("attributes", {}).get("dimensions")
    if carried is None:
        return
    known = [dimension for dimension, properties in carried.items() if properties]
    for agent, entry in agents.body.get("agents", {}).items():
        for index, lookup in enumerate(entry.get("required_lookups", ())):
            if "where" in lookup and lookup["where"]["dimension"] not in known:
                yield agents.wrong(
                    ("agents", agent, "required_lookups", index, "where", "dimension"),
                    "is no dimension that a property carries",
                    next_step=(
                        "List the property under attributes.dimensions, or take one of those there: "
                        f"{', '.join(known) or 'none'}."
                    ),
                )


def unusable_documents(agents: ConfigFile) -> Iterator[ConfigurationError]:
    """Find approved documents that would approve all, or never be met."""
    for agent, entry in agents.body.get("agents", {}).items():
        for index, document in enumerate(entry.get("approved_documents", ())):
            place = ("agents", agent, "approved_documents", index)
            if document == "*":
                yield agents.wrong(
                    place,
                    "would approve every document",
                    next_step="Put the beginning of the ids before the *, or remove approved_documents.",
                )
            elif listed_documents(document.removesuffix("*")) != (document.removesuffix("*"),):
                yield agents.wrong(
                    place,
                    "is not one id as lists of them are read: parted at commas, without quotes and blanks",
                    next_step="Give the id alone, as spans carry it, each on its own.",
                )
