"""Starts Azurite, so that the real adapters are tested against Microsoft's own emulator."""

import base64
import json
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from azure.core.credentials import AccessToken
from azure.storage.blob import BlobServiceClient, ContainerClient

from local.serving import make_certificates

ROOT = Path(__file__).parents[2]


class StorageToken:
    """Gives tokens that Azurite's `--oauth basic` accepts: it checks the claims, not the signature."""

    def get_token(self, *_scopes: str, **_: object) -> AccessToken:
        expires = int(time.time()) + 3600
        claims = {
            "aud": "https://storage.azure.com",
            "iss": "https://sts.windows.net/ab1f708d-50f6-404c-a006-d71b2ac7a606/",
            "iat": expires - 3700,
            "nbf": expires - 3700,
            "exp": expires,
        }
        parts = (json.dumps(part).encode() for part in ({"alg": "RS256", "typ": "JWT"}, claims))
        encoded = [base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts]
        return AccessToken(".".join([*encoded, "c2ln"]), expires)


@pytest.fixture(scope="session")
def blob_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BlobServiceClient]:
    folder = tmp_path_factory.mktemp("azurite")
    certificates = make_certificates(folder / "tls")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    script = ROOT / "local/node_modules/azurite/dist/src/blob/main.js"
    process = subprocess.Popen(
        [
            *("node", str(script), "--blobPort", str(port), "--oauth", "basic"),
            *("--cert", str(certificates.certificate), "--key", str(certificates.key)),
            *("--inMemoryPersistence", "--silent", "--disableTelemetry", "--skipApiVersionCheck"),
        ],
        cwd=folder,
        env=os.environ | {"AZURITE_ACCOUNTS": f"tests:{base64.b64encode(b'key').decode()}"},
    )
    try:
        _wait_for(port)
        with BlobServiceClient(
            f"https://127.0.0.1:{port}/tests",
            credential=StorageToken(),
            connection_verify=str(certificates.authority),
        ) as service:
            yield service
    finally:
        process.terminate()
        process.wait()


@pytest.fixture
def new_container(blob_service: BlobServiceClient) -> Callable[[], ContainerClient]:
    return lambda: blob_service.create_container(f"c{uuid4().hex}")


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError("Azurite did not start")
