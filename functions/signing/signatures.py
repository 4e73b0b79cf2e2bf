"""What a signature over a bundle's tag manifest is, and how it is checked: ES256, as DER and as detached JWS.

ES256 is ECDSA with P-256 and SHA-256 (https://www.rfc-editor.org/rfc/rfc7518#section-3.4). openssl reads the
DER form; the JWS (https://www.rfc-editor.org/rfc/rfc7515#appendix-F) also names the key, by its thumbprint
(https://www.rfc-editor.org/rfc/rfc7638).
"""

import base64
import hashlib
from dataclasses import dataclass
from typing import Protocol

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from functions.errors import InvalidRequest

PublicKey = ec.EllipticCurvePublicKey
"""A public key on P-256."""

_COORDINATE_BYTES = 32


@dataclass(frozen=True, slots=True)
class Signature:
    """One signer's signature over the same bytes, in two forms.

    Attributes:
        der: ASN.1 DER over the bytes, as openssl reads it.
        jws: Detached JWS in compact form, `header..signature`; its header has `alg` and `kid`.
        key_id: RFC 7638 thumbprint (SHA-256, base64url) of the public key.
    """

    der: bytes
    jws: str
    key_id: str


class Signer(Protocol):
    """Signs with one key. Both methods raise SigningError where the key can't be used."""

    def sign(self, data: bytes) -> Signature:
        """Sign the bytes, in both forms."""
        ...

    def public_key(self) -> PublicKey:
        """Return the public part of the key that `sign` uses now, for publishing."""
        ...


def jws_header(key_id: str) -> bytes:
    """Return the protected header of a JWS, as JSON."""
    return orjson.dumps({"alg": "ES256", "kid": key_id})


def jws_input(header: bytes, data: bytes) -> bytes:
    """Return the bytes that a JWS's signature covers."""
    return f"{_base64url(header)}.{_base64url(data)}".encode()


def detached_jws(header: bytes, raw: bytes) -> str:
    """Return the compact form without its payload, from the raw signature r||s (64 bytes)."""
    return f"{_base64url(header)}..{_base64url(raw)}"


def der_from_raw(raw: bytes) -> bytes:
    """Return r||s (64 bytes, as JWS and Key Vault have it) as DER."""
    r, s = raw[:_COORDINATE_BYTES], raw[_COORDINATE_BYTES:]
    return encode_dss_signature(int.from_bytes(r), int.from_bytes(s))


def raw_from_der(der: bytes) -> bytes:
    """Return DER as r||s."""
    return b"".join(number.to_bytes(_COORDINATE_BYTES) for number in decode_dss_signature(der))


def thumbprint(key: PublicKey) -> str:
    """Return the RFC 7638 thumbprint of the key, 43 characters of base64url."""
    numbers = key.public_numbers()
    jwk = {
        "crv": "P-256",
        "kty": "EC",
        "x": _base64url(numbers.x.to_bytes(_COORDINATE_BYTES)),
        "y": _base64url(numbers.y.to_bytes(_COORDINATE_BYTES)),
    }
    return _base64url(hashlib.sha256(orjson.dumps(jwk, option=orjson.OPT_SORT_KEYS)).digest())


def public_pem(key: PublicKey) -> str:
    """Return the key as openssl reads it, SubjectPublicKeyInfo in PEM."""
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - loads SSH and ciphers, too

    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_bytes(serialization.Encoding.PEM, form).decode()


def read_public_key(pem: bytes) -> PublicKey:
    """Read a public key on P-256 from PEM.

    Raises:
        InvalidRequest: It is none.
    """
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - as above

    try:
        key = serialization.load_pem_public_key(pem)
    except ValueError:
        key = None
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
        return key
    raise InvalidRequest(
        "The key is no public key on the curve P-256 in PEM.",
        next_step="Give the file with BEGIN PUBLIC KEY that the operator of the app has published.",
    )


def der_fits(key: PublicKey, der: bytes, data: bytes) -> bool:
    """Tell whether the DER signature over the data is of this key."""
    try:
        key.verify(der, data, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def jws_fits(key: PublicKey, jws: str, data: bytes) -> bool:
    """Tell whether the detached JWS over the data is ES256 of this key and names it."""
    parts = _jws_parts(jws)
    if parts is None or parts[0] != jws_header(thumbprint(key)):
        return False
    return der_fits(key, der_from_raw(parts[1]), jws_input(parts[0], data))


def well_formed(der: bytes, jws: str) -> bool:
    """Tell whether both have the form of a signature, whosever it may be."""
    try:
        decode_dss_signature(der)
    except ValueError:
        return False
    return _jws_parts(jws) is not None and bool(stated_key_id(jws))


def stated_key_id(jws: str) -> str:
    """Return the `kid` of a JWS, unchecked; "" where it has none."""
    try:
        kid = orjson.loads(_bytes(jws.partition(".")[0]))["kid"]
    except (ValueError, KeyError, TypeError):
        return ""
    return kid if isinstance(kid, str) else ""


def _jws_parts(jws: str) -> tuple[bytes, bytes] | None:
    """Return header and raw signature of a detached JWS, or None where it is none."""
    try:
        encoded_header, payload, encoded_signature = jws.split(".")
        header, raw = _bytes(encoded_header), _bytes(encoded_signature)
    except ValueError:
        return None
    return None if payload or len(raw) != 2 * _COORDINATE_BYTES else (header, raw)


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
