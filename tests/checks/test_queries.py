"""What holds for the text of every check's query."""

import re

import pytest

from functions.configuration import SHIPPED, load_configuration
from tests.checks.bench import SITE

CHECKS = {check.id: check for check in load_configuration(SHIPPED, SITE).checks}

SMALL = {
    "evaluation_objectives",  # a parameter table
    "prices",  # a row for each priced model and day
}
"""What a lookup may send to every node of the service."""

LOOKUP = re.compile(r"\blookup\s+kind=\w+\s+([A-Za-z_]+|\()")


@pytest.mark.parametrize("check_id", CHECKS)
def test_a_lookup_has_a_small_right_side(check_id: str) -> None:
    assert set(LOOKUP.findall(CHECKS[check_id].query)) <= SMALL


@pytest.mark.parametrize(
    ("query", "right"),
    [("a | lookup kind=leftouter b on c", "b"), ("a\n| lookup kind=inner (b | count) on c", "(")],
)
def test_a_lookup_of_something_else_is_noticed(query: str, right: str) -> None:
    assert LOOKUP.findall(query) == [right]
    assert right not in SMALL
