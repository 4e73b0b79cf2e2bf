"""After resources were made: puts two secrets into the vault if they are not there, and asks for rights.

Secrets go through Azure Resource Manager, which needs no right to read the vault and works where the vault
has a private network only; they are handed over in a file that only we can read, never on a command line.
"""

import base64
import json
import secrets
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from infra.hooks.console import Console
from infra.hooks.tools import Answer, call, given

VAULTS = "2023-07-01"
SITES = "2024-04-01"
WEBHOOK, PSEUDONYMS = "teams-webhook-url", "pseudonym-key"
"""The secrets' names in infra/modules/vault.bicep."""

READER = "Log Analytics Data Reader"
COMPONENT_READER = "Monitoring Reader"
"""Log Analytics Data Reader works on workspaces only."""
CONTENT_READER = "Privileged Monitoring Data Reader"

_NEEDED = ("AZURE_SUBSCRIPTION_ID", "AZURE_RESOURCE_GROUP", "TRACEKEEPER_VAULT_NAME", "TRACEKEEPER_APP_NAME")
_AGAIN = "Run `azd provision` again; then `azd env refresh` if it goes on."


def main() -> int:
    """Do both; return the exit code."""
    console = Console()
    if absent := [name for name in _NEEDED if not given(name)]:
        console.missing(f"{', '.join(absent)} in the azd environment", _AGAIN)
        return console.exit_code("postprovision")
    stored = [
        _store(console, WEBHOOK, _webhook, "URL of a Teams workflow"),
        _store(console, PSEUDONYMS, _pseudonym_key, "32 bytes in base64"),
    ]
    if any(stored):
        _look_again(console)
    _ask_owners(console)
    return console.exit_code("postprovision")


def _store(console: Console, name: str, value: Callable[[], str], kind: str) -> bool:
    """Put a secret into the vault unless it is there; return whether it was put."""
    url = f"{_group()}/providers/Microsoft.KeyVault/vaults/{given('TRACEKEEPER_VAULT_NAME')}/secrets/{name}"
    held = call("az", "rest", "--method", "get", "--url", f"{url}?api-version={VAULTS}")
    if held.ok:
        console.ok(f"the vault has {name}")
        return False
    if not _not_there(held):
        # To write now could replace the key that every pseudonym so far was made with.
        console.failed(
            f"nobody knows whether the vault has {name}",
            "You need Contributor on the resource group. Then run `azd provision` again.",
        )
        return False
    secret = value()
    if not secret:
        console.missing(
            f"{name} in the vault",
            "read -rs TEAMS_WEBHOOK_URL && export TEAMS_WEBHOOK_URL; then `azd provision`",
        )
        return False
    if not _put(f"{url}?api-version={VAULTS}", {"properties": {"value": secret, "contentType": kind}}).ok:
        console.failed(
            f"{name} could not be written",
            "You need Contributor on the resource group. If one of that name was deleted, recover it first:\n"
            f"az keyvault secret recover --vault-name {given('TRACEKEEPER_VAULT_NAME')} --name {name}",
        )
        return False
    console.ok(f"{name} was put into the vault")
    return True


def _put(url: str, body: dict[str, object]) -> Answer:
    # Its own folder, so that the file can be closed before az opens it, as Windows wants it.
    with tempfile.TemporaryDirectory(prefix="tracekeeper-") as folder:
        file = Path(folder) / "body.json"
        file.touch(mode=0o600)
        file.write_text(json.dumps(body), encoding="utf-8")
        return call("az", "rest", "--method", "put", "--url", url, "--body", f"@{file}", "--output", "none")


def _not_there(answer: Answer) -> bool:
    return "NotFound" in answer.trouble or "Not Found" in answer.trouble


def _webhook() -> str:
    url = given("TEAMS_WEBHOOK_URL")
    return url if url.startswith("https://") else ""


def _pseudonym_key() -> str:
    return given("PSEUDONYM_KEY") or base64.b64encode(secrets.token_bytes(32)).decode()


def _look_again(console: Console) -> None:
    """Let the app see new secrets at once, not within a day.

    https://learn.microsoft.com/azure/app-service/app-service-key-vault-references#understand-rotation
    """
    site = f"{_group()}/providers/Microsoft.Web/sites/{given('TRACEKEEPER_APP_NAME')}"
    url = f"{site}/config/configreferences/appsettings"
    if call(
        "az", "rest", "--method", "post", "--url", f"{url}/refresh?api-version={SITES}", "--output", "none"
    ).ok:
        console.ok("the app reads its secrets again")
    else:
        console.note("the app takes the secrets at its next start; `azd deploy` starts it")


def _ask_owners(console: Console) -> None:
    """Print what the owner of an existing resource has to run, where we were told not to assign roles."""
    commands = role_commands()
    if not commands:
        return
    console.note("Tracekeeper may not read the existing resources yet. Give these lines to their owner:")
    for command in commands:
        print(command, flush=True)


def role_commands() -> list[str]:
    """Return the commands that let the app's identity read; none where provisioning assigned the roles."""
    if given("ASSIGN_EXISTING_ROLES") != "false":
        return []
    scopes = [
        (one.strip(), role)
        for name, roles in (
            ("EXISTING_COMPONENT_ID", (COMPONENT_READER,)),
            (
                "EXISTING_WORKSPACE_ID",
                (READER, CONTENT_READER) if given("CONTENT_PROFILE") == "true" else (READER,),
            ),
        )
        for one in given(name).split(",")
        if one.strip()
        for role in roles
    ]
    return [
        f"az role assignment create --assignee-object-id {given('TRACEKEEPER_IDENTITY_PRINCIPAL_ID')}"
        f' --assignee-principal-type ServicePrincipal --role "{role}" --scope "{scope}"'
        for scope, role in scopes
    ]


def _group() -> str:
    return f"/subscriptions/{given('AZURE_SUBSCRIPTION_ID')}/resourceGroups/{given('AZURE_RESOURCE_GROUP')}"


if __name__ == "__main__":
    sys.exit(main())
