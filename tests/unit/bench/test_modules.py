"""Every module of bench/ gives figures; those that take seconds at the smallest sizes are tried here."""

from importlib import import_module

import pytest

from bench import run
from bench.figures import Figure, Part, Scale
from bench.run import MODULES, PartFailed

QUICK = ("alerts", "report", "sanitizer", "seals")


def test_every_part_has_a_module() -> None:
    assert set(MODULES.values()) == set(Part)
    for module in MODULES:
        assert callable(import_module(f"bench.{module}").measure)


@pytest.mark.parametrize("module", QUICK)
def test_a_module_measures(module: str) -> None:
    said: list[str] = []
    figures: list[Figure] = import_module(f"bench.{module}").measure(said.append, Scale.SMOKE)
    assert said
    assert {each.part for each in figures} == {MODULES[module]}
    assert len({each.what for each in figures}) == len(figures)
    for each in figures:
        assert (each.value is not None and each.value > 0) or each.note
        assert each.growth is None or len(each.growth.values) == 3


def test_a_module_that_fails_is_a_line_of_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    def measured(module: str, scale: Scale) -> list[Figure]:
        assert scale is Scale.SMOKE
        if module == "seals":
            raise PartFailed("its engine is away")
        return [Figure(MODULES[module], "all of it", 1.0, "s")]

    assert run.main(["alerts", "seals", "verify"], Scale.SMOKE, measured) == 1
    table = capsys.readouterr().out
    assert "FAILED: its engine is away" in table
    assert "verify" in table
    assert run.main(["alerts", "verify"], Scale.SMOKE, measured) == 0
