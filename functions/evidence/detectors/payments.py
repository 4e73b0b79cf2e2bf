"""Payment cards (issuer ranges and Luhn) and IBANs (country lengths and ISO 7064 mod 97)."""

import re

from functions.evidence.detectors.context import continues_number, digits_in, in_identifier, stands_alone
from functions.evidence.detectors.engine import Detector

# Issuer ranges with the lengths each uses (ISO/IEC 7812 ranges as listed under "Payment card number",
# Wikipedia). No range starts with 1 but 1800: so an epoch in nanoseconds is never a card.
_CARD_NUMBER = re.compile(
    rb"""
      4[0-9]{12} | 4[0-9]{15} | 4[0-9]{18}                                  # Visa
    | 5[1-5][0-9]{14} | 2[2-7][0-9]{14}                                     # Mastercard, Mir
    | 3[47][0-9]{13}                                                        # American Express
    | 3(?:0[0-5]|[689][0-9])[0-9]{11}                                       # Diners Club
    | 35[0-9]{14} | (?:2131|1800)[0-9]{11}                                  # JCB
    | 6[0-9]{15,18}                                                         # Discover, UnionPay, RuPay
    | (?:50|5[6-8]|6[0-9])[0-9]{10,17}                                      # Maestro
    """,
    re.VERBOSE,
)

# SWIFT IBAN registry, release 99: the length of each country's IBAN.
_IBAN_REGISTRY = (
    "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 "
    "EE20 EG29 ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 "
    "IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 "
    "NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 "
    "SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30"
)
_IBAN_LENGTHS = {entry[:2]: int(entry[2:]) for entry in _IBAN_REGISTRY.split()}
_IBAN_COUNTRY = "|".join(
    f"[{first}{first.lower()}][{''.join(lasts)}{''.join(lasts).lower()}]"
    for first, lasts in (
        (first, [country[1] for country in _IBAN_LENGTHS if country[0] == first])
        for first in sorted({country[0] for country in _IBAN_LENGTHS})
    )
)
"""By the country already, since a trace is full of ids in hex, and few of them begin like one."""
_IBAN_SEPARATORS = b" -"


def luhn_valid(digits: bytes) -> bool:
    """Say whether ASCII digits carry a valid Luhn check digit (ISO/IEC 7812-1, annex B)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = (digit - 48) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def iban_valid(text: str) -> bool:
    """Say whether an upper-case IBAN without separators has valid check digits (ISO 13616)."""
    return int("".join(str(int(character, 36)) for character in text[4:] + text[:4])) % 97 == 1


def _accept_card(text: bytes, start: int, end: int) -> int | None:
    number = digits_in(text[start:end])
    if _CARD_NUMBER.fullmatch(number) is None or not luhn_valid(number):
        return None
    if continues_number(text, start, end, b"") or in_identifier(text, start, end):
        return None
    return end


def _accept_iban(text: bytes, start: int, end: int) -> int | None:
    """Read on from the head of an IBAN to its country's length; the pattern finds heads only."""
    length = _IBAN_LENGTHS.get(text[start : start + 2].decode("ascii").upper())
    if length is None:
        return None
    characters = bytearray()
    position = start
    while position < len(text) and len(characters) < length:
        if text[position : position + 1].isalnum():
            characters.append(text[position])
        elif text[position] not in _IBAN_SEPARATORS or text[position - 1] in _IBAN_SEPARATORS:
            return None
        position += 1
    if len(characters) < length or not stands_alone(text, start, position):
        return None
    if in_identifier(text, start, position):
        return None
    return max(position, end) if iban_valid(characters.decode("ascii").upper()) else None


PAYMENT_DETECTORS = (
    # By the first digits already, since a trace is full of epochs in nanoseconds.
    Detector(
        "payment_card",
        r"(?:^|[^0-9])([2-6][0-9]{11}[0-9]*|1800[0-9]{11})",
        "4111111111111111",
        _accept_card,
    ),
    Detector(
        "payment_card",
        r"[0-9]{4}[ -][0-9]{4}[ -][0-9]{4}[ -][0-9]{4}(?:[ -][0-9]{3})?"
        r"|3[0-9]{3}[ -][0-9]{6}[ -][0-9]{4}[0-9]?",
        "paid with 4111 1111 1111 1111",
        _accept_card,
        nested=True,
    ),
    Detector(
        "iban",
        rf"(?:^|[^0-9A-Za-z])((?:{_IBAN_COUNTRY})[0-9][0-9][ -]?[A-Za-z0-9]{{4}}[ -]?[A-Za-z0-9]{{4}})",
        "GB82 WEST 1234 5698 7654 32",
        _accept_iban,
        nested=True,
    ),
)
