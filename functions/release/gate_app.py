"""Reads the settings of the agents' app: from a file that the pipeline holds, or from Azure."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import orjson

from functions.errors import TracekeeperError
from functions.release.azure_cli import AzureCli
from functions.release.gate_facts import AppSettings, Unknown

_WEB_APP = re.compile(
    r"/subscriptions/(?P<subscription>[^/]+)/resourcegroups/(?P<group>[^/]+)/providers/microsoft\.web/sites/"
    r"(?P<name>[^/]+)(/slots/(?P<slot>[^/]+))?",
    re.IGNORECASE,
)
_CONTAINER_APP = re.compile(
    r"/subscriptions/(?P<subscription>[^/]+)/resourcegroups/(?P<group>[^/]+)/providers/microsoft\.app/"
    r"containerapps/(?P<name>[^/]+)",
    re.IGNORECASE,
)
_REFERENCES = ("@microsoft.keyvault(", "@microsoft.appconfiguration(")
"""How a value begins that App Service fetches from elsewhere
(https://learn.microsoft.com/azure/app-service/app-service-key-vault-references)."""

_ENV_LINE = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_.:-]*)\s*=\s*(.*)")
_NO_FORM = Unknown(
    "The app's settings are in no form that is known.",
    "Give JSON of name and value, the output of `az`, or lines NAME=value.",
)


def settings_from_file(path: Path) -> AppSettings | Unknown:
    """Return the settings in a file: lines NAME=value, local.settings.json, or JSON as `az` prints it.

    The file holds secrets; nothing of it is in an Unknown.
    """
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        return Unknown(f"The file of settings can't be read ({type(error).__name__}).", "Check its place.")
    if text.lstrip()[:1] in {"{", "["}:
        try:
            return settings_from_json(orjson.loads(text), container=None)
        except orjson.JSONDecodeError:
            return _NO_FORM
    return _from_lines(text.splitlines())


def settings_from_azure(azure: AzureCli, app_id: str, container: str | None) -> AppSettings | Unknown:
    """Return the settings of an app service, a function app (or a slot of one) or a container app.

    Args:
        azure: What asks Azure.
        app_id: The app's resource id.
        container: Which of a container app's containers; None where it has one.
    """
    web, containers = _WEB_APP.fullmatch(app_id), _CONTAINER_APP.fullmatch(app_id)
    found = web or containers
    if found is None:
        return Unknown(
            "The app's resource id is none of an app service, a function app or a container app.",
            "Copy it from the app's page, 'JSON view', or give a file of settings.",
        )
    where = (
        "--name",
        found["name"],
        "--resource-group",
        found["group"],
        "--subscription",
        found["subscription"],
    )
    try:
        if web:
            slot = ("--slot", web["slot"]) if web["slot"] else ()
            answer = azure.ask("webapp", "config", "appsettings", "list", *where, *slot)
        else:
            answer = azure.ask("containerapp", "show", *where)
    except TracekeeperError as error:
        return Unknown(error.message, error.next_step)
    return settings_from_json(answer, container)


def settings_from_json(body: Any, container: str | None) -> AppSettings | Unknown:
    """Return the settings in a JSON value of any of the known forms."""
    if isinstance(body, dict) and "properties" in body:
        return _from_container_app(body, container)
    if isinstance(body, dict):
        values = body.get("Values", body)
        given = values.items() if isinstance(values, dict) else ()
        pairs = [{"name": name, "value": value} for name, value in given]
        return _from_pairs(pairs) if pairs else _NO_FORM
    return _from_pairs(body) if isinstance(body, list) else _NO_FORM


def _from_container_app(body: Mapping[str, Any], container: str | None) -> AppSettings | Unknown:
    try:
        containers = body["properties"]["template"]["containers"]
        asked = [one for one in containers if container is None or one["name"] == container]
        if len(asked) != 1:
            return Unknown(
                f"The container app has {len(asked)} containers that may be meant.",
                "Name the agents' container by --container.",
            )
        return _from_pairs(asked[0].get("env") or [])
    except (KeyError, TypeError):
        return _NO_FORM


def _from_pairs(pairs: Iterable[Any]) -> AppSettings | Unknown:
    values, references = {}, set()
    for pair in pairs:
        if not isinstance(pair, dict) or not isinstance(pair.get("name"), str):
            return _NO_FORM
        name, value = pair["name"], pair.get("value")
        text = value if isinstance(value, str) else "" if value is None else orjson.dumps(value).decode()
        if pair.get("secretRef") or text.strip().lower().startswith(_REFERENCES):
            references.add(name)
        else:
            values[name] = text
    return AppSettings(values, frozenset(references))


def _from_lines(lines: Iterable[str]) -> AppSettings | Unknown:
    pairs = []
    for line in (line.strip() for line in lines):
        if not line or line.startswith("#"):
            continue
        found = _ENV_LINE.fullmatch(line)
        if found is None:
            return _NO_FORM
        name, value = found.groups()
        quoted = len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'"
        pairs.append({"name": name, "value": value[1:-1] if quoted else value})
    return _from_pairs(pairs)
