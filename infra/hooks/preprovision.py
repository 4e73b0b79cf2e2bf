"""Before anything is made in Azure: are the tools here, are we signed in, is every value of its form?"""

import re
import sys
from collections.abc import Sequence

from infra.hooks.console import Console
from infra.hooks.tools import call, given, tracekeeper

AZ = (2, 60, 0)
"""The first that knows Flex Consumption: https://learn.microsoft.com/azure/azure-functions/flex-consumption-how-to."""
BICEP = (0, 36, 1)
"""The first that takes the Graph extension as it is: https://learn.microsoft.com/graph/templates/bicep/whats-new."""
AZD = (1, 18, 0)
"""It brings a Bicep of its own, which has to be as new as that."""

_ENVIRONMENT = re.compile(r"[a-z][a-z0-9-]{0,18}[a-z0-9]")
_EMAIL = re.compile(r"[^\s@,]+@[^\s@,]+\.[^\s@,]+")
_GUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)")
_OWNED = rf"/subscriptions/{_GUID}/resourceGroups/[^/\s]+/providers/"
_IDS = {
    "EXISTING_COMPONENT_ID": (
        "microsoft.insights/components",
        "the component's page, 'JSON View', 'Resource ID'",
    ),
    "EXISTING_WORKSPACE_ID": (
        "microsoft.operationalinsights/workspaces",
        "the workspace's page, 'JSON View', 'Resource ID'",
    ),
}
_SWITCHES = ("VNET_ENABLED", "ASSIGN_EXISTING_ROLES", "CONTENT_PROFILE")


def main() -> int:
    """Look at everything, so that all that is missing is told at once; return the exit code."""
    console = Console()
    _tools(console)
    _signed_in(console)
    _names(console)
    _values(console)
    return console.exit_code("preprovision")


def _tools(console: Console) -> None:
    _tool(console, "az", ("version",), AZ, "https://learn.microsoft.com/cli/azure/install-azure-cli")
    _tool(
        console,
        "azd",
        ("version",),
        AZD,
        "https://learn.microsoft.com/azure/developer/azure-developer-cli/install-azd",
    )
    _tool(console, "az", ("bicep", "version"), BICEP, "az bicep install; az bicep upgrade", name="bicep")
    console.ok(f"Python {sys.version_info.major}.{sys.version_info.minor}")
    if not tracekeeper("--help").ok:
        console.missing(
            "the environment .venv, in which `tracekeeper` checks the configuration and the bundle",
            "make .venv/installed",
        )


def _tool(
    console: Console,
    tool: str,
    question: Sequence[str],
    least: tuple[int, int, int],
    where: str,
    *,
    name: str = "",
) -> None:
    name = name or tool
    wanted = ".".join(map(str, least))
    found = _VERSION.search(call(tool, *question).out)
    if found is None:
        console.missing(f"{name} {wanted} or later", where)
    elif tuple(map(int, found.groups())) < least:
        console.missing(f"{name} {wanted} or later; {found[0]} is here", where)
    else:
        console.ok(f"{name} {found[0]}")


def _signed_in(console: Console) -> None:
    account = call("az", "account", "show", "--output", "json").json()
    if not account:
        console.missing("somebody signed in with az", "az login")
    elif given("AZURE_SUBSCRIPTION_ID") and account["id"].lower() != given("AZURE_SUBSCRIPTION_ID").lower():
        console.missing(
            "az on the subscription of this azd environment",
            f"az account set --subscription {given('AZURE_SUBSCRIPTION_ID')}",
        )
    else:
        console.ok("signed in with az")
    if call("azd", "auth", "login", "--check-status").ok:
        console.ok("signed in with azd")
    else:
        console.missing("somebody signed in with azd", "azd auth login")


def _names(console: Console) -> None:
    name = given("AZURE_ENV_NAME")
    if _ENVIRONMENT.fullmatch(name):
        console.ok(f"environment {name}: resource group rg-{name}")
    else:
        console.missing(
            "a name of the environment of 2 to 20 small letters, digits and hyphens, beginning with a letter",
            "azd env new dev",
        )
    if given("AZURE_LOCATION"):
        console.ok(f"region {given('AZURE_LOCATION')}")
    else:
        console.missing("a region", "azd env set AZURE_LOCATION westeurope")


def _values(console: Console) -> None:
    emails = [one.strip() for one in given("WATCHDOG_EMAILS").split(",")]
    if all(_EMAIL.fullmatch(one) for one in emails):
        console.ok(f"{len(emails)} mail address(es) are written to when the watch itself stops")
    else:
        console.missing(
            "WATCHDOG_EMAILS: whom to write to when the watch itself stops",
            "azd env set WATCHDOG_EMAILS oncall@example.com,owner@example.com",
        )
    for name, (kind, where) in _IDS.items():
        for one in filter(None, (part.strip() for part in given(name).split(","))):
            if re.fullmatch(rf"{_OWNED}{kind}/[^/\s]+", one, re.IGNORECASE):
                console.ok(f"{name} is a resource id")
            else:
                console.missing(
                    f"{name} must be the resource id of a resource of {kind}", f"Take it from {where}."
                )
    for name in _SWITCHES:
        if given(name) not in {"", "true", "false"}:
            console.missing(f"{name} must be true or false", f"azd env set {name} false")
    if given("EXISTING_APP_CLIENT_ID") and not re.fullmatch(_GUID, given("EXISTING_APP_CLIENT_ID")):
        console.missing(
            "EXISTING_APP_CLIENT_ID must be a GUID",
            "Take it from the app registration's page, 'Application (client) ID'.",
        )
    if not given("TRACEKEEPER_VAULT_NAME") and not given("TEAMS_WEBHOOK_URL").startswith("https://"):
        console.missing(
            "TEAMS_WEBHOOK_URL in this shell, at the first time only: where alerts go",
            "In Teams make a workflow 'When a Teams webhook request is received', then:\n"
            "read -rs TEAMS_WEBHOOK_URL && export TEAMS_WEBHOOK_URL",
        )


if __name__ == "__main__":
    sys.exit(main())
