"""How to reach a person or a machine: e-mail addresses, telephone numbers, IP addresses."""

import ipaddress
import re

from functions.evidence.detectors.context import continues_number, digits_in, stands_alone
from functions.evidence.detectors.engine import Detector

# An at sign as it stands in plain text, in URLs (once or more times encoded), in JSON and in HTML.
_AT = r"(?:@|%(?:25)*40|\\u0040|&#(?:64|x40);)"

_SEPARATORS = b" .-"

# Words that make a number of few digits somebody's: where it rings, or who is asked to ring it.
_LINE = r"(?i:tele)?(?i:phone|fon|mobile|mob|cell|desk|office|fax|landline|whatsapp|extension)"
_CUE = (
    rf"(?:{_LINE}|(?i:\btel|\bcall(?:ed|ing)?|\bring|\bdial(?:l?ed)?|\breach(?:ed|able)?|\banswer(?:ed|ing|s)?"
    r"|\btext(?:ed)?|\bsms|\bmessages to))"
)
_BETWEEN = (
    r"""(?:[\s"'\\:.,#=(>/_-]|(?i:\bnumber|\bno\b|\bnr\b|\bis\b|\bon\b|\bat\b|\bme\b|\bus\b|\bback\b))*"""
)
# A trunk 0 that no digit comes before, unless something stands between that no number has.
_NOT_WITHIN = r"(?:^|[^0-9.-]|[^0-9][.-])"
_LOOSE = r"\(?[0-9](?:[ .()-]*[0-9]){6,}"
_DATE = re.compile(
    rb"(?:19|20)[0-9]{2}[-. ][01]?[0-9][-. ][0-3]?[0-9]|[0-3]?[0-9][-. ][0-3]?[0-9][-. ](?:19|20)[0-9]{2}"
)


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


def _accept_by_cue(text: bytes, start: int, end: int) -> int | None:
    """Ask for the 7 to 12 digits of a whole number that is no date: the word beside it is the proof."""
    if not 7 <= len(digits_in(text[start:end])) <= 12 or _DATE.fullmatch(text, start, end):
        return None
    if continues_number(text, start, end, _SEPARATORS):
        return None
    return end if stands_alone(text, start, end) else None


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


def _accept_mac(text: bytes, start: int, end: int) -> int | None:
    """Ask for six bytes alone (eight are another kind of number), not all of them one byte."""
    separator = text[start + 2 : start + 3] if text[start + 2] in b":-" else b"."
    if len(set(text[start:end].replace(separator, b"").lower())) < 2:
        return None
    after, before = text[end : end + 2], text[max(0, start - 2) : start][::-1]
    longer = any(next_to[:1] == separator and next_to[1:].isalnum() for next_to in (after, before))
    return end if stands_alone(text, start, end) and not longer else None


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
        rf"{_NOT_WITHIN}(0[0-9][0-9]?[0-9]?[0-9]?(?:[ .-][0-9][0-9][0-9]?[0-9]?)"
        r"(?:[ .-][0-9][0-9][0-9]?[0-9]?)+)",
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
    Detector("phone", rf"{_CUE}{_BETWEEN}({_LOOSE})", "Phone: 467 3395", _accept_by_cue, nested=True),
    Detector("phone", rf"({_LOOSE})[ \\,;/(-]*{_LINE}", "781 1704 office", _accept_by_cue, nested=True),
    Detector("ip_address", r"[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+", "198.51.100.7", _accept_address),
    Detector(
        "mac_address",
        r"[0-9A-Fa-f]{2}(?:(?::[0-9A-Fa-f]{2}){5}|(?:-[0-9A-Fa-f]{2}){5})|(?:[0-9A-Fa-f]{4}\.){2}[0-9A-Fa-f]{4}",
        "00:1a:2b:3c:4d:5e",
        _accept_mac,
        nested=True,
    ),
    Detector(
        "ip_address",
        r"[0-9A-Fa-f]+:[0-9A-Fa-f]+:[0-9A-Fa-f]+:[0-9A-Fa-f:]+|[0-9A-Fa-f:]*::[0-9A-Fa-f:]*",
        "2001:db8::8a2e:370:7334",
        _accept_address,
    ),
)
