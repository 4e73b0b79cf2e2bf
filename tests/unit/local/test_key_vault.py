import base64
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from werkzeug.test import Client, TestResponse

from functions.signing.signatures import der_fits, der_from_raw
from local.key_vault import KeyVault, keep_key

TENANT = "ab1f708d-50f6-404c-a006-d71b2ac7a606"
HOST = "https://127.0.0.1:4711"
RESOURCE = "https://0.0.1:4711"
DIGEST = base64.urlsafe_b64encode(hashlib.sha256(b"data").digest()).rstrip(b"=").decode()
SIGN = {"alg": "ES256", "value": DIGEST}


@pytest.fixture
def key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@pytest.fixture
def vault(key: ec.EllipticCurvePrivateKey) -> KeyVault:
    return KeyVault(
        key,
        name="evidence",
        tenant_id=TENANT,
        token_ok=lambda token, audience: (token, audience) == ("good", RESOURCE),
    )


Ask = Callable[..., TestResponse]


@pytest.fixture
def ask(vault: KeyVault) -> Ask:
    def call(
        method: str, path: str, *, token: str = "good", version: str = "7.6", json: Any = None
    ) -> TestResponse:
        query = {"api-version": version} if version else {}
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return Client(vault).open(
            path, method=method, base_url=HOST, query_string=query, headers=headers, json=json
        )

    return call


@pytest.mark.parametrize("token", ["", "bad"])
def test_without_a_good_token_it_says_where_to_get_one_and_does_nothing(
    token: str, ask: Ask, vault: KeyVault
) -> None:
    for method, path in (("GET", "/keys/evidence"), ("POST", f"/keys/evidence/{vault.version}/sign")):
        answer = ask(method, path, token=token, json=SIGN if method == "POST" else None)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == (
            f'Bearer authorization="https://login.microsoftonline.com/{TENANT}", resource="{RESOURCE}"'
        )
    assert vault.asked == []


def test_a_key_is_shown_without_its_private_part(ask: Ask, vault: KeyVault) -> None:
    answer = ask("GET", "/keys/evidence").json
    assert answer is not None
    assert answer["key"].keys() == {"kid", "kty", "crv", "key_ops", "x", "y"}
    assert answer["key"]["kid"] == f"{HOST}/keys/evidence/{vault.version}"
    assert ask("GET", f"/keys/evidence/{vault.version}").json == answer


def test_it_signs_a_digest_as_key_vault_does(
    ask: Ask, vault: KeyVault, key: ec.EllipticCurvePrivateKey
) -> None:
    answer = ask("POST", f"/keys/evidence/{vault.version}/sign", json=SIGN).json
    assert answer is not None
    raw = base64.urlsafe_b64decode(answer["value"] + "==")
    assert len(raw) == 64
    assert der_fits(key.public_key(), der_from_raw(raw), b"data")


@pytest.mark.parametrize(
    "body",
    [None, {}, {"alg": "ES256"}, SIGN | {"alg": "ES384"}, SIGN | {"value": "AAAA"}, SIGN | {"value": 1}],
)
def test_what_can_not_be_signed_is_refused(body: Any, ask: Ask, vault: KeyVault) -> None:
    assert ask("POST", f"/keys/evidence/{vault.version}/sign", json=body).status_code == 400


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/keys/other"),
        ("GET", f"/keys/evidence/{'0' * 32}"),
        ("POST", f"/keys/evidence/{'0' * 32}/sign"),
        ("POST", "/keys/evidence/sign"),
        ("DELETE", "/keys/evidence"),
        ("GET", "/secrets/evidence"),
    ],
)
def test_what_is_not_there_is_not_found(method: str, path: str, ask: Ask) -> None:
    assert ask(method, path, json=SIGN if method == "POST" else None).status_code == 404


def test_a_request_names_its_version_of_the_api(ask: Ask) -> None:
    assert ask("GET", "/keys/evidence", version="").status_code == 400


def test_the_key_in_a_file_stays_the_same_and_is_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    first = keep_key(path)
    assert keep_key(path).private_numbers() == first.private_numbers()
    assert path.stat().st_mode & 0o777 == 0o600
