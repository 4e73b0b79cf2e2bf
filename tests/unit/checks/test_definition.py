"""A check's file says what it says, and what it leaves out is the usual."""

import pytest

from functions.checks.definition import CheckDefinition, Condition
from tests.unit.checks.building import check


def options_of(definition: CheckDefinition) -> tuple[int, float | None, int | None]:
    return definition.windows_in_a_row, definition.clear_below, definition.minimum_runs


def test_what_is_left_out_is_the_usual() -> None:
    assert options_of(check()) == (1, None, None)


def test_the_common_options_are_read() -> None:
    assert options_of(check(**{"for": 3}, clear_below=0, minimum_runs=20)) == (3, 0, 20)


@pytest.mark.parametrize(
    ("kind", "body", "condition"),
    [
        ("any", {}, Condition("any", {})),
        ("below", {"threshold": 0.8}, Condition("below", {"threshold": 0.8})),
        ("absence", {"after": "2h"}, Condition("absence", {"after": 120, "history": 24})),
        ("absence", {"after": "1d", "history": 72}, Condition("absence", {"after": 1440, "history": 72})),
        (
            "change",
            {"metric": "mean", "alpha": 0.01, "minimum_runs": 20, "factor": 1.2},
            Condition("change", {"alpha": 0.01, "minimum_runs": 20, "factor": 1.2}, metric="mean"),
        ),
    ],
)
def test_a_condition_is_its_kind_and_its_numbers(
    kind: str, body: dict[str, float | str], condition: Condition
) -> None:
    assert check({kind: body}).condition == condition
