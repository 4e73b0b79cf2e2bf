from datetime import UTC, datetime, timedelta, timezone

import duckdb_kql
import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.traces import kql

PRINTABLE = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Cf", "Zl", "Zp", "Co", "Cn", "Zs"))
    | st.sampled_from(' \n\t\r"\\')
)


def printed(expression: str) -> object:
    with duckdb_kql.connect() as engine:
        return duckdb_kql.kql(engine, f"print X = {expression}").fetchall()[0][0]


@given(PRINTABLE)
def test_a_quoted_text_reads_back_as_itself(value: str) -> None:
    assert printed(kql.text(value)) == value


@given(st.text())
def test_no_text_can_end_its_literal_or_start_a_line(value: str) -> None:
    quoted = kql.text(value)
    inside = quoted[1:-1].replace("\\\\", "")
    assert quoted[0] == quoted[-1] == '"'
    assert '"' not in inside.replace('\\"', "")
    assert all(character.isprintable() for character in quoted)


def test_what_hides_in_print_becomes_an_escape() -> None:
    assert kql.text("a\u202eb\u200b\x00\U000e0001") == r'"a\u202eb\u200b\u0000\U000e0001"'


def test_an_instant_keeps_its_microseconds() -> None:
    assert kql.instant(datetime(2026, 1, 2, 3, 4, 5, 6, UTC)) == "datetime(2026-01-02T03:04:05.000006Z)"


@pytest.mark.parametrize("zone", [None, timezone(timedelta(hours=2))])
def test_an_instant_must_be_utc(zone: timezone | None) -> None:
    with pytest.raises(ValueError, match="UTC-aware"):
        kql.instant(datetime(2026, 1, 2, tzinfo=zone))


def test_a_datatable_gives_back_its_cells() -> None:
    moment = datetime(2026, 1, 2, tzinfo=UTC)
    columns = {"A": "string", "B": "long", "C": "real", "D": "bool", "E": "datetime"}
    table = kql.datatable(
        "t", columns, [('x"] | take 0 //', 7, 0.1, True, moment), (None, None, None, None, None)]
    )
    with duckdb_kql.connect() as engine:
        rows = duckdb_kql.kql(engine, f"{table}\nt").fetchall()
    assert rows[0][:4] == ('x"] | take 0 //', 7, 0.1, True)
    assert rows[0][4].replace(tzinfo=UTC) == moment
    assert rows[1] == ("", None, None, None, None)


@pytest.mark.parametrize(
    ("name", "columns", "row"),
    [
        ("t; drop", {"A": "string"}, ["x"]),
        ("t", {"A b": "string"}, ["x"]),
        ("t", {"A": "text"}, ["x"]),
        ("t", {"A": "real"}, ["1); T"]),
        ("t", {"A": "real"}, [float("nan")]),
        ("t", {"A": "long", "B": "long"}, [1]),
    ],
)
def test_an_unusable_datatable_is_refused(name: str, columns: dict[str, str], row: list[kql.Literal]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - each case has a message of its own
        kql.datatable(name, columns, [row])
