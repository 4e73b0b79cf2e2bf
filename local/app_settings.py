"""The app settings of the local deployment, under the names that infra/ sets on Azure."""

import base64
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

TENANT_ID = "ab1f708d-50f6-404c-a006-d71b2ac7a606"
AUTH_CLIENT_ID = "3f7c2a10-5d0e-4b55-9c3e-2b8a4f6d1e00"
IDENTITY_CLIENT_ID = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
CANARY_KEY = "c0ffee00-1d2e-4f3a-8b5c-6d7e8f901234"
"""The instrumentation key of the app's own component, which takes nothing without a token."""
SIGNING_KEY_NAME = "evidence"
WORKSPACE_ID = "5c1d9e42-7a34-4f0b-8f5e-6d2b1c0a9e88"


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the parts of a stack listen, as URLs without a slash at the end."""

    host: str
    identity: str
    monitor: str
    blobs: str
    queues: str
    inbox: str
    vault: str


def app_settings(
    addresses: Addresses,
    *,
    identity_header: str,
    pseudonym_key: str,
    easy_auth: bool,
    canaries: bool,
    content_routing: Literal["table", "inline"],
    config: Path | None,
) -> dict[str, str]:
    """The settings of the app and of the platform around it.

    Args:
        addresses: Of the parts.
        identity_header: The secret of the identity endpoint.
        pseudonym_key: 32 bytes in base64.
        easy_auth: Whether App Service Authentication is on.
        canaries: Whether marker runs are sent.
        content_routing: Where GenAI content lies.
        config: A site's own configuration folder.
    """
    settings = {
        "AUTH_CLIENT_ID": AUTH_CLIENT_ID,
        "AUTH_TENANT_ID": TENANT_ID,
        "AZURE_CLIENT_ID": IDENTITY_CLIENT_ID,
        "AzureWebJobsStorage__clientId": IDENTITY_CLIENT_ID,
        "AzureWebJobsStorage__credential": "managedidentity",
        "AzureWebJobsStorage__queueServiceUri": addresses.queues,
        "CANARY_CONNECTION_STRING": (
            f"InstrumentationKey={CANARY_KEY};IngestionEndpoint={addresses.monitor}/" if canaries else ""
        ),
        "CONTENT_ROUTING": content_routing,
        # Whoever follows an export on a laptop asks again at once; its answers come in milliseconds.
        "EXPORTS_PER_HOUR": "10000",
        "IDENTITY_ENDPOINT": f"{addresses.identity}/msi/token",
        "IDENTITY_HEADER": identity_header,
        "LOGS_ENDPOINT": addresses.monitor,
        "LOGS_WORKSPACE_ID": WORKSPACE_ID,
        "PSEUDONYM_KEY": pseudonym_key,
        "PSEUDONYM_KEY_ID": "local",
        "REQUESTS_PER_MINUTE": "100000",
        "SIGNING_KEY": f"{addresses.vault}/keys/{SIGNING_KEY_NAME}",
        "STORAGE_BLOB_ENDPOINT": addresses.blobs,
        "TEAMS_WEBHOOK_URL": f"{addresses.inbox}/workflows/alerts?sig={secrets.token_urlsafe(16)}",
        "WEBSITE_AUTH_ENABLED": str(easy_auth),
        "WEBSITE_HOSTNAME": urlsplit(addresses.host).netloc,
    }
    return settings if config is None else {**settings, "CONFIG_DIRECTORY": str(config.resolve())}


def keep_pseudonym_key(file: Path) -> str:
    """The key in `file`, made there at first: pseudonyms stay the same as long as the data does."""
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(base64.b64encode(secrets.token_bytes(32)).decode())
    return file.read_text()
