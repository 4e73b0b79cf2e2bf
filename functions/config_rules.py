"""The rules that config files obey beyond their schemas: within one file, and between files."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import re2

from functions.checks.definition import duration
from functions.config_file import ConfigFile, Place
from functions.costs.prices import ALWAYS

_FROM_ATTRIBUTES = frozenset({"tenant", "environment"})
"""The required fields that come from a property of the deployment's choice; the others have a column."""


def hold_to_rules(files: Mapping[str, ConfigFile]) -> None:
    """Raise a ConfigurationError for the first rule that the files, by their names, do not obey."""
    agents, prices = files["agents.yaml"], files["prices.yaml"]
    _refuse_doubles(files)
    for place, entry in _entries(agents):
        _refuse_unusable_format(agents, place, entry)
        _refuse_contradictions(agents, place, entry)
        _refuse_blind_demands(agents, place, entry)
    _refuse_other_currencies(agents, prices)
    for name, file in files.items():
        if name.startswith("checks/"):
            _hold_check(file, prices)


def _hold_check(file: ConfigFile, prices: ConfigFile) -> None:
    body = file.body
    if body["id"] != file.path.stem:
        raise file.wrong(
            ("id",), f"must be {file.path.stem}", next_step="Name the file after the check's id."
        )
    every = duration(body["every"])
    if timedelta(days=1) % every:
        raise file.wrong(
            ("every",), "must divide a day", next_step="Take 1m, 5m, 15m, 1h, 6h or 1d, for example."
        )
    for index, column in enumerate(body.get("shows", ())):
        if column in body["key"]:
            raise file.wrong(
                ("shows", index), "is a key column", next_step="Remove it: keys are always shown."
            )
    spike = body["condition"].get("spike")
    if spike and spike["minimum_windows"] * every > timedelta(hours=spike["history"]):
        raise file.wrong(
            ("condition", "spike", "minimum_windows"),
            "asks for more windows than the history holds, so that nothing would ever be judged",
            next_step="Lengthen history or lower minimum_windows.",
        )
    absence = body["condition"].get("absence")
    if absence and duration(absence["after"]) >= timedelta(hours=absence.get("history", 24)):
        raise file.wrong(
            ("condition", "absence", "after"),
            "is no shorter than the history, so that nothing would ever be missed",
            next_step="Lengthen history or shorten after.",
        )
    above = body["condition"].get("above")
    if above and body.get("clear_below", above["threshold"]) > above["threshold"]:
        raise file.wrong(
            ("clear_below",),
            "is above the threshold, so that an alert would end where it begins",
            next_step="Give the threshold or less.",
        )
    currency = prices.body["currency"]
    if "model_prices" in body["query"] and body["unit"].startswith("USD") and currency != "USD":
        raise file.wrong(
            ("unit",),
            f"says US dollars, but prices.yaml has {currency}",
            next_step=f"Give a check of your own with the unit {currency}, or prices in USD.",
        )


def _entries(agents: ConfigFile) -> Iterator[tuple[Place, dict[str, Any]]]:
    for name, entry in agents.body["agents"].items():
        yield ("agents", name), entry


def _refuse_doubles(files: Mapping[str, ConfigFile]) -> None:
    """Refuse a list that names the same thing twice: a join on it would count double."""
    for name, place, entries, fields in _named_lists(files):
        seen = set()
        for index, entry in enumerate(entries):
            # A price without a date holds always: the same as one from the first day of all.
            given = tuple(entry.get(field, str(ALWAYS) if field == "valid_from" else "") for field in fields)
            if given in seen:
                raise files[name].wrong(
                    (*place, index),
                    f"names the same {' and '.join(fields)} again",
                    next_step="Merge the two or remove one.",
                )
            seen.add(given)


def _named_lists(
    files: Mapping[str, ConfigFile],
) -> Iterator[tuple[str, Place, list[dict[str, Any]], tuple[str, ...]]]:
    """Yield the name of the file, the place of each list, the list and what must differ within it."""
    for place, entry in _entries(files["agents.yaml"]):
        for key in ("required_lookups", "freshness"):
            yield "agents.yaml", (*place, key), entry.get(key, []), ("tool",)
        objectives = entry.get("objectives", {})
        steps, evaluations = objectives.get("steps", []), objectives.get("evaluations", [])
        yield "agents.yaml", (*place, "objectives", "steps"), steps, ("operation", "tool", "model")
        yield "agents.yaml", (*place, "objectives", "evaluations"), evaluations, ("name",)
    yield "prices.yaml", ("models",), files["prices.yaml"].body["models"], ("model", "valid_from")
    yield "alerts.yaml", ("destinations",), files["alerts.yaml"].body["destinations"], ("name",)


def _refuse_unusable_format(agents: ConfigFile, place: Place, entry: Mapping[str, Any]) -> None:
    if "id_format" not in entry:
        return
    pattern, place = entry["id_format"], (*place, "id_format")
    options = re2.Options()
    options.log_errors = False
    try:
        usable = re2.compile(pattern, options)
    except re2.error as error:
        raise agents.wrong(
            place,
            "is no regular expression that Kusto reads (RE2)",
            next_step="Correct it; RE2 has no look-around and no back-references.",
        ) from error
    if not (pattern.startswith("^") and pattern.endswith("$")):
        raise agents.wrong(
            place,
            "would accept any id with a fitting part in it",
            next_step="Start it with ^ and end it with $.",
        )
    if usable.fullmatch(""):
        raise agents.wrong(
            place, "accepts an empty id", next_step="Demand at least one character, or remove the key."
        )


def _refuse_contradictions(agents: ConfigFile, place: Place, entry: Mapping[str, Any]) -> None:
    approved = entry.get("approved_tools")
    for where, tool in _tools(entry):
        if approved is not None and tool not in approved:
            raise agents.wrong(
                (*place, *where),
                "is not among the agent's approved_tools",
                next_step="Add the tool to approved_tools or correct its name.",
            )
    for index, lookup in enumerate(entry.get("required_lookups", ())):
        if lookup.get("after_tool") == lookup["tool"]:
            raise agents.wrong(
                (*place, "required_lookups", index, "after_tool"),
                "names the look-up itself, so that it would never be owed",
                next_step="Name the tool that must not be called without the look-up.",
            )
    for index, step in enumerate(entry.get("objectives", {}).get("steps", ())):
        for field, operations in (("tool", ("execute_tool",)), ("model", ("chat", "embeddings"))):
            if field in step and step["operation"] not in operations:
                raise agents.wrong(
                    (*place, "objectives", "steps", index, field),
                    f"belongs to {' and '.join(operations)} only, so that nothing would ever be measured",
                    next_step=f"Remove {field} or correct operation.",
                )
    budgets = entry.get("budgets", {})
    if budgets.get("monthly_usd", float("inf")) < budgets.get("daily_usd", 0):
        raise agents.wrong(
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


def _refuse_blind_demands(agents: ConfigFile, place: Place, entry: Mapping[str, Any]) -> None:
    """Refuse to ask for what no property carries: it would be missing always, or never."""
    demands: list[tuple[Place, str]] = [
        (("required_fields", index), field)
        for index, field in enumerate(entry.get("required_fields", ()))
        if field in _FROM_ATTRIBUTES
    ]
    demands += [
        (("required_lookups", index, "intents"), "intent")
        for index, lookup in enumerate(entry.get("required_lookups", ()))
        if "intents" in lookup
    ]
    demands += [(("freshness", index), "data_as_of") for index, _ in enumerate(entry.get("freshness", ()))]
    for where, attribute in demands:
        if not agents.body["attributes"][attribute]:
            raise agents.wrong(
                (*place, *where),
                f"needs attributes.{attribute}, which names no property",
                next_step=f"List the property that carries it under attributes.{attribute}.",
            )


def _refuse_other_currencies(agents: ConfigFile, prices: ConfigFile) -> None:
    currency = prices.body["currency"]
    for place, entry in _entries(agents):
        if "budgets" in entry and currency != "USD":
            raise agents.wrong(
                (*place, "budgets"),
                f"is in US dollars, but prices.yaml has {currency}",
                next_step="Give prices in USD or remove the budgets.",
            )
