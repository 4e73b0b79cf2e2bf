"""docs/checks.md names every check as its file defines it."""

from dataclasses import replace

import pytest

from functions.checks.parameters import parameter_tables
from functions.configuration import SHIPPED, load_configuration
from tests.checks.catalogue import PAGE, written

CONFIGURATION = load_configuration(SHIPPED)
CHECKS = CONFIGURATION.checks


def test_the_table_is_current() -> None:
    page = PAGE.read_text("utf-8")
    assert page == written(page, CHECKS), "run: .venv/bin/python -m tests.checks.catalogue"


def test_every_check_is_in_it_once() -> None:
    page = PAGE.read_text("utf-8")
    assert [page.count(f"| `{check.id}` |") for check in CHECKS] == [1] * len(CHECKS)


@pytest.mark.parametrize("change", [{"title": "Another"}, {"severity": "low"}, {"query": "budgets"}])
def test_a_changed_check_makes_it_stale(change: dict[str, str]) -> None:
    changed = [replace(CHECKS[0], **change), *CHECKS[1:]]  # type: ignore[arg-type]  # one text field
    page = PAGE.read_text("utf-8")
    assert written(page, changed) != page


def test_a_check_that_asks_for_a_parameter_says_where_it_is_blind() -> None:
    page = PAGE.read_text("utf-8")
    for check in CHECKS:
        if parameter_tables(check.query, CONFIGURATION.agents, CONFIGURATION.prices):
            row = next(line for line in page.splitlines() if line.startswith(f"| `{check.id}` |"))
            assert "an agent " in row or "a model has no price" in row
