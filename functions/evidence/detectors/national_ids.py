"""Numbers that states give to people, as far as a check digit or a fixed form tells them from other numbers.

Those whose check a tenth of all numbers would pass are asked for in their written form or behind their name.
"""

from collections.abc import Callable

from functions.evidence.detectors.context import continues_number, digits_in, in_identifier, stands_alone
from functions.evidence.detectors.engine import Accept, Detector
from functions.evidence.detectors.payments import luhn_valid

_DNI_LETTERS = b"TRWAGMYFPDXBNJZSQVHLCKE"

# Verhoeff's scheme: multiplication in the dihedral group D5, and the permutation by place.
_D5 = (
    b"0123456789", b"1234067895", b"2340178956", b"3401289567", b"4012395678",
    b"5987604321", b"6598710432", b"7659821043", b"8765932104", b"9876543210",
)  # fmt: skip
_PERMUTATIONS = (
    b"0123456789", b"1576283094", b"5803796142", b"8916043527",
    b"9453126870", b"4286573901", b"2793806415", b"7046913258",
)  # fmt: skip

# Agenzia delle Entrate, the values of characters in odd places of a codice fiscale: 0-9, then A-Z.
_ODD_PLACES = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21)
_ODD_LETTERS = (*_ODD_PLACES, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)


def _weighted(digits: bytes, weights: tuple[int, ...]) -> int:
    """Return the sum of the digits, each times its weight; digits beyond the weights don't count."""
    return sum((digit - 48) * weight for digit, weight in zip(digits, weights, strict=False))


def _nhs(number: bytes) -> bool:
    return (11 - _weighted(number, (10, 9, 8, 7, 6, 5, 4, 3, 2)) % 11) % 11 == number[9] - 48


def _bsn(number: bytes) -> bool:
    return _weighted(number, (9, 8, 7, 6, 5, 4, 3, 2, -1)) % 11 == 0


def _pesel(number: bytes) -> bool:
    return _weighted(number, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)) % 10 == 0


def _cpf(number: bytes) -> bool:
    first = _weighted(number[:9], tuple(range(10, 1, -1))) * 10 % 11 % 10
    second = _weighted(number[:10], tuple(range(11, 1, -1))) * 10 % 11 % 10
    return len(set(number)) > 1 and (first, second) == (number[9] - 48, number[10] - 48)


def _steuer_id(number: bytes) -> bool:
    """Check by ISO 7064 mod 11,10; one digit of the first ten stands there two or three times."""
    product = 10
    for digit in number[:10]:
        rest = (digit - 48 + product) % 10 or 10
        product = rest * 2 % 11
    often = sorted(number[:10].count(digit) for digit in set(number[:10]))
    return number[0] != ord("0") and often[-1] in {2, 3} and (11 - product) % 10 == number[10] - 48


def _aadhaar(number: bytes) -> bool:
    check = 0
    for place, digit in enumerate(reversed(number)):
        permuted = _PERMUTATIONS[place % 8][digit - 48] - 48
        check = _D5[check][permuted] - 48
    return number[0] not in b"01" and check == 0


def _nir(number: bytes) -> bool:
    return 97 - int(number[:13]) % 97 == int(number[13:])


def _dni(candidate: bytes) -> bool:
    bare = candidate.upper().replace(b"-", b"").replace(b".", b"").replace(b" ", b"")
    digits = bare[:-1].translate(bytes.maketrans(b"XYZ", b"012"))
    return _DNI_LETTERS[int(digits) % 23] == bare[-1]


def _codice_fiscale(candidate: bytes) -> bool:
    total = 0
    for place, character in enumerate(candidate.upper()[:15]):
        rank = character - 48 if character < 58 else character - 65
        odd = place % 2 == 0
        total += (_ODD_PLACES[rank] if character < 58 else _ODD_LETTERS[rank]) if odd else rank
    return total % 26 == candidate.upper()[15] - 65


def _personnummer(number: bytes) -> bool:
    """Check the date too, whose day is raised by 60 for those who only work in the country."""
    born = number[-10:]
    return 1 <= int(born[2:4]) <= 12 and 1 <= int(born[4:6]) % 60 <= 31 and luhn_valid(born)


def _nino(candidate: bytes) -> bool:
    return candidate[:2] not in {b"BG", b"GB", b"NK", b"KN", b"TN", b"NT", b"ZZ"}


def _all_of(valid: Callable[[bytes], bool], *lengths: int) -> Accept:
    """Accept a candidate that stands alone and is valid; where lengths are given, its digits are judged."""

    def accept(text: bytes, start: int, end: int) -> int | None:
        candidate = digits_in(text[start:end]) if lengths else text[start:end]
        if lengths and len(candidate) not in lengths:
            return None
        if not stands_alone(text, start, end) or continues_number(text, start, end, b" -."):
            return None
        return end if valid(candidate) and not in_identifier(text, start, end) else None

    return accept


def _national(pattern: str, sample: str, accept: Accept) -> Detector:
    return Detector("national_id", pattern, sample, accept, nested=True)


def _named(names: str, digits: str) -> str:
    """Return the pattern of a number that stands behind its name."""
    return rf"(?i:{names})(?:[\s\"'\\:.,#=(>/_-]|(?i:\bnumber|\bnummer|\bno\b|\bnr\b|\bis\b))*({digits})"


NATIONAL_ID_DETECTORS = (
    _national(  # Canada, social insurance number
        _named(r"\bsin\b|social insurance", r"[0-9]{3}[ -]?[0-9]{3}[ -]?[0-9]{3}"),
        "SIN 046 454 286",
        _all_of(luhn_valid, 9),
    ),
    _national(  # United Kingdom, health
        _named(r"\bnhs\b", r"[0-9]{3}[ -]?[0-9]{3}[ -]?[0-9]{4}"),
        "NHS number 943 476 5919",
        _all_of(_nhs, 10),
    ),
    _national(  # United Kingdom, insurance (National Insurance Manual, NIM39110)
        r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?[0-9][0-9] ?[0-9][0-9] ?[0-9][0-9] ?[A-D]",
        "AB 12 34 56 C",
        _all_of(_nino),
    ),
    _national(  # Spain, DNI and NIE
        r"(?:[0-9]{8}|[0-9]{2}\.[0-9]{3}\.[0-9]{3}|[XYZ]-?[0-9]{7})[- ]?[A-HJ-NP-TV-Z]",
        "12345678Z",
        _all_of(_dni),
    ),
    _national(  # Italy, codice fiscale; letters stand for digits where two people would have the same
        r"(?i:[a-z]{6}[0-9lmnp-v]{2}[abcdehlmprst][0-9lmnp-v]{2}[a-z][0-9lmnp-v]{3}[a-z])",
        "RSSMRA85T10A562S",
        _all_of(_codice_fiscale),
    ),
    _national(  # France, number of social security; epochs in nanoseconds begin alike and are longer
        r"(?:^|[^0-9A-Za-z])([12] ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[0-9]{3} ?[0-9]{3} ?[0-9]{2})(?:[^0-9]|$)",
        "2 55 08 14 168 025 38",
        _all_of(_nir, 15),
    ),
    _national(  # Germany, tax
        _named(
            r"steuer-?(?:id|identifikationsnummer|nummer)|\bidnr|tax id",
            r"[0-9]{2} ?[0-9]{3} ?[0-9]{3} ?[0-9]{3}",
        ),
        "Steuer-ID: 86 095 742 719",
        _all_of(_steuer_id, 11),
    ),
    _national(  # Netherlands, citizen service number
        _named(r"\bbsn\b|burgerservicenummer", r"[0-9]{9}|[0-9]{4}[. ][0-9]{2}[. ][0-9]{3}"),
        "BSN 111222333",
        _all_of(_bsn, 9),
    ),
    _national(_named(r"\bpesel\b", r"[0-9]{11}"), "PESEL 44051401359", _all_of(_pesel, 11)),  # Poland
    _national(  # Brazil
        r"[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}", "529.982.247-25", _all_of(_cpf, 11)
    ),
    _national(_named(r"\bcpf\b", r"[0-9]{11}"), "CPF 52998224725", _all_of(_cpf, 11)),
    _national(  # India
        r"[0-9]{4}[ -][0-9]{4}[ -][0-9]{4}", "2345 6789 0124", _all_of(_aadhaar, 12)
    ),
    _national(  # Sweden
        r"(?:[0-9]{2})?[0-9]{6}[-+][0-9]{4}", "811218-9876", _all_of(_personnummer, 10, 12)
    ),
)
