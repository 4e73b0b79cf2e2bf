"""Signs tag manifests with the key that SIGNING_KEY names: one in Azure Key Vault, or one in a PEM file.

A private key in Key Vault never leaves it; the file is for those who have no vault.
"""

import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from azure.core.credentials import TokenCredential
from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError
from azure.keyvault.keys import KeyClient, KeyVaultKey
from azure.keyvault.keys.crypto import CryptographyClient, SignatureAlgorithm
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from functions.errors import SigningError, SigningRefused
from functions.signing.signatures import (
    PublicKey,
    Signature,
    Signer,
    der_fits,
    der_from_raw,
    detached_jws,
    jws_fits,
    jws_header,
    jws_input,
    raw_from_der,
    thumbprint,
)

_KEY_URL = re.compile(r"(https://[^/?#]+)/keys/([0-9A-Za-z-]+)(?:/([0-9a-f]{32}))?/?")
_CURVE = "P-256"
_KEY_TYPES = frozenset({"EC", "EC-HSM"})
_FINAL_STATUSES = frozenset({400, 401, 403, 404})


def signer_for(signing_key: str, credential: TokenCredential) -> Signer:
    """Return the signer with the key that the setting names; asks nothing yet.

    Args:
        signing_key: The setting: the URL of a key in Key Vault, with or without a version, or a path.
        credential: Whose permissions `get` and `sign` on keys are used.
    """
    if url := _KEY_URL.fullmatch(signing_key):
        return KeyVaultSigner(KeyClient(url[1], credential), url[2], url[3] or "", credential)
    return PemSigner(Path(signing_key))


class PemSigner:
    """A Signer with the private key in a PEM file, which is read for each signature.

    Args:
        path: The file: EC on P-256, without a passphrase.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def sign(self, data: bytes) -> Signature:
        """Sign in both forms. Raises SigningRefused: the file holds no usable key."""
        key = self._key()
        algorithm = ec.ECDSA(Prehashed(hashes.SHA256()))
        return _signature(key.public_key(), lambda digest: raw_from_der(key.sign(digest, algorithm)), data)

    def public_key(self) -> PublicKey:
        """Return the public part. Raises SigningRefused."""
        return self._key().public_key()

    def _key(self) -> ec.EllipticCurvePrivateKey:
        try:
            key = serialization.load_pem_private_key(self._path.read_bytes(), password=None)
        except (OSError, ValueError, TypeError, UnsupportedAlgorithm):
            key = None
        if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1):
            return key
        raise SigningRefused(
            "The file that SIGNING_KEY names holds no private key on P-256 that can be read.",
            next_step="Make one: `openssl ecparam -name prime256v1 -genkey -noout -out key.pem`.",
        )


class KeyVaultSigner:
    """A Signer with a key in Azure Key Vault; each signature is of the version that is then the latest.

    Args:
        keys: The vault.
        name: The key's name.
        version: The key's version; "" for the latest one.
        credential: Whose permissions are used.
    """

    def __init__(self, keys: KeyClient, name: str, version: str, credential: TokenCredential) -> None:
        self._keys = keys
        self._name = name
        self._version = version
        self._credential = credential

    def sign(self, data: bytes) -> Signature:
        """Sign in both forms. Raises SigningError."""
        with _vault_errors():
            key = self._keys.get_key(self._name, self._version)
            with CryptographyClient(key, self._credential) as client:
                return _signature(
                    _public_key(key),
                    lambda digest: client.sign(SignatureAlgorithm.es256, digest).signature,
                    data,
                )

    def public_key(self) -> PublicKey:
        """Return the public part of the latest version. Raises SigningError."""
        with _vault_errors():
            return _public_key(self._keys.get_key(self._name, self._version))


def _signature(key: PublicKey, sign_digest: Callable[[bytes], bytes], data: bytes) -> Signature:
    """Sign in both forms, and hand out nothing that does not verify.

    Args:
        key: The public key.
        sign_digest: Gives r||s (64 bytes) for a SHA-256 digest.
        data: What to sign.
    """
    key_id = thumbprint(key)
    header = jws_header(key_id)
    der = der_from_raw(sign_digest(hashlib.sha256(data).digest()))
    jws = detached_jws(header, sign_digest(hashlib.sha256(jws_input(header, data)).digest()))
    if not (der_fits(key, der, data) and jws_fits(key, jws, data)):
        raise SigningError("The signature does not fit the public key.", next_step="Try again.")
    return Signature(der, jws, key_id)


def _public_key(key: KeyVaultKey) -> PublicKey:
    jwk = vars(key.key)
    if jwk.get("kty") not in _KEY_TYPES or jwk.get("crv") != _CURVE:
        raise SigningRefused(
            "The key in Key Vault that SIGNING_KEY names is not one on P-256.",
            next_step="Make one of type EC (or EC-HSM) on the curve P-256.",
        )
    x, y = int.from_bytes(jwk["x"]), int.from_bytes(jwk["y"])
    return ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()


@contextmanager
def _vault_errors() -> Iterator[None]:
    """Map the SDK's errors, without their text: it may quote the request."""
    try:
        yield
    except ClientAuthenticationError as error:
        raise _refused("Key Vault did not accept the app's sign-in.") from error
    except HttpResponseError as error:
        if error.status_code in _FINAL_STATUSES:
            raise _refused(f"Key Vault answered {error.status_code}.") from error
        raise _unavailable() from error
    except AzureError as error:
        raise _unavailable() from error
    except ValueError as error:  # what the SDK says of a host that is no vault
        raise _refused("SIGNING_KEY names no key of a vault.") from error


def _refused(message: str) -> SigningRefused:
    return SigningRefused(
        message,
        next_step=(
            "Check that SIGNING_KEY names a key that is enabled, and that the app's identity has the role "
            "Key Vault Crypto User on it."
        ),
    )


def _unavailable() -> SigningError:
    return SigningError("Key Vault did not sign.", next_step="Ask for the export again later.")
