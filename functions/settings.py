"""Reads the app settings, once and all of them, into one frozen value; nothing else reads the environment."""

import base64
import binascii
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from functions.errors import SettingsError

_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_HTTPS = re.compile(r"https://[^\s/?#@]+(/[^\s]*)?")
_RESOURCE_ID = re.compile(r"/subscriptions/[^\s?#]+", re.IGNORECASE)
_HOST = re.compile(r"[A-Za-z0-9.-]+(:[0-9]+)?")
_CONNECTION_STRING = re.compile(
    r"(?=(.*;)?InstrumentationKey=[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(;|$))"
    r"(?=(.*;)?IngestionEndpoint=https://[^\s;?#@]+(;|$))"
    r"(?!(.*;)?AADAudience=(?!https://))\S+",
    re.IGNORECASE,
)
_PLACE = re.compile(r"table|inline")
_PLAN = re.compile(r"analytics|basic")
_LETTERS = re.compile(r"[A-Za-z]{1,32}")
_ENVIRONMENT = re.compile(r"[a-z][a-z0-9-]{0,62}")
_SIGNING_KEY = re.compile(
    r"https://[^\s/?#@]+/keys/[0-9A-Za-z-]+(/[0-9a-f]{32})?/?|(?![A-Za-z][A-Za-z0-9+.-]*://)[^\r\n]+"
)
_COUNT = re.compile(r"[1-9][0-9]{0,5}")
_DAYS = re.compile(r"[1-9][0-9]{0,2}")
_DAYS_RULE = "must be a number of days from 1 to 999"
_COUNTED = "must be a number from 1 to 999999"
_KEY_BYTES = 32
_REFERENCE = "@Microsoft.KeyVault("
"""How a setting begins that is left as it is: https://learn.microsoft.com/azure/app-service/app-service-key-vault-references"""
_OTHER_WEBHOOK = "whoever runs what the destination feeds, kept in Key Vault"

WHERE = {
    "LOGS_ENDPOINT": "your cloud's Log Analytics API, https://api.loganalytics.azure.com by default",
    "LOGS_WORKSPACE_ID": "the workspace's page in the portal, 'Workspace ID'",
    "LOGS_RESOURCE_ID": "the Application Insights resource's page, 'JSON view', 'Resource ID'",
    "STORAGE_BLOB_ENDPOINT": "the storage account's page, 'Endpoints', 'Blob service'",
    "AZURE_CLIENT_ID": "the user-assigned managed identity's page, 'Client ID'",
    "TEAMS_WEBHOOK_URL": "the Teams workflow 'When a Teams webhook request is received', kept in Key Vault",
    "PSEUDONYM_KEY": "`openssl rand -base64 32`, kept in Key Vault",
    "PSEUDONYM_KEY_ID": "your own name for that key, letters only",
    "SIGNING_KEY": (
        "the key's page in Key Vault, 'Key identifier' (https://…/keys/…; without its version the latest "
        "one signs); where there is no vault, the path to a private key on P-256 in PEM"
    ),
    "PSEUDONYM_KEY_PREVIOUS": "the PSEUDONYM_KEY before, while both are in use; else leave it empty",
    "PSEUDONYM_KEY_PREVIOUS_ID": "the PSEUDONYM_KEY_ID before, while both are in use; else leave it empty",
    "PUBLIC_KEY_URL": (
        "wherever you publish what `tracekeeper signing-key` prints; reports name it, for who verifies"
    ),
    "AUTH_TENANT_ID": "the Microsoft Entra tenant's overview, 'Tenant ID'",
    "AUTH_CLIENT_ID": "the app registration's overview, 'Application (client) ID'",
    "WEBSITE_AUTH_ENABLED": "the platform, which sets it once App Service authentication is on",
    "WEBSITE_HOSTNAME": "the platform, which sets it",
    "CANARY_CONNECTION_STRING": (
        "the overview of an Application Insights component of your own whose rows the workspace gets, "
        "'Connection String'; without it no marker run is sent, and no tick counted"
    ),
    "CONTENT_ROUTING": (
        "the content settings of the subscription: table where Azure Monitor moves GenAI content into "
        "AppGenAIContent, as by default, or inline where you opted out"
    ),
    "CONTENT_PLAN": (
        "the table AppGenAIContent of the workspace, 'Manage table': analytics, as by default, or basic, "
        "which needs LOGS_WORKSPACE_ID"
    ),
    "CONFIG_DIRECTORY": "a folder of your own config files, which replace the shipped ones of the same name",
    "LOGS_RETENTION_DAYS": (
        "the App* tables of the workspace, 'Manage table', 'Interactive retention'; the shortest of them, 90 "
        "by default"
    ),
    "REQUESTS_PER_MINUTE": "your own number: how often one person may ask in a minute, 60 by default",
    "EXPORTS_PER_HOUR": "your own number: how many exports one person may ask for in an hour, 10 by default",
    "ENVIRONMENT_NAME": "one of the environments in agents.yaml, such as production; empty where it has none",
}
"""Every setting that is read, but for those of further destinations, and where a person gets its value."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The app settings, checked for form. Secrets stay out of repr.

    Attributes:
        logs_endpoint: Base URL of the query API.
        logs_workspace_id: The workspace asked; None where `logs_resource_id` is asked.
        logs_resource_id: The resource asked; None where `logs_workspace_id` is asked.
        storage_blob_endpoint: Base URL of the storage account's blob service.
        azure_client_id: The user-assigned identity that the app acts as.
        webhooks: Destinations' addresses, by the names of their settings: all that end in _WEBHOOK_URL.
        pseudonym_key: 32 bytes.
        pseudonym_key_id: The key's name, letters.
        signing_key: What signs bundles: the URL of a key in Key Vault, or the path to a PEM file.
        public_key_url: Where its public part is published, for people; None where nobody has said.
        pseudonym_key_previous: The key before and its name, while both are in use; else None.
        auth_tenant_id: The tenant whose people may call, lower case.
        auth_client_id: The app registration that their tokens are for, lower case.
        auth_enabled: Whether the platform authenticates callers and strips forged headers.
        hostname: The app's own host name, for links.
        canary_connection_string: Where marker runs are sent and ticks are counted; None where neither is.
        content_routing: Where GenAI content should lie: in a "table" of its own, or "inline".
        content_plan: Which plan that table is on: a "basic" one must be asked alone, and of a workspace.
        config_directory: A site's own config files, or None.
        environment_name: Whose overrides in agents.yaml hold; None for none.
        logs_retention_days: How long the workspace keeps rows for queries.
        requests_per_minute: How often one person may ask.
        exports_per_hour: How many exports one person may ask for.
    """

    logs_endpoint: str
    logs_workspace_id: str | None
    logs_resource_id: str | None
    storage_blob_endpoint: str
    azure_client_id: str
    webhooks: Mapping[str, str] = field(repr=False)
    pseudonym_key: bytes = field(repr=False)
    pseudonym_key_id: str
    signing_key: str
    public_key_url: str | None
    pseudonym_key_previous: tuple[bytes, str] | None = field(repr=False)
    auth_tenant_id: str
    auth_client_id: str
    auth_enabled: bool
    hostname: str
    canary_connection_string: str | None = field(repr=False)
    content_routing: Literal["table", "inline"]
    content_plan: Literal["analytics", "basic"]
    config_directory: Path | None
    environment_name: str | None
    logs_retention_days: int
    requests_per_minute: int
    exports_per_hour: int

    def webhook_url(self, setting: str) -> str:
        """Return the address that a destination's rule names by its setting.

        Raises:
            SettingsError: The setting is not one that holds a webhook's URL, is missing, or is no https URL.
        """
        where = WHERE["TEAMS_WEBHOOK_URL"] if setting == "TEAMS_WEBHOOK_URL" else _OTHER_WEBHOOK
        if setting not in self.webhooks:
            raise SettingsError(
                f"The app setting {setting}, which a destination in alerts.yaml names, is missing.",
                next_step=f"Get it from {where}.",
            )
        if self.webhooks[setting].startswith(_REFERENCE):
            raise _unusable(setting, "", self.webhooks[setting])
        if not _HTTPS.fullmatch(self.webhooks[setting]):
            raise SettingsError(
                f"The app setting {setting} must be an https URL.", next_step=f"Get it from {where}."
            )
        return self.webhooks[setting]


@dataclass(frozen=True, slots=True)
class LogsSettings:
    """The settings of a command that only reads telemetry. Attributes as in `Settings`."""

    logs_endpoint: str
    logs_workspace_id: str | None
    logs_resource_id: str | None
    content_plan: Literal["analytics", "basic"]
    config_directory: Path | None
    environment_name: str | None


def read_logs_settings(environment: Mapping[str, str] = os.environ) -> LogsSettings:
    """Read what is needed to ask about telemetry. Raises as `read_settings` does."""
    given = {name: environment.get(name, "").strip() for name in WHERE}
    if bool(given["LOGS_WORKSPACE_ID"]) == bool(given["LOGS_RESOURCE_ID"]):
        raise _unusable("LOGS_WORKSPACE_ID", "and LOGS_RESOURCE_ID: exactly one of the two must be set")
    plan = _optional(given, "CONTENT_PLAN", _PLAN, "must be analytics or basic")
    if plan == "basic" and not given["LOGS_WORKSPACE_ID"]:
        raise _unusable("CONTENT_PLAN", "can't be basic where LOGS_RESOURCE_ID says where to ask")
    return LogsSettings(
        logs_endpoint=_matching(
            {"LOGS_ENDPOINT": given["LOGS_ENDPOINT"] or "https://api.loganalytics.azure.com"},
            "LOGS_ENDPOINT",
            _HTTPS,
            "must be an https URL",
        ).rstrip("/"),
        logs_workspace_id=_optional(given, "LOGS_WORKSPACE_ID", _GUID, "must be a GUID"),
        logs_resource_id=_optional(
            given, "LOGS_RESOURCE_ID", _RESOURCE_ID, "must begin with /subscriptions/"
        ),
        content_plan="basic" if plan == "basic" else "analytics",
        config_directory=Path(given["CONFIG_DIRECTORY"]) if given["CONFIG_DIRECTORY"] else None,
        environment_name=_optional(
            given, "ENVIRONMENT_NAME", _ENVIRONMENT, "must be small letters, digits and hyphens"
        ),
    )


@dataclass(frozen=True, slots=True)
class RecordSettings:
    """The settings of a command that reads what the watch has kept. Attributes as in `Settings`."""

    storage_blob_endpoint: str
    config_directory: Path | None
    environment_name: str | None


def read_record_settings(environment: Mapping[str, str] = os.environ) -> RecordSettings:
    """Read what is needed to read the watch's record. Raises as `read_settings` does."""
    given = {name: environment.get(name, "").strip() for name in WHERE}
    return RecordSettings(
        storage_blob_endpoint=_matching(
            given, "STORAGE_BLOB_ENDPOINT", _HTTPS, "must be an https URL"
        ).rstrip("/"),
        config_directory=Path(given["CONFIG_DIRECTORY"]) if given["CONFIG_DIRECTORY"] else None,
        environment_name=_optional(
            given, "ENVIRONMENT_NAME", _ENVIRONMENT, "must be small letters, digits and hyphens"
        ),
    )


def read_pseudonym_key(environment: Mapping[str, str] = os.environ) -> tuple[bytes, str]:
    """Read the key of pseudonyms and its name. Raises as `read_settings` does."""
    given = {name: environment.get(name, "").strip() for name in WHERE}
    return _key(given, "PSEUDONYM_KEY"), _matching(
        given, "PSEUDONYM_KEY_ID", _LETTERS, "must be 1 to 32 letters"
    )


def process_environment_with(more: Mapping[str, str]) -> dict[str, str]:
    """Return this process's environment with `more` in it, for a program that is started."""
    return {**os.environ, **more}


def read_environment_name(environment: Mapping[str, str] = os.environ) -> str | None:
    """Read whose overrides in agents.yaml hold. Raises as `read_settings` does."""
    given = {"ENVIRONMENT_NAME": environment.get("ENVIRONMENT_NAME", "").strip()}
    return _optional(given, "ENVIRONMENT_NAME", _ENVIRONMENT, "must be small letters, digits and hyphens")


def read_config_directory(environment: Mapping[str, str] = os.environ) -> Path | None:
    """Read where a site's own config files are; None where it has none at hand."""
    folder = environment.get("CONFIG_DIRECTORY", "").strip()
    return Path(folder) if folder else None


def read_signing_key(environment: Mapping[str, str] = os.environ) -> str:
    """Read what signs bundles, see `Settings`. Raises as `read_settings` does."""
    return _signing_key({"SIGNING_KEY": environment.get("SIGNING_KEY", "").strip()})


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings; an empty one counts as missing.

    Raises:
        SettingsError: Names the first setting that is missing or unusable and where to get it; never a value.
    """
    given = {name: environment.get(name, "").strip() for name in WHERE}
    logs = read_logs_settings(environment)
    return Settings(
        logs_endpoint=logs.logs_endpoint,
        logs_workspace_id=logs.logs_workspace_id,
        logs_resource_id=logs.logs_resource_id,
        storage_blob_endpoint=_matching(
            given, "STORAGE_BLOB_ENDPOINT", _HTTPS, "must be an https URL"
        ).rstrip("/"),
        azure_client_id=_matching(given, "AZURE_CLIENT_ID", _GUID, "must be a GUID"),
        webhooks={
            name: value.strip()
            for name, value in environment.items()
            if name.endswith("_WEBHOOK_URL") and value.strip()
        },
        pseudonym_key=_key(given, "PSEUDONYM_KEY"),
        pseudonym_key_id=_matching(given, "PSEUDONYM_KEY_ID", _LETTERS, "must be 1 to 32 letters"),
        signing_key=_signing_key(given),
        public_key_url=_optional(given, "PUBLIC_KEY_URL", _HTTPS, "must be an https URL"),
        pseudonym_key_previous=_previous_key(given),
        auth_tenant_id=_matching(given, "AUTH_TENANT_ID", _GUID, "must be a GUID").lower(),
        auth_client_id=_matching(given, "AUTH_CLIENT_ID", _GUID, "must be a GUID").lower(),
        auth_enabled=given["WEBSITE_AUTH_ENABLED"].lower() == "true",
        hostname=_matching(given, "WEBSITE_HOSTNAME", _HOST, "must be a host name"),
        canary_connection_string=_optional(
            given,
            "CANARY_CONNECTION_STRING",
            _CONNECTION_STRING,
            "must have an InstrumentationKey and an https IngestionEndpoint",
        ),
        content_routing="inline"
        if _optional(given, "CONTENT_ROUTING", _PLACE, "must be table or inline") == "inline"
        else "table",
        content_plan=logs.content_plan,
        config_directory=logs.config_directory,
        environment_name=logs.environment_name,
        logs_retention_days=int(_optional(given, "LOGS_RETENTION_DAYS", _DAYS, _DAYS_RULE) or 90),
        requests_per_minute=int(_optional(given, "REQUESTS_PER_MINUTE", _COUNT, _COUNTED) or 60),
        exports_per_hour=int(_optional(given, "EXPORTS_PER_HOUR", _COUNT, _COUNTED) or 10),
    )


def _matching(given: Mapping[str, str], name: str, form: re.Pattern[str], rule: str) -> str:
    if not given[name]:
        raise _unusable(name, "is missing")
    if given[name].startswith(_REFERENCE) or not form.fullmatch(given[name]):
        raise _unusable(name, rule, given[name])
    return given[name]


def _optional(given: Mapping[str, str], name: str, form: re.Pattern[str], rule: str) -> str | None:
    return _matching(given, name, form, rule) if given[name] else None


def _signing_key(given: Mapping[str, str]) -> str:
    return _matching(given, "SIGNING_KEY", _SIGNING_KEY, "must be the https URL of a key, or a path")


def _key(given: Mapping[str, str], name: str) -> bytes:
    if not given[name]:
        raise _unusable(name, "is missing")
    try:
        key = base64.b64decode(given[name], validate=True)
    except binascii.Error:
        key = b""
    if len(key) != _KEY_BYTES:
        raise _unusable(name, f"must be {_KEY_BYTES} bytes in base64", given[name])
    return key


def _previous_key(given: Mapping[str, str]) -> tuple[bytes, str] | None:
    key, name = "PSEUDONYM_KEY_PREVIOUS", "PSEUDONYM_KEY_PREVIOUS_ID"
    if not given[key] and not given[name]:
        return None
    previous = _key(given, key), _matching(given, name, _LETTERS, "must be 1 to 32 letters")
    if given[key] == given["PSEUDONYM_KEY"] or given[name] == given["PSEUDONYM_KEY_ID"]:
        raise _unusable(key, "and its id must differ from the key in use and its id")
    return previous


def _unusable(name: str, rule: str, value: str = "") -> SettingsError:
    if value.startswith(_REFERENCE):
        return SettingsError(
            f"The app setting {name} is a reference to Key Vault that the platform could not follow.",
            next_step=(
                "Give the app's identity the role Key Vault Secrets User on the vault, see that the secret "
                "is there and enabled, and that the app can reach the vault; then restart the app."
            ),
        )
    return SettingsError(f"The app setting {name} {rule}.", next_step=f"Get it from {WHERE[name]}.")
