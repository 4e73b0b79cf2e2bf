"""The rules that config files obey beyond their schemas: within one file, and between files.

Each rule yields an error for every place that breaks it. Where a rule lacks what it needs, it says nothing:
the schema tells what is missing or broken.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import re2

from functions.checks.definition import duration
from functions.config_access import access_breaches
from functions.config_agents import shared_names, unknown_dimensions, unusable_documents
from functions.config_file import ConfigFile, Place
from functions.config_redaction import policy_breaches
from functions.config_subjects import OF_A_CHECK, OF_THE_WATCH
from functions.costs.prices import ALWAYS
from functions.errors import ConfigurationError

_FROM_ATTRIBUTES = frozenset({"tenant", "environment"})
"""The required fields that come from a property of the deployment's choice; the others have a column."""

_KEPT_IDS = OF_A_CHECK.keys() | OF_THE_WATCH.keys()
"""They stand for a check's id in alerts, and in the state documents behind some of them."""

_MOST_GROUPS = 16
"""https://learn.microsoft.com/kusto/query/regex"""

PART_DEPTHS = {"access": 2, "agents": 3, "attributes": 2, "defaults": 2, "environments": 4}
"""How deep in agents.yaml the parts lie that stand by themselves: agents.<name>.<key>, attributes.<name>,
environments.<name>.agents.<name>."""

Errors = Iterator[ConfigurationError]


def rule_breaches(files: Mapping[str, ConfigFile]) -> Errors:
    """Yield an error for every rule that the files, by their names, do not obey.

    Args:
        files: What of each file its schema accepts; files that can't be read are not among them.
    """
    agents, prices = files.get("agents.yaml"), files.get("prices.yaml")
    currency = prices.body.get("currency") if prices else None
    yield from _doubles(files)
    if agents:
        yield from shared_names(agents)
        yield from unknown_dimensions(agents)
        yield from unusable_documents(agents)
        yield from _blind_demands(agents)
        yield from access_breaches(agents)
        for place, entry in _entries(agents):
            yield from _unusable_format(agents, place, entry)
            yield from _contradictions(agents, place, entry)
            yield from _other_currency(agents, place, entry, currency)
    if prices:
        yield from _billed_twice(prices)
    if "redaction.yaml" in files:
        yield from policy_breaches(files["redaction.yaml"])
    for name, file in files.items():
        if name.startswith("checks/"):
            yield from _check_breaches(file)
            yield from _check_currency(file, currency)


def _check_breaches(file: ConfigFile) -> Errors:
    body = file.body
    if "id" in body and _KEPT_IDS & {body["id"], file.path.stem}:
        yield file.wrong(
            ("id",),
            "is kept for an alert about the watch itself",
            next_step="Name the check and its file otherwise.",
        )
    elif body.get("id", file.path.stem) != file.path.stem:
        yield file.wrong(
            ("id",), f"must be {file.path.stem}", next_step="Name the file after the check's id."
        )
    if "every" in body and timedelta(days=1) % duration(body["every"]):
        yield file.wrong(
            ("every",), "must divide a day", next_step="Take 1m, 5m, 15m, 1h, 6h or 1d, for example."
        )
    for index, column in enumerate(body.get("shows", ())):
        if column in body.get("key", ()):
            yield file.wrong(
                ("shows", index), "is a key column", next_step="Remove it: keys are always shown."
            )
    condition = body.get("condition", {})
    spike = condition.get("spike")
    if spike and "every" in body and _windows(spike, body) > timedelta(hours=spike["history"]):
        yield file.wrong(
            ("condition", "spike", "minimum_windows"),
            "asks for more windows than the history holds, so that nothing would ever be judged",
            next_step="Lengthen history or lower minimum_windows.",
        )
    absence = condition.get("absence")
    if absence and duration(absence["after"]) >= timedelta(hours=absence.get("history", 24)):
        yield file.wrong(
            ("condition", "absence", "after"),
            "is no shorter than the history, so that nothing would ever be missed",
            next_step="Lengthen history or shorten after.",
        )
    above = condition.get("above")
    if above and body.get("clear_below", above["threshold"]) > above["threshold"]:
        yield file.wrong(
            ("clear_below",),
            "is above the threshold, so that an alert would end where it begins",
            next_step="Give the threshold or less.",
        )


def _windows(spike: Mapping[str, Any], body: Mapping[str, Any]) -> timedelta:
    windows: int = spike["minimum_windows"]
    return windows * duration(body["every"])


def _check_currency(file: ConfigFile, currency: str | None) -> Errors:
    in_dollars = str(file.body.get("unit")).startswith("USD")
    if currency not in {None, "USD"} and in_dollars and "model_prices" in file.body.get("query", ""):
        yield file.wrong(
            ("unit",),
            f"says US dollars, but prices.yaml has {currency}",
            next_step=f"Give a check of your own with the unit {currency}, or prices in USD.",
        )


def _entries(agents: ConfigFile) -> Iterator[tuple[tuple[str, str], dict[str, Any]]]:
    for name, entry in agents.body.get("agents", {}).items():
        yield ("agents", name), entry


def _doubles(files: Mapping[str, ConfigFile]) -> Errors:
    """Find what a list names twice: a join on it would count double."""
    for name, place, entries, fields in _named_lists(files):
        seen = set()
        for index, entry in enumerate(entries):
            # A price without a date holds always: the same as one from the first day of all.
            given = tuple(entry.get(field, str(ALWAYS) if field == "valid_from" else "") for field in fields)
            if given in seen:
                yield files[name].wrong(
                    (*place, index),
                    f"names the same {' and '.join(fields)} again",
                    next_step="Merge the two or remove one.",
                )
            seen.add(given)


def _named_lists(
    files: Mapping[str, ConfigFile],
) -> Iterator[tuple[str, Place, list[dict[str, Any]], tuple[str, ...]]]:
    """Yield the name of the file, the place of each list, the list and what must differ within it."""
    bodies = {name: file.body for name, file in files.items()}
    for place, entry in _entries(files["agents.yaml"]) if "agents.yaml" in files else ():
        for key in ("required_lookups", "freshness"):
            yield "agents.yaml", (*place, key), entry.get(key, []), ("tool",)
        objectives = entry.get("objectives", {})
        steps, evaluations = objectives.get("steps", []), objectives.get("evaluations", [])
        yield "agents.yaml", (*place, "objectives", "steps"), steps, ("operation", "tool", "model")
        yield "agents.yaml", (*place, "objectives", "evaluations"), evaluations, ("name",)
    listed = bodies.get("prices.yaml", {})
    yield "prices.yaml", ("models",), listed.get("models", []), ("model", "valid_from")
    yield "prices.yaml", ("provisioned",), listed.get("provisioned", []), ("deployment", "valid_from")
    for key in ("destinations", "inhibitions"):
        yield "alerts.yaml", (key,), bodies.get("alerts.yaml", {}).get(key, []), ("name",)


def _unusable_format(agents: ConfigFile, place: Place, entry: Mapping[str, Any]) -> Errors:
    if "id_format" not in entry:
        return
    pattern, place = entry["id_format"], (*place, "id_format")
    options = re2.Options()
    options.log_errors = False
    try:
        usable = re2.compile(pattern, options)
    except re2.error:
        yield agents.wrong(
            place,
            "is no regular expression that Kusto reads (RE2)",
            next_step="Correct it; RE2 has no look-around and no back-references.",
        )
        return
    if usable.groups > _MOST_GROUPS:
        yield agents.wrong(
            place,
            f"has more than {_MOST_GROUPS} groups that capture, which Kusto refuses",
            next_step="Write (?:...) for a group of which nothing is taken.",
        )
    elif not (pattern.startswith("^") and pattern.endswith("$")):
        yield agents.wrong(
            place,
            "would accept any id with a fitting part in it",
            next_step="Start it with ^ and end it with $.",
        )
    elif usable.fullmatch(""):
        yield agents.wrong(
            place, "accepts an empty id", next_step="Demand at least one character, or remove the key."
        )


def _contradictions(agents: ConfigFile, place: Place, entry: Mapping[str, Any]) -> Errors:
    approved = entry.get("approved_tools")
    told = set(approved or ())
    for where, tool in _tools(entry):
        if approved is not None and tool not in told:
            told.add(tool)
            yield agents.wrong(
                (*place, *where),
                "is not among the agent's approved_tools",
                next_step="Add the tool to approved_tools or correct its name.",
            )
    for index, lookup in enumerate(entry.get("required_lookups", ())):
        if lookup.get("after_tool") == lookup["tool"]:
            yield agents.wrong(
                (*place, "required_lookups", index, "after_tool"),
                "names the look-up itself, so that it would never be owed",
                next_step="Name the tool that must not be called without the look-up.",
            )
    for index, step in enumerate(entry.get("objectives", {}).get("steps", ())):
        for field, operations in (("tool", ("execute_tool",)), ("model", ("chat", "embeddings"))):
            if field in step and step["operation"] not in operations:
                yield agents.wrong(
                    (*place, "objectives", "steps", index, field),
                    f"belongs to {' and '.join(operations)} only, so that nothing would ever be measured",
                    next_step=f"Remove {field} or correct operation.",
                )
    budgets = entry.get("budgets", {})
    if budgets.get("monthly_usd", float("inf")) < budgets.get("daily_usd", 0):
        yield agents.wrong(
            (*place, "budgets", "monthly_usd"),
            "is less than the budget of one day",
            next_step="Raise it or lower daily_usd.",
        )


def _tools(entry: Mapping[str, Any]) -> Iterator[tuple[Place, str]]:
    lists = {key: entry.get(key, ()) for key in ("required_lookups", "freshness")}
    for key, entries in lists.items():
        for index, item in enumerate(entries):
            for field in ("tool", "after_tool"):
                if field in item:
                    yield (key, index, field), item[field]
    for index, step in enumerate(entry.get("objectives", {}).get("steps", ())):
        if "tool" in step:
            yield ("objectives", "steps", index, "tool"), step["tool"]


def _blind_demands(agents: ConfigFile) -> Errors:
    """Find what is asked for though no property carries it: it would be missing always, or never."""
    attributes = agents.body.get("attributes", {})
    told = set()
    for place, attribute in _demands(agents):
        if attributes.get(attribute) == [] and attribute not in told:
            told.add(attribute)
            yield agents.wrong(
                place,
                f"needs attributes.{attribute}, which names no property",
                next_step=f"List the property that carries it under attributes.{attribute}.",
            )


def _demands(agents: ConfigFile) -> Iterator[tuple[Place, str]]:
    for place, entry in _entries(agents):
        for index, field in enumerate(entry.get("required_fields", ())):
            if field in _FROM_ATTRIBUTES:
                yield (*place, "required_fields", index), field
        for index, lookup in enumerate(entry.get("required_lookups", ())):
            if "intents" in lookup:
                yield (*place, "required_lookups", index, "intents"), "intent"
        for index, _ in enumerate(entry.get("freshness", ())):
            yield (*place, "freshness", index), "data_as_of"
        if "approved_documents" in entry:
            yield (*place, "approved_documents"), "document_ids"


def _other_currency(
    agents: ConfigFile, place: Place, entry: Mapping[str, Any], currency: str | None
) -> Errors:
    if "budgets" in entry and currency not in {None, "USD"}:
        yield agents.wrong(
            (*place, "budgets"),
            f"is in US dollars, but prices.yaml has {currency}",
            next_step="Give prices in USD or remove the budgets.",
        )


def _billed_twice(prices: ConfigFile) -> Errors:
    """Yield an error for each deployment that would be billed in two ways, and its calls counted twice."""
    provisioned = {entry.get("deployment") for entry in prices.body.get("provisioned", ())}
    for index, name in enumerate(prices.body.get("batch_deployments", ())):
        if name in provisioned:
            yield prices.wrong(
                ("batch_deployments", index),
                "is also among those with provisioned throughput",
                next_step="Remove it from one of the two.",
            )
