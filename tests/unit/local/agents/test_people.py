"""Made-up people: every value has the shape of the real thing and belongs to one person."""

import re
from random import Random

import pytest

from local.agents.people import make_up_person

PEOPLE = [make_up_person(number, Random(number)) for number in (*range(600), 9_999)]


def test_no_two_people_share_a_value() -> None:
    values = [value for person in PEOPLE for value in person.values()]
    assert len(values) == len(set(values)) == 6 * len(PEOPLE)


@pytest.mark.parametrize(
    ("field", "shape"),
    [
        ("name", r"[A-Z][a-z]+ [A-Z]\d*\. [A-Z][a-z]+"),
        ("email", r"[a-z]+\.[a-z]+\d{4}@example\.org"),
        ("phone", r"\+1 [2-9]\d\d-555-\d{4}"),
        ("national_id", r"[1-6]\d\d-\d\d-\d{4}"),
        ("card", r"4\d{15}"),
        ("street", r"\d{4,5} [A-Z][a-z]+ [A-Z][a-z]+, Apt \d+"),
    ],
)
def test_a_value_has_its_shape(field: str, shape: str) -> None:
    assert [value for person in PEOPLE if not re.fullmatch(shape, value := getattr(person, field))] == []


def test_card_numbers_pass_the_luhn_check() -> None:
    for person in PEOPLE:
        digits = [int(digit) for digit in reversed(person.card)]
        doubled = [sum(divmod(2 * digit, 10)) for digit in digits[1::2]]
        assert (sum(digits[::2]) + sum(doubled)) % 10 == 0
