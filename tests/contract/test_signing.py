"""All signers pass the same suite; that of Key Vault is the real SDK, which meets the vault on loopback."""

import shlex
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest
from azure.identity import ManagedIdentityCredential
from azure.keyvault.keys import KeyClient
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey
from werkzeug.wrappers import Response

from functions.errors import SigningError, SigningRefused
from functions.signing.signatures import (
    PublicKey,
    Signature,
    Signer,
    der_fits,
    detached_jws,
    jws_fits,
    jws_input,
    public_pem,
    raw_from_der,
    thumbprint,
)
from functions.signing.signing import KeyVaultSigner, PemSigner, signer_for
from local.identity import IdentityEndpoint, Tokens
from local.key_vault import KeyVault, keep_key
from local.serving import Certificates, Service
from tests.fakes.signer import MemorySigner

TENANT_ID = "ab1f708d-50f6-404c-a006-d71b2ac7a606"
CLIENT_ID = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
DATA = b"0" * 64 + b"  bagit.txt\n"


@dataclass
class Vault:
    """A vault that listens, and what the real SDK needs to reach it."""

    app: KeyVault
    url: str
    credential: ManagedIdentityCredential


@pytest.fixture
def vault(certificates: Certificates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Vault]:
    tokens = Tokens(TENANT_ID, CLIENT_ID)
    identity = IdentityEndpoint(tokens)
    key = keep_key(tmp_path / "vault.pem")
    app = KeyVault(key, name="evidence", tenant_id=TENANT_ID, token_ok=tokens.accepts)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificates.authority))
    with Service(identity, certificates) as there, Service(app, certificates) as service:
        monkeypatch.setenv("IDENTITY_ENDPOINT", there.url)
        monkeypatch.setenv("IDENTITY_HEADER", identity.header)
        with ManagedIdentityCredential(client_id=CLIENT_ID) as credential:
            yield Vault(app, service.url, credential)


@pytest.fixture(params=["memory", "file", "vault", "vault, one version"])
def signer(request: pytest.FixtureRequest, tmp_path: Path, vault: Vault) -> Signer:
    if request.param == "memory":
        return MemorySigner()
    if request.param == "file":
        keep_key(tmp_path / "signing.pem")
        return signer_for(str(tmp_path / "signing.pem"), vault.credential)
    version = f"/{vault.app.version}" if "version" in request.param else ""
    return signer_for(f"{vault.url}/keys/evidence{version}", vault.credential)


def test_openssl_accepts_the_signature_and_refuses_it_over_other_bytes(
    signer: Signer, tmp_path: Path
) -> None:
    (tmp_path / "pub.pem").write_text(public_pem(signer.public_key()))
    (tmp_path / "sig.der").write_bytes(signer.sign(DATA).der)
    (tmp_path / "data").write_bytes(DATA)
    (tmp_path / "other").write_bytes(DATA + b" ")

    def openssl(file: str) -> tuple[int, str]:
        call = ["openssl", "dgst", "-sha256", "-verify", "pub.pem", "-signature", "sig.der", file]
        done = subprocess.run(call, cwd=tmp_path, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout.strip()

    assert openssl("data") == (0, "Verified OK")
    assert openssl("other") == (1, "Verification failure")


def test_a_jose_library_accepts_the_detached_jws_and_finds_the_key_by_its_thumbprint(signer: Signer) -> None:
    signature = signer.sign(DATA)
    key = ECKey.import_key(public_pem(signer.public_key()))
    found = jws.deserialize_compact(signature.jws, key, payload=DATA)
    assert found.headers() == {"alg": "ES256", "kid": key.thumbprint()}
    assert signature.key_id == key.thumbprint() == thumbprint(signer.public_key())
    other = ECKey.import_key(public_pem(ec.generate_private_key(ec.SECP256R1()).public_key()))
    for wrong_key, wrong_data in ((other, DATA), (key, DATA + b" ")):
        with pytest.raises(JoseError):
            jws.deserialize_compact(signature.jws, wrong_key, payload=wrong_data)


@pytest.mark.parametrize(
    ("form", "fits"),
    [
        (lambda signature: signature.der, der_fits),
        (lambda signature: signature.jws, jws_fits),
    ],
)
def test_the_verifier_accepts_a_form_of_this_key_over_these_bytes_only(
    form: Callable[[Signature], Any], fits: Callable[[PublicKey, Any, bytes], bool], signer: Signer
) -> None:
    signature, key = form(signer.sign(DATA)), signer.public_key()
    assert fits(key, signature, DATA)
    assert not fits(key, signature, DATA + b" ")
    assert not fits(ec.generate_private_key(ec.SECP256R1()).public_key(), signature, DATA)


@pytest.mark.parametrize(
    "header",
    [b'{"alg":"ES256"}', b'{"alg":"ES256","kid":"another"}', b'{"alg":"none"}', b"", b"[]"],
)
def test_a_jws_whose_header_does_not_name_the_key_is_refused(header: bytes, tmp_path: Path) -> None:
    private = keep_key(tmp_path / "key.pem")
    der = private.sign(jws_input(header, DATA), ec.ECDSA(hashes.SHA256()))
    assert not jws_fits(private.public_key(), detached_jws(header, raw_from_der(der)), DATA)


def test_the_vault_hands_out_no_private_key_and_signs_with_its_latest_version(vault: Vault) -> None:
    signer = signer_for(f"{vault.url}/keys/evidence", vault.credential)
    before, first = signer.sign(DATA), vault.app.version
    vault.app.rotate(ec.generate_private_key(ec.SECP256R1()))
    after = signer.sign(DATA)
    assert before.key_id != after.key_id == thumbprint(signer.public_key())
    pinned = signer_for(f"{vault.url}/keys/evidence/{first}", vault.credential)
    assert pinned.sign(DATA).key_id == before.key_id
    signed = f"POST /keys/evidence/{vault.app.version}/sign"
    assert vault.app.asked.count(signed) == 2, "one for each form, over the digest alone"


@pytest.mark.parametrize("path", ["keys/another", f"keys/evidence/{'0' * 32}"])
def test_a_key_that_is_not_there_is_refused_for_good(path: str, vault: Vault) -> None:
    signer = signer_for(f"{vault.url}/{path}", vault.credential)
    with pytest.raises(SigningRefused, match="404"):
        signer.sign(DATA)
    with pytest.raises(SigningRefused, match="404"):
        signer.public_key()


def test_a_vault_that_takes_no_token_of_ours_is_refused_for_good(
    vault: Vault, certificates: Certificates
) -> None:
    strict = KeyVault(
        ec.generate_private_key(ec.SECP256R1()),
        name="evidence",
        tenant_id=TENANT_ID,
        token_ok=lambda _, __: False,
    )
    with Service(strict, certificates) as service, pytest.raises(SigningRefused, match="sign-in"):
        signer_for(f"{service.url}/keys/evidence", vault.credential).sign(DATA)
    assert strict.asked == []


@pytest.mark.parametrize("status", [403, 503])
def test_what_the_vault_answers_decides_whether_to_try_again(
    status: int, vault: Vault, certificates: Certificates
) -> None:
    failing = Response(b'{"error": {"code": "x", "message": "sesame"}}', status)
    with Service(failing, certificates) as service:
        signer = KeyVaultSigner(
            KeyClient(service.url, vault.credential, retry_total=0), "evidence", "", vault.credential
        )
        with pytest.raises(SigningError) as caught:
            signer.sign(DATA)
    assert isinstance(caught.value, SigningRefused) == (status == 403)
    assert "sesame" not in str(caught.value)


def test_a_key_on_another_curve_is_refused_for_good(vault: Vault, certificates: Certificates) -> None:
    key = {"kid": "https://x/keys/evidence/1", "kty": "EC", "crv": "P-384", "x": "AQ", "y": "AQ"}
    other = Response(orjson.dumps({"key": key}), mimetype="application/json")
    with Service(other, certificates) as service, pytest.raises(SigningRefused, match="P-256"):
        signer_for(f"{service.url}/keys/evidence", vault.credential).sign(DATA)


def test_a_vault_that_can_not_be_reached_may_be_later(vault: Vault) -> None:
    closed = KeyClient("https://127.0.0.1:1", vault.credential, retry_total=0)
    with pytest.raises(SigningError) as caught:
        KeyVaultSigner(closed, "evidence", "", vault.credential).sign(DATA)
    assert not isinstance(caught.value, SigningRefused)


def pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, password: bytes = b"") -> bytes:
    lock = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, lock)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"sesame",
        pem(rsa.generate_private_key(public_exponent=65537, key_size=2048)),
        pem(ec.generate_private_key(ec.SECP384R1())),
        pem(ec.generate_private_key(ec.SECP256R1()), b"locked"),
        public_pem(ec.generate_private_key(ec.SECP256R1()).public_key()).encode(),
    ],
    ids=["empty", "no key", "RSA", "P-384", "locked", "public"],
)
def test_a_file_without_a_private_key_on_p_256_is_refused_for_good(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(content)
    with pytest.raises(SigningRefused, match="SIGNING_KEY") as caught:
        PemSigner(path).sign(DATA)
    assert "sesame" not in str(caught.value)


def test_a_file_that_is_not_there_is_refused_for_good(tmp_path: Path) -> None:
    with pytest.raises(SigningRefused):
        PemSigner(tmp_path / "none.pem").public_key()


def test_openssl_makes_a_key_file_as_the_advice_says(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    with pytest.raises(SigningRefused) as caught:
        PemSigner(path).public_key()
    command = str(caught.value).split("`")[1]
    subprocess.run(shlex.split(command), cwd=tmp_path, check=True, capture_output=True)
    assert PemSigner(path).sign(DATA).der
