"""No mistake in the gate's rules goes unnoticed."""

from tests.unit.release.gate_mutants import EQUIVALENT, caught, mutants


def test_every_planted_mistake_is_noticed() -> None:
    planted = list(mutants())
    assert len(planted) > 400
    missed = [one for one in planted if not one.excused and not caught(one)]
    assert [(one.module.__name__, one.line, one.what) for one in missed] == []


def test_what_is_excused_is_still_planted_and_still_changes_nothing() -> None:
    excused = [one for one in mutants() if one.excused]
    assert {(one.module.__name__.rpartition(".")[2], one.what) for one in excused} == EQUIVALENT.keys()
    assert not any(caught(one) for one in excused)
