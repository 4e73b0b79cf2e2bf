from dataclasses import replace
from datetime import UTC, datetime

from functions.evidence.controls.sentences import finding_sentences
from functions.evidence.controls.verdicts import NO_RULE, Basis, Control, Result, RunVerdicts, Verdict

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def run(
    *found: tuple[Control, Result, str], notes: tuple[str, ...] = (), agent: str = "dispatcher"
) -> RunVerdicts:
    told = {control: Verdict(control, result, reason) for control, result, reason in found}
    verdicts = tuple(told.get(control, Verdict(control, Result.PASS, "fine")) for control in Control)
    return RunVerdicts("a" * 32, "b" * 16, NOON, agent, "2.0", "c", Basis.OBSERVED, verdicts, notes)


def test_what_failed_is_said_before_what_could_not_be_judged_and_what_is_missing() -> None:
    told = run(
        (Control.LATENCY, Result.NOT_EVALUABLE, "how long it took is not recorded"),
        (Control.REQUIRED_LOOKUPS, Result.FAIL, "look-up shipment_status not called"),
        (Control.DATA_FRESH, Result.FAIL, "data of tool X 9 h old (at most 60 min)"),
        notes=("2 of 3 model calls without token counts",),
    )
    assert finding_sentences([told]) == (
        "dispatcher: look-up shipment_status not called.",
        "dispatcher: data of tool X 9 h old (at most 60 min).",
        "dispatcher: latency can't be judged: how long it took is not recorded.",
        "dispatcher: 2 of 3 model calls without token counts.",
    )


def test_a_run_that_passes_says_nothing() -> None:
    assert finding_sentences([run()]) == ()


def test_a_control_without_a_rule_says_nothing() -> None:
    assert finding_sentences([run((Control.LATENCY, Result.NOT_EVALUABLE, f"{NO_RULE}none"))]) == ()


def test_one_reason_for_all_controls_is_said_once() -> None:
    told = run(
        *((control, Result.NOT_EVALUABLE, "which agent ran is not recorded") for control in Control), agent=""
    )
    assert finding_sentences([told]) == (
        "An agent without a name: no control can be judged: which agent ran is not recorded.",
    )


def test_what_two_runs_say_alike_is_said_once_whatever_their_order() -> None:
    one = run((Control.REQUIRED_LOOKUPS, Result.FAIL, "look-up x not called"))
    other = replace(one, run_id="c" * 16)
    assert (
        finding_sentences([other, one])
        == finding_sentences([one, other])
        == ("dispatcher: look-up x not called.",)
    )
