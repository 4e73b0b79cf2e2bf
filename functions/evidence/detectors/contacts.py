"""How to reach a person or a machine: e-mail addresses, telephone numbers, IP addresses."""

import ipaddress

from functions.evidence.detectors.context import continues_number, digits_in, stands_alone
from functions.evidence.detectors.engine import Detector

# An at sign as it stands in plain text, in URLs (once or more times encoded), in JSON and in HTML.
_AT = r"(?:@|%(?:25)*40|\\u0040|&#(?:64|x40);)"

_SEPARATORS = b" .-"


def _accept_email(text: bytes, start: int, end: int) -> int | None:
    """Ask for a top-level domain of two letters or more, so that "a@1.2" and decorators don't count."""
    top_level = text[start:end].rsplit(b".", 1)[-1]
    return end if len(top_level) >= 2 and not top_level.isdigit() else None


def _accept_north_american(text: bytes, start: int, end: int) -> int | None:
    """Ask for an area code and an exchange of the North American plan: neither begins with 0 or 1."""
    number = digits_in(text[start:end]).removeprefix(b"00").removeprefix(b"1")
    if number[0] in b"01" or number[3] in b"01" or continues_number(text, start, end, _SEPARATORS):
        return None
    return end if stands_alone(text, start, end) else None


def _accept_international(text: bytes, start: int, end: int) -> int | None:
    """Ask for the 8 digits that the shortest whole numbers have; E.164 ends at 15, but extensions follow."""
    return end if len(digits_in(text[start:end])) >= 8 else None


def _accept_national(text: bytes, start: int, end: int) -> int | None:
    """Ask for the 8 to 11 digits that national numbers with their trunk prefix or area code have."""
    if not 8 <= len(digits_in(text[start:end])) <= 11:
        return None
    if continues_number(text, start, end, _SEPARATORS):
        return None
    return end if stands_alone(text, start, end) else None


def _accept_trunk(text: bytes, start: int, end: int) -> int | None:
    """Ask for 9 digits after a trunk 0: 8 are as often a date."""
    return _accept_national(text, start, end) if len(digits_in(text[start:end])) >= 9 else None


def _accept_address(text: bytes, start: int, end: int) -> int | None:
    """Ask for an address that parses, alone, of a host: one that ends in .0 is a network or a version."""
    address = text[start:end].decode("ascii")
    if b":" in text[start:end]:
        groups = [group for group in address.split(":") if group]
        alone = len(groups) >= 3 and stands_alone(text, start, end)
    else:
        alone = not address.endswith(".0") and not continues_number(text, start, end, b".")
    try:
        ipaddress.ip_address(address)
    except ValueError:
        return None
    return end if alone else None


CONTACT_DETECTORS = (
    Detector(
        "email",
        rf"[A-Za-z0-9._%+'\x80-\xff-]+{_AT}[A-Za-z0-9\x80-\xff-]+(?:\.[A-Za-z0-9\x80-\xff-]+)+",
        "alice%40example.com",
        _accept_email,
    ),
    Detector(
        "phone",
        r"(?:(?:00)?1[ .-])?(?:\([0-9]{3}\)[ .-]?|[0-9]{3}[ .-])[0-9]{3}[ .-][0-9]{4}"
        r"(?: ?(?:x|ext\.?) ?[0-9]+)?",
        "(415) 555-0132",
        _accept_north_american,
        nested=True,
    ),
    Detector(
        "phone",
        r"(?:\+|%2[Bb])[ (]*[1-9][0-9 ()./-]+[0-9]",
        "+46 8 928 571 38",
        _accept_international,
    ),
    Detector(
        "phone",
        r"0[0-9][0-9]?[0-9]?[0-9]?(?:[ .-][0-9][0-9][0-9]?[0-9]?)(?:[ .-][0-9][0-9][0-9]?[0-9]?)+",
        "07700 900 982",
        _accept_trunk,
    ),
    Detector("phone", r"0[0-9]{3}[ -][0-9]{7}", "0171 5550123", _accept_trunk),
    Detector(
        "phone",
        r"\([0-9][0-9][0-9]?[0-9]?[0-9]?\)[ .-]?[0-9][0-9][0-9]?[0-9]?[0-9]?(?:[ .-][0-9][0-9][0-9]?[0-9]?)*",
        "(030) 901 820",
        _accept_national,
    ),
    Detector("ip_address", r"[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+", "198.51.100.7", _accept_address),
    Detector(
        "ip_address",
        r"[0-9A-Fa-f]+:[0-9A-Fa-f]+:[0-9A-Fa-f]+:[0-9A-Fa-f:]+|[0-9A-Fa-f:]*::[0-9A-Fa-f:]*",
        "2001:db8::8a2e:370:7334",
        _accept_address,
    ),
)
