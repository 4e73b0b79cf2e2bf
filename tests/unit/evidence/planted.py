"""Made-up values of the kinds that must not leave, and the forms in which they could leave all the same."""

import base64
import html
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from urllib.parse import quote, quote_plus

from hypothesis import strategies as st

CAPITALS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
LETTERS = CAPITALS.lower()
DIGITS = "0123456789"

UNCLAIMED = frozenset({"canary", "name", "street_address"})
"""What no pattern finds: it stays in the content that a bundle of the profile `content` shows."""

_BEFORE = {"dob": "born ", "account_key": "AccountKey="}


@dataclass(frozen=True, slots=True)
class Planted:
    """One value: its kind, and itself."""

    kind: str
    value: str

    @property
    def told(self) -> str:
        """It behind the word that it is known by, where it needs one."""
        return _BEFORE.get(self.kind, "") + self.value

    def forms(self) -> Iterator[str]:
        """Yield how it could stand in a file."""
        for value in (self.value, self.value.lower(), self.value.upper()):
            escaped = json.dumps(value)[1:-1]
            yield from (value, escaped, json.dumps(escaped)[1:-1], html.escape(value))
            yield from (quote(value, safe=""), quote_plus(value), quote(value))
        for shift in range(3):  # base64 of whatever it stands in, wherever in that
            whole = base64.b64encode(b"x" * shift + self.value.encode()).decode()
            yield whole[-(-shift * 8 // 6) :].rstrip("=")[:-1]

    def is_in(self, data: bytes) -> bool:
        """Say whether the bytes hold it in any form."""
        return any(form.encode() in data for form in self.forms())


def _some(random: Random, alphabet: str, length: int) -> str:
    return "".join(random.choices(alphabet, k=length))


def _word(random: Random) -> str:
    return _some(random, LETTERS, 7)


def _card(random: Random) -> str:
    body = "4111" + _some(random, DIGITS, 11)
    doubled = [int(digit) * (2 - place % 2) for place, digit in enumerate(body)]
    return body + str(-sum(number - 9 if number > 9 else number for number in doubled) % 10)


def _iban(random: Random) -> str:
    account = _some(random, DIGITS, 18)
    spelt = "".join(str(int(character, 36)) for character in account + "DE00")
    return f"DE{98 - int(spelt) % 97:02}{account}"


def _jwt(random: Random) -> str:
    claims = base64.urlsafe_b64encode(json.dumps({"sub": _some(random, DIGITS, 10)}).encode())
    return (
        f"eyJhbGciOiJIUzI1NiJ9.{claims.decode().rstrip('=')}.{_some(random, LETTERS + CAPITALS + DIGITS, 43)}"
    )


def _phone(random: Random) -> str:
    area = f"{random.randint(2, 9)}{random.randint(2, 8)}{random.randint(0, 9)}"
    form = random.choice(["+1 {}-555-{}", "({}) 555-{}", "{}-555-{}", "+1 {} 555 {}", "+44 20 7{} {}"])
    return form.format(area, _some(random, DIGITS, 4))


KINDS: dict[str, Callable[[Random], str]] = {
    "canary": lambda random: "CNRY" + _some(random, CAPITALS + "23456789", 14),
    "name": lambda random: f"{_word(random).title()} {_word(random).title()}",
    "street_address": lambda random: (
        f"{random.randint(101, 9999)} {_word(random).title()} Street, Macon, GA 31201"
    ),
    "email": lambda random: f"{_word(random)}.{_word(random)}{random.randint(10, 9999)}@example.org",
    "phone": _phone,
    "ssn": lambda random: f"{random.randint(101, 649)}-{random.randint(10, 99)}-{random.randint(1000, 9999)}",
    "card": _card,
    "iban": _iban,
    "ipv4": lambda random: ".".join(str(random.randint(11, 223)) for _ in range(4)),
    "jwt": _jwt,
    "account_key": lambda random: base64.b64encode(random.randbytes(64)).decode(),
    "github_token": lambda random: "ghp_1" + _some(random, LETTERS + CAPITALS + DIGITS, 35),
    "api_key": lambda random: "sk-proj-1" + _some(random, LETTERS + CAPITALS + DIGITS, 40),
    "dob": lambda random: (
        f"{random.randint(1930, 2009)}-{random.randint(1, 12):02}-{random.randint(1, 28):02}"
    ),
}
CLAIMED = sorted(KINDS.keys() - UNCLAIMED)
"""The kinds that the detectors claim to find."""


def plant(kind: str, seed: int) -> Planted:
    """Return the value of a kind that a seed stands for."""
    return Planted(kind, KINDS[kind](Random(f"{kind}/{seed}")))


def values_of(kinds: list[str]) -> st.SearchStrategy[Planted]:
    """Return a strategy for values of some kinds."""
    return st.builds(plant, st.sampled_from(kinds), st.integers(0, 2**32))


planted = values_of(sorted(KINDS))


def in_percents(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode())


def in_base64(text: str) -> str:
    return base64.b64encode(json.dumps({"note": text}).encode()).decode()


def in_json(text: str) -> str:
    return json.dumps({"outer": json.dumps({"inner": [f"line\n{text}\ttab"]})})


def in_url(text: str) -> str:
    return f"https://shop.example/orders?note={quote(text, safe='')}&n=1"


def in_sentence(text: str) -> str:
    return f"Please note: {text}, as said."


def in_tuple(text: str) -> str:
    return f"('{text}',)"


def in_full_width(text: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


def with_invisible(text: str) -> str:
    return "\u200b".join(text)


DRESSES: list[Callable[[str], str]] = [
    str,
    in_sentence,
    in_percents,
    in_base64,
    in_json,
    in_url,
    in_tuple,
    in_full_width,
    with_invisible,
]
"""How a value can stand in telemetry."""
