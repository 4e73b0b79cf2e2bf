"""Stands a keyed pseudonym for an identifier: the same in every export under one key, never undone."""

import hmac
import re
from typing import NoReturn

from functions.errors import SettingsError

_KEY_BYTES = 32
_PSEUDONYM_LETTERS = 24  # four bits a letter: 96 bits, so that two of a billion identifiers don't meet
_KEY_ID = re.compile(r"[A-Za-z]{1,32}")
_DOMAIN = re.compile(r"[a-z_]{1,32}")
_HEX_TO_LETTERS = str.maketrans("0123456789abcdef", "abcdefghijklmnop")


class Pseudonyms:
    """Makes pseudonyms under one key. Deterministic; safe to share between threads.

    Args:
        key: 32 secret bytes.
        key_id: Which key this is, 1 to 32 letters; not secret, written into every bundle.
        previous: Those under the key before, while both are in use: bundles then show both pseudonyms of a
            value, so that older bundles can be joined with newer ones.

    Raises:
        SettingsError: The key or its id is unusable.
    """

    __slots__ = ("_key", "key_id", "previous")

    def __init__(self, key: bytes, key_id: str, previous: "Pseudonyms | None" = None) -> None:
        if len(key) != _KEY_BYTES:
            raise SettingsError(
                "PSEUDONYM_KEY is not 32 bytes long.",
                next_step="Make one with `openssl rand -base64 32` and store it in Key Vault.",
            )
        if _KEY_ID.fullmatch(key_id) is None:
            raise SettingsError(
                "PSEUDONYM_KEY_ID is not made of 1 to 32 letters.",
                next_step="Name the key with letters only, for example `keyA`.",
            )
        self._key = key
        self.key_id = key_id
        self.previous = previous
        if previous and (previous.key_id == key_id or previous.of("key", "") == self.of("key", "")):
            raise SettingsError(
                "PSEUDONYM_KEY_PREVIOUS is the key in use, or its id that key's.",
                next_step="Give the key that was replaced under the id that it had, or remove both settings.",
            )

    def __repr__(self) -> str:
        return f"Pseudonyms(key_id={self.key_id!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("Pseudonyms holds a secret key and is not pickled.")

    def of(self, domain: str, value: str) -> str:
        """Return 24 letters a to p that stand for `value` in `domain`.

        Letters only, so that no detector takes a pseudonym for a number.

        Args:
            domain: What kind of identifier this is, for example "user": equal values of different
                domains get unrelated pseudonyms.
            value: The identifier, exactly as recorded.
        """
        return self._digest(domain, value)[:_PSEUDONYM_LETTERS].translate(_HEX_TO_LETTERS)

    def hex_id(self, domain: str, value: str, digits: int) -> str:
        """Return `digits` (at most 64) hex digits that stand for an id where the format asks for hex.

        One of them is a letter, so that no detector takes them for a number.
        """
        digest = self._digest(domain, value)[:digits]
        return "f" + digest[1:] if digest.isdigit() else digest

    def _digest(self, domain: str, value: str) -> str:
        if _DOMAIN.fullmatch(domain) is None:
            raise ValueError("A pseudonym's domain is made of small letters.")
        message = domain.encode("ascii") + b"\0" + value.encode("utf-8", "surrogatepass")
        return hmac.digest(self._key, message, "sha256").hex()
