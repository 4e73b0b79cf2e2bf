"""Reads release.yaml, the file of the agents' pipeline: no part of the app's own configuration.

Its rules beyond the schema: an environment has all that must be decided, and exceptions name what there is.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from functions.config_faults import read_config_file
from functions.config_file import ConfigFile
from functions.configuration import SHIPPED
from functions.errors import ConfigurationError, together
from functions.release.gate_policy import Policy, merged, policy
from functions.release.gate_rules import RULES, WITH_SUBJECT

RELEASE_FILE = SHIPPED / "release.yaml"
"""The documented default, in which no workspace is approved."""

_NEEDED = (
    "workspaces",
    "frameworks",
    "content_recording",
    "settings_attributes",
    "trace_attributes",
    "sampling",
    "retention_days",
    "diagnostic_settings",
    "minimum_runs",
)

Errors = Iterator[ConfigurationError]


def load_policy(path: Path, environment: str) -> Policy:
    """Return what must hold in an environment.

    Raises:
        ConfigurationError: The file is wrong: every mistake by file, line and rule. Or the environment is
            not in it.
    """
    schema = json.loads((SHIPPED / "schemas" / "release.schema.json").read_text("utf-8"))
    file = read_config_file(path, schema)
    mistakes = [*_lacking(file), *_wrong_exceptions(file)]
    if environment not in file.body["environments"]:
        known = ", ".join(file.body["environments"])
        mistakes.append(
            file.wrong(
                ("environments",),
                "lacks the environment that is released to",
                next_step=f"Add it, or name one of those there: {known}.",
            )
        )
    if mistakes:
        raise together(mistakes)
    return policy(file.body, environment)


def _lacking(file: ConfigFile) -> Errors:
    for name in file.body["environments"]:
        held = merged(file.body, name)
        for key in _NEEDED:
            if key not in held:
                yield file.wrong(
                    ("environments", name),
                    f"lacks the key `{key}`, as do the defaults",
                    next_step="Decide it there, or under defaults for all.",
                )


def _wrong_exceptions(file: ConfigFile) -> Errors:
    for index, entry in enumerate(file.body.get("exceptions", ())):
        if entry["rule"] not in RULES:
            yield file.wrong(
                ("exceptions", index, "rule"), "is no rule", next_step=f"Known are {', '.join(RULES)}."
            )
        elif (entry["rule"] in WITH_SUBJECT) != ("subject" in entry):
            needs = entry["rule"] in WITH_SUBJECT
            yield file.wrong(
                ("exceptions", index),
                "needs a subject" if needs else "must have no subject",
                next_step="Name the attribute or the resource." if needs else "Remove it.",
            )
        if entry["environment"] not in file.body["environments"]:
            yield file.wrong(
                ("exceptions", index, "environment"),
                "is no environment of this file",
                next_step=f"Take one of {', '.join(file.body['environments'])}.",
            )
