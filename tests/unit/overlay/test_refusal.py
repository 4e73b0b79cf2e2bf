"""A refused overlay is an alert of its own: told once with what to correct, over with a good push."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from functions.alerts.state import CheckState, state_from_json
from functions.alerts.told_as import told_as_it_is
from functions.checks.finding import Finding, JudgedWindow, Window
from functions.checks.runner import Evaluated, NothingDue, Outcome
from functions.delivery.cards.writer import CardWriter
from functions.delivery.interface import Channel
from functions.overlay.refusal import CONFIG_CHECK, RefusalJudge, judged
from functions.overlay.standing import InForce, Mistake, Refused, Standing
from functions.watch.watch import Watch
from tests.fakes.destinations import MemoryDestination
from tests.fakes.storage import MemoryDocuments
from tests.unit.alerts.building import RULES
from tests.unit.delivery.adaptive_card import card_of, problems
from tests.unit.overlay.world import NOON, World, alerts

MINUTE = timedelta(minutes=1)
HOSTILE = "<at>everyone</at> [pay](https://evil.example/x) **now**\n# heading {{DATE(2026-01-01T00:00:00Z)}}"
GOOD = Standing((InForce("a" * 64, "b" * 64, NOON - MINUTE),))
MISTAKE = Mistake("alerts.yaml", 3, "`repeat_after` must be longer.", "Say after how long.")


def refusal(*mistakes: Mistake, at: datetime = NOON, overlay: str | None = "c" * 64) -> Standing:
    return replace(GOOD, refused=Refused(overlay, at, mistakes, len(mistakes)))


def finding_of(outcome: Outcome) -> Finding:
    assert isinstance(outcome, Evaluated)
    ((finding,),) = [one.findings for one in outcome.judged]
    return finding


def test_where_nothing_was_ever_refused_there_is_nothing_to_judge() -> None:
    assert judged(GOOD, NOON, None, NOON + MINUTE) == NothingDue()


def test_a_refusal_is_found_from_when_it_began_with_the_first_mistake_and_their_number() -> None:
    standing = refusal(MISTAKE, replace(MISTAKE, line=9))
    outcome = judged(standing, NOON, None, NOON + MINUTE)
    finding = finding_of(outcome)
    assert (finding.window, finding.value) == (Window(NOON, NOON + MINUTE), 2.0)
    assert finding.shows == {
        "File": "alerts.yaml",
        "Line": 3,
        "Rule": "`repeat_after` must be longer.",
        "Fix": "Say after how long.",
        "Refused": "c" * 12,
        "InForce": "a" * 12,
    }
    assert isinstance(outcome, Evaluated)
    assert outcome.watermark == NOON + MINUTE


def test_a_refusal_that_lasts_is_judged_from_the_last_tick_on() -> None:
    at = NOON + 5 * MINUTE
    assert finding_of(judged(refusal(MISTAKE), NOON, at, at + MINUTE)).window == Window(at, at + MINUTE)


def test_a_refusal_of_this_very_instant_and_a_clock_that_went_back_still_make_a_window() -> None:
    for watermark in (None, NOON, NOON + MINUTE):
        assert finding_of(judged(refusal(MISTAKE), NOON, watermark, NOON)).window == Window(
            NOON - MINUTE, NOON
        )


def test_what_nobody_could_read_and_what_has_no_line_is_told_as_that() -> None:
    standing = Standing(refused=Refused(None, NOON, (Mistake("", 0, "Storage is away.", "Wait."),), 1))
    shows = finding_of(judged(standing, NOON, None, NOON)).shows
    assert (shows["File"], shows["Line"]) == ("", "")
    assert (shows["Refused"], shows["InForce"]) == ("unreadable", "nothing")


def test_its_end_is_judged_once_and_again_after_an_hour_since_another_process_may_know_less() -> None:
    healed = NOON + MINUTE
    end = JudgedWindow(Window(NOON, healed), ())
    assert judged(GOOD, healed, NOON, healed) == Evaluated((end,), healed, rows=0, unjudged=0)
    later = healed + MINUTE
    assert judged(GOOD, healed, later, later + 59 * MINUTE) == NothingDue()
    assert isinstance(judged(GOOD, healed, later, later + 60 * MINUTE), Evaluated)


class Telling:
    """A watch over the configuration, ticking on one World's documents."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.teams = MemoryDestination(clock=lambda: world.now)
        self.documents = MemoryDocuments()

    def tick(self, standing: Standing, since: datetime | None = None) -> None:
        """Run a tick of a process that knows this standing since an instant; by default since now."""
        Watch(
            self.documents,
            RefusalJudge(standing, since or self.world.now),
            (CONFIG_CHECK,),
            replace(RULES, resolve_after_quiet=1),
            {"teams": Channel(self.teams, CardWriter("https://tracekeeper.example.net", told_as_it_is, {}))},
            clock=lambda: self.world.now,
        ).tick()

    def state(self) -> CheckState:
        held = self.documents.read(f"checks/{CONFIG_CHECK.id}")
        return state_from_json("", held.body) if held else CheckState()

    def cards(self) -> list[Any]:
        return [card_of(one.message) for one in self.teams.accepted]


def facts(card: Any) -> dict[str, str]:
    (found,) = [part["facts"] for part in card["body"] if part["type"] == "FactSet"]
    return {fact["title"]: fact["value"] for fact in found}


def test_a_broken_push_is_told_once_and_a_good_one_ends_it() -> None:
    world = World()
    telling, holder = Telling(world), world.start()
    telling.tick(holder.look()[1])
    assert telling.documents.read(f"checks/{CONFIG_CHECK.id}") is None
    world.push(alerts=alerts("none"))
    for _ in range(5):
        world.later()
        telling.tick(holder.look()[1], NOON)
    (card,) = telling.cards()
    assert problems(card) == []
    assert card["fallbackText"] == (
        "HIGH · site configuration · The pushed configuration is refused; the last good one stays in force: "
        "1 mistake"
    )
    told = facts(card)
    assert (told["File"], told["Line"]) == ("alerts.yaml", "3")
    assert told["Rule"] == "ˋresolve_after_quietˋ must be of type integer."  # noqa: RUF001 - a look-alike
    assert told["Fix"].startswith("Say how many evaluations")
    world.push(alerts=alerts(6))
    world.later()
    telling.tick(holder.look()[1])
    assert telling.cards()[1]["fallbackText"].startswith("RESOLVED · site configuration")
    [alert] = telling.state().alerts.values()
    assert (alert.state, alert.resolved_at) == ("resolved", world.now)
    before = telling.state()
    world.later()
    telling.tick(holder.look()[1], NOON)
    assert telling.state() == before


def test_that_there_was_no_configuration_at_all_ends_too() -> None:
    telling = Telling(World())
    telling.tick(Standing(refused=Refused(None, NOON, (MISTAKE,), 1)))
    telling.world.later()
    telling.tick(GOOD)
    assert [alert.state for alert in telling.state().alerts.values()] == ["resolved"]


def test_a_card_holds_the_longest_fix_there_is_and_hostile_text_does_nothing_in_it() -> None:
    telling = Telling(World())
    fix = "Known here: " + ", ".join(f"key{number}" for number in range(20)) + "."
    telling.tick(refusal(Mistake(HOSTILE, 3, HOSTILE, fix)))
    (card,) = telling.cards()
    assert problems(card) == []
    told = facts(card)
    assert told["Fix"] == fix
    for name in ("File", "Rule"):
        assert not set(told[name]) & set("<>[]{}*\n`")
        assert "https://" not in told[name]
        assert "evil.example" not in told[name]
        assert "now∗∗" in told[name]  # noqa: RUF001 - look-alikes


def test_a_damaged_file_is_named_to_its_end() -> None:
    world = World()
    telling, holder = Telling(world), world.start()
    holder.look()
    place = f"versions/{world.push(alerts=alerts(8))}/alerts.yaml"
    world.objects.change(place, alerts(9).encode())
    telling.tick(holder.look()[1])
    told = facts(telling.cards()[0])
    assert told["File"] == place
    assert told["Rule"] == f"The blob {place} in the container config was changed after it was pushed."
