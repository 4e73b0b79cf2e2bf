"""The smoke test passes on a service that does what it should, and on no other."""

import json
import shutil
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
from werkzeug.wrappers import Request, Response

from local.app_settings import AUTH_CLIENT_ID, TENANT_ID
from local.host.easy_auth import COOKIE
from local.serving import Service, make_certificates
from local.stack import Stack
from tests.infra.fake_commands import Commands, Rule

SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
PROVISIONED = {
    "AZURE_SUBSCRIPTION_ID": SUBSCRIPTION,
    "AZURE_RESOURCE_GROUP": "rg-dev",
    "TRACEKEEPER_APP_NAME": "func-dev",
    "TRACEKEEPER_AUTH_CLIENT_ID": AUTH_CLIENT_ID,
    "TRACEKEEPER_STORAGE_NAME": "stdev",
    "TRACEKEEPER_VAULT_NAME": "kv-dev",
    "SMOKE_SECONDS": "150",
}
ACCOUNT = Rule(["account", "show"], out=TENANT_ID)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("smoke")
    with Stack(folder, canaries=True) as stack:
        stack.start_host()
        over = threading.Event()
        ticks = threading.Thread(target=tick_often, args=(stack, over))
        ticks.start()
        yield stack
        over.set()
        ticks.join()
    shutil.rmtree(folder, ignore_errors=True)


def tick_often(stack: Stack, over: threading.Event) -> None:
    """Do what the watch's timer does every minute every two seconds."""
    while not over.wait(2):
        stack.fire("watch_tick")


@pytest.fixture
def commands(tmp_path: Path) -> Commands:
    folder = tmp_path / "commands"
    folder.mkdir()
    return Commands(folder)


def environment(stack: Stack) -> dict[str, str]:
    """What azd passes on, how the stack is reached, and whom its storage takes for signed in."""
    signed_in = {
        name: stack.settings[name] for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER", "AZURE_CLIENT_ID")
    }
    return {
        **PROVISIONED,
        **stack.trust(),
        **signed_in,
        "TRACEKEEPER_URL": stack.host_url,
        "TRACEKEEPER_BLOB_ENDPOINT": stack.settings["STORAGE_BLOB_ENDPOINT"],
    }


def rules(stack: Stack, user: str) -> list[Rule]:
    with stack.sign_in(user) as session:
        token = session.cookies[COOKIE]
    canary = f"{stack.host_url}/admin/functions/send_canary"
    return [
        ACCOUNT,
        Rule(["get-access-token", f"{AUTH_CLIENT_ID}/.default"], out=token),
        Rule(["keyvault", "download", "evidence"], copy=str(stack.public_key)),
        Rule(["rest", "post", "/hostruntime/admin/functions/send_canary"], post=canary, trust=str(stack.ca)),
    ]


def said(output: str) -> dict[str, str]:
    """Return of each step the word that was said."""
    return {
        line[9:].split(":")[0]: line.split()[0]
        for line in output.splitlines()
        if line.startswith(("ok ", "FAILED", "note"))
    }


def test_a_service_at_work_passes_every_step(stack: Stack, commands: Commands) -> None:
    commands.rules = rules(stack, "engineer")
    before = len(stack.posts())
    done = commands.run("postdeploy", environment(stack))
    assert done.returncode == 0, done.stdout + done.stderr
    assert said(done.stdout) == dict.fromkeys(
        ("health", "strangers", "forged", "sight", "card", "export"), "ok"
    )
    [sight] = [line for line in done.stdout.splitlines() if "sight:" in line]
    assert "marker run, sent now: " in sight
    assert "spans pass" in sight
    assert "tracekeeper verify --key: VERIFIED" in done.stdout
    assert len(stack.posts()) > before
    token = commands.rules[1].out
    assert token not in done.stdout + done.stderr
    with stack.sign_in("auditor") as auditor:
        [export] = auditor.get(f"{stack.host_url}/api/v1/exports", timeout=30).json()["exports"]
    assert (export["state"], export["ticket"]) == ("done", "SMOKE")


def test_who_lacks_roles_fails_with_their_names(stack: Stack, commands: Commands) -> None:
    commands.rules = [rule for rule in rules(stack, "visitor") if "keyvault" not in rule.when]
    done = commands.run("postdeploy", {**environment(stack), "SMOKE_SKIP": "card"})
    assert done.returncode == 1
    words = said(done.stdout)
    assert (words["sight"], words["export"], words["card"]) == ("FAILED", "FAILED", "note")
    assert "the app role Alerts.Read" in done.stdout
    assert "the app role Evidence.Read" in done.stdout


def test_a_bundle_signed_by_another_key_fails(stack: Stack, commands: Commands, tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.asymmetric import ec

    from functions.signing.signatures import public_pem

    other = tmp_path / "other.pem"
    other.write_text(public_pem(ec.generate_private_key(ec.SECP256R1()).public_key()))
    commands.rules = [Rule(["keyvault", "download"], copy=str(other)), *rules(stack, "engineer")]
    skipped = {"SMOKE_SKIP": "health,strangers,forged,sight,card"}
    done = commands.run("postdeploy", environment(stack) | skipped)
    assert done.returncode == 1
    assert "FAILED   export: REFUSED" in done.stdout


class Gullible:
    """An app that believes whoever sends the header, and answers strangers if `open` says so."""

    def __init__(self, *, open_to_all: bool) -> None:
        self._open = open_to_all

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = Request(environ)
        known = self._open or request.path == "/api/v1/health" or "X-MS-CLIENT-PRINCIPAL" in request.headers
        body: dict[str, Any] = {"status": "ok"}
        return Response(json.dumps(body), status=200 if known else 401)(environ, start_response)


@pytest.mark.parametrize(("open_to_all", "failed"), [(False, ["forged"]), (True, ["strangers", "forged"])])
def test_an_app_that_believes_a_forged_header_fails(
    commands: Commands, tmp_path: Path, *, open_to_all: bool, failed: list[str]
) -> None:
    commands.rules = [ACCOUNT, Rule(["get-access-token"], out="token")]
    certificates = make_certificates(tmp_path / "certificates")
    with Service(Gullible(open_to_all=open_to_all), certificates) as service:
        done = commands.run(
            "postdeploy",
            {
                **PROVISIONED,
                "TRACEKEEPER_URL": service.url,
                "SSL_CERT_FILE": str(certificates.authority),
                "NO_PROXY": "127.0.0.1",
                "SMOKE_SKIP": "sight,card,export",
            },
        )
    assert done.returncode == 1
    assert [name for name, word in said(done.stdout).items() if word == "FAILED"] == failed
    assert "Stop the app" in done.stdout


def test_a_token_is_not_sent_on_to_another_place(tmp_path: Path, commands: Commands) -> None:
    heard: list[str | None] = []

    def elsewhere(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        heard.append(environ.get("HTTP_AUTHORIZATION"))
        return Response("{}")(environ, start_response)

    certificates = make_certificates(tmp_path / "certificates")
    with Service(elsewhere, certificates) as other:

        def leading(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            return Response(status=302, headers={"Location": f"{other.url}/"})(environ, start_response)

        with Service(leading, certificates) as service:
            commands.rules = [ACCOUNT, Rule(["get-access-token"], out="token")]
            done = commands.run(
                "postdeploy",
                {
                    **PROVISIONED,
                    "TRACEKEEPER_URL": service.url,
                    "SSL_CERT_FILE": str(certificates.authority),
                    "NO_PROXY": "127.0.0.1",
                    "SMOKE_SECONDS": "0.1",
                    "SMOKE_SKIP": "card",
                },
            )
    assert done.returncode == 1
    assert heard == []
