"""docs/dialects.md names every recorded dialect, and what each carries, as the tests have it."""

import re
from pathlib import Path
from typing import get_args

import pytest

from tests.dialects.expected import EXPECTED, Fact

ROOT = Path(__file__).parents[2]


def table() -> list[dict[str, str]]:
    text = (ROOT / "docs" / "dialects.md").read_text("utf-8")
    lines = text.split("<!-- dialects -->\n")[1].split("<!-- end -->")[0].splitlines()
    header, _, *body = ([cell.strip() for cell in line.strip("|").split("|")] for line in lines)
    return [dict(zip(header, row, strict=True)) for row in body]


DOCUMENTED = {row["recorded with"].strip("`"): row for row in table()}


def test_the_table_has_every_recorded_dialect() -> None:
    assert set(DOCUMENTED) == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_the_table_says_what_is_absent(name: str) -> None:
    assert DOCUMENTED[name]["`Dialect`"] == EXPECTED[name].dialect
    assert {fact for fact in get_args(Fact) if DOCUMENTED[name][fact] == "absent"} == EXPECTED[name].absent


@pytest.mark.parametrize("name", EXPECTED)
def test_the_attributes_of_the_table_are_in_the_recording_and_in_the_view(name: str) -> None:
    recorded = (ROOT / "tests" / "dialects" / name / "envelopes.jsonl").read_text("utf-8")
    view = (ROOT / "functions" / "traces" / "spans.kql").read_text("utf-8")
    for attribute in re.findall(r"`([a-z_]+\.[a-z0-9_.]+)`", " ".join(DOCUMENTED[name].values())):
        # The exporter makes a column of it.
        written = "ai.session.id" if attribute == "session.id" else attribute
        assert f'"{written}"' in recorded
        assert attribute == "session.id" or f'Properties["{attribute}"]' in view


def test_the_view_tells_the_dialects_that_are_recorded() -> None:
    view = (ROOT / "functions" / "traces" / "spans.kql").read_text("utf-8")
    cases = view.split("Dialect = case(")[1].split(")$one_name")[0]
    told = set(re.findall(r'"([a-z_]+)",?$', cases, re.MULTILINE))
    assert told == {expected.dialect for expected in EXPECTED.values()}
