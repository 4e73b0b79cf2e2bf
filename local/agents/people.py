"""Made-up people whose data is planted into prompts, tools and logs, to show that it does not get out."""

from dataclasses import astuple, dataclass
from random import Random

_FIRST = (
    *("Aurelio", "Bettina", "Casimir", "Dorothea", "Evander", "Fenna", "Gideon", "Hesper", "Ignatia"),
    *("Jasper", "Kerensa", "Leopold", "Marguerite", "Nestor", "Ottoline", "Perrin", "Quillon", "Rosamund"),
)
_LAST = (
    *("Applegarth", "Brackenbury", "Coldstream", "Dunmallet", "Everingham", "Farthinglow", "Greywater"),
    *("Hollinrake", "Inglethorpe", "Kettlewell", "Larkspurre", "Merriweald", "Netherfold", "Oakenshaw"),
    *("Pellinor", "Quenby", "Ravensdale", "Silverthorne", "Tredwell", "Umberleigh", "Winterbourne"),
)
_STREETS = ("Foundry Lane", "Saltmarsh Road", "Beacon Hill", "Orchard Mews", "Tannery Row", "Lantern Street")


@dataclass(frozen=True, slots=True)
class Person:
    """One made-up person; every field is personal data in the shape of the real thing, and unique.

    Attributes:
        card: A card number that passes the Luhn check.
        national_id: In the shape of a US social security number.
    """

    name: str
    email: str
    phone: str
    national_id: str
    card: str
    street: str

    def values(self) -> tuple[str, ...]:
        """All that must not get out."""
        return astuple(self)


def make_up_person(number: int, random: Random) -> Person:
    """Make up the person with this number, below 10,000; different numbers share no value."""
    first, last, middle = random.choice(_FIRST), random.choice(_LAST), chr(ord("A") + number % 26)
    return Person(
        name=f"{first} {middle}{number // 26 or ''}. {last}",
        email=f"{first}.{last}{number:04d}@example.org".lower(),
        phone=f"+1 {random.randint(201, 989)}-555-{number:04d}",
        national_id=f"{random.randint(101, 665)}-{random.randint(10, 99)}-{number:04d}",
        card=_with_check_digit(f"41111{random.randint(100000, 999999)}{number:04d}"),
        street=f"{number + 1000} {random.choice(_STREETS)}, Apt {random.randint(1, 40)}",
    )


def _with_check_digit(digits: str) -> str:
    """Append the digit that makes a number pass the Luhn check (ISO/IEC 7812-1, annex B)."""
    doubled = [int(digit) * 2 for digit in digits[::-2]]
    total = sum(value - 9 if value > 9 else value for value in doubled) + sum(
        int(digit) for digit in digits[-2::-2]
    )
    return digits + str(-total % 10)
