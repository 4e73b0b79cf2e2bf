"""A long query is translated once for all processes, and never by what is not its own translation."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from duckdb_kql import KqlSyntaxError

from local.azure_monitor.translations import LONG, Translations, stamp

QUERY = "spans" + " " * LONG


class Translator:
    """Counts what it translates."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, kql: str) -> str:
        self.asked.append(kql)
        return f"SELECT '{len(self.asked)} \u00e9 of {kql}'"


def test_what_one_process_translated_the_next_one_reads(tmp_path: Path) -> None:
    translator = Translator()
    first = Translations(tmp_path / "new", "1").sql(QUERY, translator)
    assert Translations(tmp_path / "new", "1").sql(QUERY, translator) == first
    assert translator.asked == [QUERY]


@pytest.mark.parametrize(("query", "state"), [(QUERY + "x", "1"), (QUERY, "2"), (QUERY.upper(), "1")])
def test_another_query_or_another_state_of_the_code_is_translated_anew(
    tmp_path: Path, query: str, state: str
) -> None:
    translator = Translator()
    Translations(tmp_path, "1").sql(QUERY, translator)
    assert Translations(tmp_path, state).sql(query, translator).startswith("SELECT '2 ")


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-5])


def changed(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def replaced(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("harm", [cut, changed, emptied, replaced])
def test_a_damaged_entry_is_not_used(tmp_path: Path, harm: Callable[[Path], None]) -> None:
    translator = Translator()
    Translations(tmp_path, "1").sql(QUERY, translator)
    (entry,) = tmp_path.iterdir()
    harm(entry)
    assert Translations(tmp_path, "1").sql(QUERY, translator).startswith("SELECT '2 ")


def test_a_short_query_is_not_kept(tmp_path: Path) -> None:
    Translations(tmp_path, "1").sql("spans", Translator())
    assert not list(tmp_path.iterdir())


def test_a_query_that_can_not_be_translated_is_not_kept(tmp_path: Path) -> None:
    def refuse(_: str) -> str:
        raise KqlSyntaxError("it is wrong")

    for _ in range(2):
        with pytest.raises(KqlSyntaxError):
            Translations(tmp_path, "1").sql(QUERY, refuse)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_can_not_be_made_keeps_nobody_from_translating(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    translator = Translator()
    assert Translations(tmp_path / "file" / "folder", "1").sql(QUERY, translator).startswith("SELECT '1 ")


def test_what_was_used_longest_ago_is_forgotten(tmp_path: Path) -> None:
    translator, translations = Translator(), Translations(tmp_path, "1", most=3)
    for number in (1, 2, 3, 1, 4):
        translations.sql(f"{QUERY}{number}", translator)
        time.sleep(0.02)  # file systems tell times apart by milliseconds
    assert len(list(tmp_path.iterdir())) == 3
    translations.sql(f"{QUERY}1", translator)
    translations.sql(f"{QUERY}2", translator)
    assert [query[-1] for query in translator.asked] == ["1", "2", "3", "4", "2"]


def test_a_stamp_stands_for_the_code_and_the_packages(tmp_path: Path) -> None:
    code = tmp_path / "code.py"
    code.write_text("one")
    first = stamp([code], ["duckdb-kql"])
    assert stamp([code], ["duckdb-kql"]) == first
    code.write_text("two")
    assert first not in {stamp([code], ["duckdb-kql"]), stamp([code], ["duckdb"])}
