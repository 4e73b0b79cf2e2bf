"""A signer with a key in memory; it signs the same bytes alike each time (RFC 6979)."""

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from functions.signing.signatures import (
    PublicKey,
    Signature,
    detached_jws,
    jws_header,
    jws_input,
    raw_from_der,
    thumbprint,
)


class MemorySigner:
    """A Signer. Two with the same number have the same key."""

    def __init__(self, number: int = 1) -> None:
        self._key = ec.derive_private_key(number, ec.SECP256R1())

    def sign(self, data: bytes) -> Signature:
        algorithm = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
        key_id = thumbprint(self.public_key())
        header = jws_header(key_id)
        over_jws = self._key.sign(jws_input(header, data), algorithm)
        return Signature(
            self._key.sign(data, algorithm), detached_jws(header, raw_from_der(over_jws)), key_id
        )

    def public_key(self) -> PublicKey:
        return self._key.public_key()


class RandomSigner(MemorySigner):
    """Signs as a real key does: no two signatures over the same bytes are alike."""

    def sign(self, data: bytes) -> Signature:
        key_id = thumbprint(self.public_key())
        header = jws_header(key_id)
        over_jws = self._key.sign(jws_input(header, data), ec.ECDSA(hashes.SHA256()))
        der = self._key.sign(data, ec.ECDSA(hashes.SHA256()))
        return Signature(der, detached_jws(header, raw_from_der(over_jws)), key_id)
