from collections.abc import Iterator
from pathlib import Path

import jwt
import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import ManagedIdentityCredential
from werkzeug.test import Client

from local.identity import IdentityEndpoint, Tokens
from local.serving import Service, make_certificates

TENANT = "ab1f708d-50f6-404c-a006-d71b2ac7a606"
CLIENT = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
STORAGE = "https://storage.azure.com"
GOOD = {"resource": STORAGE, "api-version": "2019-08-01", "client_id": CLIENT}


@pytest.fixture(scope="module")
def tokens() -> Tokens:
    return Tokens(TENANT, CLIENT)


@pytest.mark.parametrize(
    ("query", "right_header", "status"),
    [
        (GOOD, True, 200),
        (GOOD, False, 401),
        ({**GOOD, "client_id": "11111111-2222-3333-4444-555555555555"}, True, 400),
        ({**GOOD, "api-version": "2017-09-01"}, True, 400),
        ({**GOOD, "resource": ""}, True, 400),
    ],
)
def test_a_token_needs_the_header_the_version_and_the_identity(
    tokens: Tokens, query: dict[str, str], right_header: bool, status: int
) -> None:
    endpoint = IdentityEndpoint(tokens)
    header = endpoint.header if right_header else "guess"
    answer = Client(endpoint).get("/msi/token", query_string=query, headers={"X-IDENTITY-HEADER": header})
    assert answer.status_code == status
    assert answer.json is not None
    assert ("access_token" in answer.json) == (status == 200)


@pytest.fixture
def credential(
    tokens: Tokens, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[ManagedIdentityCredential, IdentityEndpoint]]:
    endpoint = IdentityEndpoint(tokens)
    certificates = make_certificates(tmp_path)
    with Service(endpoint, certificates) as service:
        monkeypatch.setenv("IDENTITY_ENDPOINT", service.url)
        monkeypatch.setenv("IDENTITY_HEADER", endpoint.header)
        trust = str(certificates.authority)
        with ManagedIdentityCredential(client_id=CLIENT, connection_verify=trust) as found:
            yield found, endpoint


def test_the_real_credential_gets_a_token_for_the_audience_it_asks_for(
    credential: tuple[ManagedIdentityCredential, IdentityEndpoint], tokens: Tokens
) -> None:
    token = credential[0].get_token(f"{STORAGE}/.default").token
    assert tokens.accepts(token, STORAGE)
    assert not tokens.accepts(token, "https://api.loganalytics.azure.com")
    assert (
        jwt.decode(token, options={"verify_signature": False})["iss"] == f"https://sts.windows.net/{TENANT}/"
    )


def test_the_real_credential_fails_where_the_header_is_another(
    credential: tuple[ManagedIdentityCredential, IdentityEndpoint],
) -> None:
    credential[1].header = "changed"
    with pytest.raises(ClientAuthenticationError):
        credential[0].get_token(f"{STORAGE}/.default")


@pytest.mark.parametrize("token", ["", "x", "a.b.c"])
def test_what_is_no_token_is_not_accepted(tokens: Tokens, token: str) -> None:
    assert not tokens.accepts(token, STORAGE)


def test_a_token_of_another_issuer_is_not_accepted(tokens: Tokens) -> None:
    foreign, _ = Tokens(TENANT, CLIENT).issue(STORAGE)
    assert not tokens.accepts(foreign, STORAGE)
