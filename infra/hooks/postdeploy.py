"""After a deployment: does the service really do, from end to end, what it is for?

Signs in as whoever az is. SMOKE_SKIP names steps to leave out, with commas: they are told, and never a pass.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from infra.hooks.app import PRINCIPAL, App, Reply, forged_principal
from infra.hooks.console import Console
from infra.hooks.tools import call, given, tracekeeper

SITES = "2024-04-01"
WAIT = 900.0
"""Seconds for each step that waits: marker runs are sent every five minutes, and looked for as often."""
PAUSE = 5.0

_NEEDED = (
    "AZURE_SUBSCRIPTION_ID",
    "AZURE_RESOURCE_GROUP",
    "TRACEKEEPER_URL",
    "TRACEKEEPER_APP_NAME",
    "TRACEKEEPER_AUTH_CLIENT_ID",
    "TRACEKEEPER_VAULT_NAME",
    "TRACEKEEPER_STORAGE_NAME",
)


class NotSo(Exception):
    """A step did not find what has to be; with what to do."""

    def __init__(self, found: str, next_step: str) -> None:
        super().__init__(found)
        self.found = found
        self.next_step = next_step


@dataclass(frozen=True, slots=True)
class Smoke:
    """One run of the test.

    Attributes:
        app: Asked as whoever az is.
        stranger: Asked as nobody.
        began: When, UTC.
    """

    app: App
    stranger: App
    began: datetime


def main() -> int:
    """Take every step, the later ones too where one fails; return the exit code."""
    console = Console()
    if absent := [name for name in _NEEDED if not given(name)]:
        console.missing(f"{', '.join(absent)} in the azd environment", "azd env refresh")
        return console.exit_code("postdeploy")
    url = given("TRACEKEEPER_URL").rstrip("/")
    smoke = Smoke(App(url, _token()), App(url), datetime.now(UTC))
    left_out = {one.strip() for one in given("SMOKE_SKIP").split(",")}
    for name, step in STEPS.items():
        if name in left_out:
            console.note(f"{name}: NOT CHECKED, SMOKE_SKIP says so")
            continue
        try:
            console.ok(f"{name}: {step(smoke)}")
        except NotSo as trouble:
            console.failed(f"{name}: {trouble.found}", trouble.next_step)
    return console.exit_code("postdeploy")


def _health(smoke: Smoke) -> str:
    reply = _until(lambda: smoke.stranger.ask("api/v1/health"), lambda reply: reply.status == 200)
    if reply.status != 200:
        raise NotSo(reply.told(), "Look for watch_tick in the app's log. A missing setting is named there.")
    return "the watch is at work"


def _strangers(smoke: Smoke) -> str:
    reply = smoke.stranger.ask("api/v1/checks")
    if reply.status not in {401, 403}:
        raise NotSo(
            f"nobody in particular is answered with {reply.status}", "Stop the app: az functionapp stop."
        )
    return f"refused with {reply.status}"


def _forged(smoke: Smoke) -> str:
    tenant = call("az", "account", "show", "--query", "tenantId", "--output", "tsv").out.strip()
    header = forged_principal(tenant, given("TRACEKEEPER_AUTH_CLIENT_ID"))
    for path in ("api/v1/checks", "api/v1/exports", "api/v1/access-log"):
        reply = smoke.stranger.ask(path, headers={PRINCIPAL: header})
        if reply.status not in {401, 403}:
            raise NotSo(
                f"a forged {PRINCIPAL} is answered with {reply.status} at {path}",
                "Stop the app: az functionapp stop. Then see that App Service authentication is on.",
            )
    return f"a forged {PRINCIPAL} is refused with {reply.status}"


def _sight(smoke: Smoke) -> str:
    """Where we read what others own no marker run is sent: then it is enough that the source answers."""
    own = not (given("EXISTING_COMPONENT_ID") or given("EXISTING_WORKSPACE_ID"))
    fired = own and _fire("send_canary")

    def seen(reply: Reply) -> bool:
        sight = reply.json().get("sight") or {} if reply.status == 200 else {}
        looked = bool(sight) and datetime.fromisoformat(sight["asked_at"]) > smoke.began
        return looked and (not own or sight["needs"]["spans"]["answer"] == "pass")

    reply = _until(lambda: smoke.app.ask("api/v1/checks"), seen, over={401, 403})
    if not seen(reply):
        raise _refusal(reply, "Alerts.Read") or NotSo(
            f"no marker run was seen: {_answers(reply)}" if own else "the telemetry was not asked for",
            "GET api/v1/checks names the reason; docs/checks.md explains it.",
        )
    how = "sent now" if fired else "sent by its timer"
    return (
        f"marker run, {how}: {_answers(reply)}"
        if own
        else f"no marker run among others' rows: {_answers(reply)}"
    )


def _card(smoke: Smoke) -> str:  # noqa: ARG001 - a step's shape
    answer = tracekeeper(
        "alerts",
        "test",
        given("SMOKE_DESTINATION") or "teams",
        "--wait",
        "10",
        environment={"STORAGE_BLOB_ENDPOINT": _blobs()},
    )
    if not answer.ok:
        raise NotSo(
            (answer.out + answer.trouble).strip().replace("\n", "; "),
            "Whoever az is signed in as needs Storage Blob Data Contributor on the container 'state':\n"
            f'az role assignment create --assignee "$(az ad signed-in-user show --query id -o tsv)" '
            f'--role "Storage Blob Data Contributor" --scope "{_group()}/providers/Microsoft.Storage/'
            f'storageAccounts/{given("TRACEKEEPER_STORAGE_NAME")}/blobServices/default/containers/state"',
        )
    return "; ".join(line for line in answer.out.splitlines() if line)


def _export(smoke: Smoke) -> str:
    reply = smoke.app.ask("api/v1/exports", body=_question(smoke))
    if reply.status != 202:
        raise _refusal(reply, "Evidence.Read") or NotSo(reply.told(), "docs/exports.md explains the answer.")
    path = f"api/v1/exports/{reply.json()['id']}"
    reply = _until(lambda: smoke.app.ask(path), _over)
    if reply.json().get("state") != "done":
        raise NotSo(
            f"the export is {reply.json().get('state', reply.told())}", "Look at run_export in the app's log."
        )
    bundle = smoke.app.ask(f"{path}/bundle")
    if bundle.status != 200:
        raise NotSo(bundle.told(), "docs/exports.md explains the answer.")
    with tempfile.TemporaryDirectory(prefix="tracekeeper-") as folder:
        return _verified(bundle.body, Path(folder))


def _over(reply: Reply) -> bool:
    return reply.status == 200 and reply.json()["state"] not in {"queued", "running"}


def _verified(bundle: bytes, folder: Path) -> str:
    file, key = folder / "bundle.zip", folder / "key.pem"
    file.write_bytes(bundle)
    vault = given("TRACEKEEPER_VAULT_NAME")
    got = call(
        *("az", "keyvault", "key", "download", "--vault-name", vault, "--name", "evidence"),
        *("--encoding", "PEM", "--file", str(key)),
    )
    if not got.ok:
        raise NotSo(
            "the public key can't be read, so that nobody knows whose signature it is",
            "It needs Key Vault Reader on the vault for whoever az is signed in as.",
        )
    answer = tracekeeper("verify", str(file), "--key", str(key))
    if not answer.ok:
        raise NotSo(
            (answer.out + answer.trouble).strip(), "Keep the bundle's export, and see docs/evidence.md."
        )
    return f"a bundle of {len(bundle):,} bytes; tracekeeper verify --key: {answer.out.split()[0]}"


def _question(smoke: Smoke) -> dict[str, Any]:
    window = {
        "start": f"{smoke.began - timedelta(minutes=10):%Y-%m-%dT%H:%M:%SZ}",
        "end": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
    }
    return {
        "selector": {"window": window},
        "profile": "metadata",
        "reason": "Smoke test after a deployment",
        "ticket": "SMOKE",
    }


def _token() -> str:
    scope = f"{given('TRACEKEEPER_AUTH_CLIENT_ID')}/.default"
    return call(
        *("az", "account", "get-access-token", "--scope", scope, "--query", "accessToken", "--output", "tsv")
    ).out.strip()


def _fire(function: str) -> bool:
    """Ask the host, through Azure Resource Manager, to run a timer function now; False where it won't."""
    site = f"{_group()}/providers/Microsoft.Web/sites/{given('TRACEKEEPER_APP_NAME')}"
    url = f"{site}/hostruntime/admin/functions/{function}?api-version={SITES}"
    return call("az", "rest", "--method", "post", "--url", url, "--body", '{"input": ""}').ok


def _until(ask: Callable[[], Reply], good: Callable[[Reply], bool], *, over: set[int] | None = None) -> Reply:
    """Ask until the answer is good, or there is no more hope; return the last answer."""
    patience = time.monotonic() + float(given("SMOKE_SECONDS") or WAIT)
    reply = ask()
    while not good(reply) and reply.status not in (over or ()) and time.monotonic() < patience:
        time.sleep(PAUSE)
        reply = ask()
    return reply


def _refusal(reply: Reply, role: str) -> NotSo | None:
    if reply.status not in {401, 403}:
        return None
    return NotSo(
        f"whoever az is signed in as may not ask: {reply.told()}",
        f"Give them the app role {role}, see docs/deploy.md under 'Who may do what'; then az login again.",
    )


def _answers(reply: Reply) -> str:
    sight = reply.json().get("sight") or {}
    needs = sight.get("needs", {}).items()
    return ", ".join(f"{need} {known['answer']}" for need, known in needs) or "nobody has looked"


def _blobs() -> str:
    return given("TRACEKEEPER_BLOB_ENDPOINT") or (
        f"https://{given('TRACEKEEPER_STORAGE_NAME')}.blob.core.windows.net"
    )


def _group() -> str:
    return f"/subscriptions/{given('AZURE_SUBSCRIPTION_ID')}/resourceGroups/{given('AZURE_RESOURCE_GROUP')}"


STEPS: dict[str, Callable[[Smoke], str]] = {
    "health": _health,
    "strangers": _strangers,
    "forged": _forged,
    "sight": _sight,
    "card": _card,
    "export": _export,
}
"""By the names that SMOKE_SKIP knows, in order."""


if __name__ == "__main__":
    sys.exit(main())
