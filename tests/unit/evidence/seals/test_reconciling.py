"""An export is held against the seals: what vanished is named, and retention's end; no seal is not zero."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions.access.scope import Scope
from functions.evidence.redaction.pseudonyms import Pseudonyms
from functions.evidence.seals.seals import digest_of
from functions.evidence.selection.selectors import (
    AlertTraces,
    Cases,
    Conversation,
    Given,
    Sample,
    TimeWindow,
    TraceIds,
)
from tests.checks.telemetry import Trace
from tests.fakes.storage import MemoryObjects
from tests.unit.evidence.sealing_rig import DECLARED, KEPT, NOON, Rig

HOUR = timedelta(hours=1)
WINDOW = TimeWindow(NOON - HOUR, NOON + HOUR)
TENANTS = {"tenant.id": "contoso"}
Rigged = Callable[..., Rig]


def sealed(*agents: str, **properties: str) -> Rig:
    """Return a rig whose Monday is sealed, with a run at noon of each agent: traces 1, 2, …"""
    rig = Rig()
    for number, agent in enumerate(agents, start=1):
        rig.run(number, agent=agent, **properties)
    rig.sealing.tick()
    return rig


def trace(number: int) -> str:
    return f"{number:032x}"


def named(*numbers: int) -> dict[str, Any]:
    return {
        "traces": len(numbers),
        "sha256": digest_of([trace(number) for number in numbers]),
        "named": [{"trace_id": trace(number), "sealed_on": "2026-11-23"} for number in numbers],
    }


def test_an_export_over_a_sealed_day_from_which_nothing_vanished_is_complete() -> None:
    rig = sealed(DECLARED, DECLARED)
    account = rig.reconcile(WINDOW)
    assert account.complete
    (day,) = account.body["days"]
    assert (day["day"], day["traces"], day["compared"]) == ("2026-11-23", 2, 2)
    assert day["ledger_hash"] == rig.seals.entered(NOON.date())
    assert account.body["not_sealed"] == []
    assert rig.entries("seals.vanished") == []


def test_a_source_trace_deleted_after_its_seal_makes_the_export_incomplete_by_name_and_in_the_ledger() -> (
    None
):
    rig = sealed(DECLARED, DECLARED, DECLARED)
    rig.vanish([trace(2)])
    account = rig.reconcile(WINDOW)
    assert not account.complete
    assert account.body["vanished"] == named(2)
    assert rig.entries("seals.vanished") == [
        {"export_id": "e" * 32, "traces": "1", "sha256": digest_of([trace(2)]), "damaged": "0"}
    ]


def test_a_sample_is_complete_only_if_its_whole_population_is_still_there() -> None:
    rig = sealed(DECLARED, DECLARED)
    assert rig.reconcile(Sample(WINDOW, 1)).complete
    rig.vanish([trace(1)])
    assert rig.reconcile(Sample(WINDOW, 1)).body["vanished"] == named(1)


def test_of_a_window_with_filters_the_agent_and_the_time_decide_and_no_other_filter() -> None:
    rig = sealed(DECLARED, "other", "other")
    rig.vanish([trace(1), trace(2)])
    other = TimeWindow(WINDOW.start, WINDOW.end, agent="other", release="9.9.9")
    assert rig.reconcile(other).body["vanished"] == named(2)
    assert rig.reconcile(TimeWindow(WINDOW.start, WINDOW.end, agent=DECLARED)).body["vanished"] == named(1)
    assert rig.reconcile(TimeWindow(NOON - 2 * HOUR, NOON - HOUR)).complete


def test_a_trace_of_which_only_an_event_is_left_has_vanished() -> None:
    rig = sealed(DECLARED)
    event = Trace(1, start=NOON)
    event.row("EventData", {"name": "gen_ai.evaluation.result"}, "", time=NOON)
    rig.telemetry.ingest(event.envelopes, delay=timedelta(seconds=1))
    rig.vanish([trace(1)], tables=("AppRequests", "AppDependencies"))
    assert rig.reconcile(WINDOW).body["vanished"] == named(1)


@pytest.mark.parametrize(
    "selector", [TraceIds((trace(1), trace(9))), AlertTraces("a" * 16, (trace(1), trace(9)))]
)
def test_a_trace_asked_for_by_id_was_sealed_and_is_gone_or_was_never_seen(selector: TraceIds) -> None:
    rig = sealed(DECLARED)
    assert rig.reconcile(selector).complete
    account = rig.reconcile(selector, missing=(trace(1), trace(9)))
    assert not account.complete
    assert account.body["vanished"] == named(1)
    assert account.body["never_sealed"] == [trace(9)]


def test_a_conversation_from_which_a_trace_vanished_is_incomplete() -> None:
    rig = sealed(DECLARED, DECLARED, **{"gen_ai.conversation.id": "conv-7"})
    conversation = Conversation(Given("conv-7", "x"))
    assert rig.reconcile(conversation).complete
    rig.vanish([trace(2)])
    assert rig.reconcile(conversation).body["vanished"] == named(2)
    assert rig.reconcile(Conversation(Given("conv-8", "x"))).complete


def test_of_cases_nothing_is_claimed() -> None:
    rig = sealed(DECLARED)
    account = rig.reconcile(Cases((Given("C-1", "C-1"),)))
    assert account.complete
    assert (account.body["days"], "no case numbers" in account.body["basis"]) == ([], True)


def test_what_is_older_than_the_retention_has_expired_and_is_not_zero() -> None:
    rig = sealed(DECLARED)
    rig.vanish([trace(1)])
    rig.now = NOON + KEPT + timedelta(days=1)
    account = rig.reconcile(WINDOW)
    assert not account.complete
    assert account.body["expired"] == named(1)
    assert account.body["vanished"]["traces"] == 0
    assert account.body["behind_retention"] is True
    assert account.body["kept_since"] == "2026-11-24"
    assert rig.reconcile(TraceIds((trace(1),)), missing=(trace(1),)).body["expired"] == named(1)


def test_a_window_behind_the_retention_is_incomplete_even_where_nothing_was_sealed() -> None:
    rig = sealed()
    old = rig.now - KEPT - timedelta(days=3)
    assert not rig.reconcile(TimeWindow(old, old + HOUR)).complete


def test_each_day_without_a_seal_is_named_with_the_reason() -> None:
    rig = sealed(DECLARED)
    days = TimeWindow(NOON - timedelta(days=1), NOON + timedelta(days=1))
    account = rig.reconcile(days)
    assert account.complete
    assert account.body["not_sealed"] == [
        {"day": "2026-11-22", "why": "before the first seal"},
        {"day": "2026-11-24", "why": "not over when this was asked for"},
    ]
    rig.now += timedelta(days=1)
    assert rig.reconcile(days).body["not_sealed"][1] == {"day": "2026-11-24", "why": "no seal"}
    at, rig.now = rig.now, rig.now + HOUR
    rig.sealing.tick()
    rig.now = at
    assert rig.reconcile(days).body["not_sealed"][1]["why"] == "sealed after this was asked for"


def test_the_same_request_gets_the_same_account_at_any_time() -> None:
    rig = sealed(DECLARED, DECLARED)
    rig.vanish([trace(1)])
    first = rig.reconcile(WINDOW)
    at, rig.now = rig.now, rig.now + timedelta(days=1)
    rig.sealing.tick()
    rig.now = at
    assert rig.reconcile(WINDOW) == first


def test_a_damaged_seal_makes_an_export_incomplete_and_is_in_the_ledger() -> None:
    class Forged(MemoryObjects):
        def forge(self) -> None:
            for name in [name for name in self._held if name.endswith(".tsv")]:
                self._held[name] = self._held[name][:-1] + b" "

    rig = Rig(objects=Forged())
    rig.run(1)
    rig.sealing.tick()
    assert isinstance(rig.objects, Forged)
    rig.objects.forge()
    account = rig.reconcile(WINDOW)
    assert not account.complete
    assert account.body["damaged"] == ["The list of 2026-11-23 is not what was sealed."]
    assert rig.entries("seals.vanished")[0]["damaged"] == "1"
    assert not rig.reconcile(TraceIds((trace(1),)), missing=(trace(1),)).complete


def test_who_may_not_see_an_agent_or_tenant_is_not_told_what_of_it_vanished() -> None:
    rig = sealed(DECLARED, "other", **TENANTS)
    rig.vanish([trace(1), trace(2)])
    missing = (trace(1), trace(2))

    def told(scope: Scope) -> tuple[Any, Any]:
        window = rig.reconcile(WINDOW, scope=scope).body["vanished"]
        ids = rig.reconcile(TraceIds(missing), missing=missing, scope=scope).body["vanished"]
        return window, ids

    assert told(Scope(agents=frozenset({DECLARED}))) == (named(1), named(1))
    assert told(Scope(agents=frozenset({"other"}))) == (named(2), named(2))
    assert told(Scope(tenants=frozenset({"contoso"}))) == (named(1, 2), named(1, 2))
    assert told(Scope(tenants=frozenset({"fabrikam"}))) == (named(), named())
    assert told(Scope(agents=frozenset({DECLARED}), tenants=frozenset({"fabrikam"}))) == (named(), named())


def test_seals_under_the_previous_key_are_read_and_those_under_a_lost_one_are_named() -> None:
    rig = sealed("other")
    rig.vanish([trace(1)])
    other = TimeWindow(WINDOW.start, WINDOW.end, agent="other")
    before, new = rig.pseudonyms, bytes(range(32, 64))
    rig.pseudonyms = Pseudonyms(new, "keyB", before)
    assert rig.reconcile(other).body["vanished"] == named(1)
    rig.pseudonyms = Pseudonyms(new, "keyB")
    assert rig.reconcile(other).body["not_sealed"] == [
        {"day": "2026-11-23", "why": "sealed under another key of pseudonyms"}
    ]
    assert rig.reconcile(WINDOW).body["vanished"] == named(1)


def test_a_run_that_came_in_days_late_is_in_the_account_of_when_it_began() -> None:
    rig = Rig()
    rig.run(1, NOON, delay=timedelta(days=1, hours=13))  # received early on Wednesday
    for _ in range(3):
        rig.sealing.tick()
        rig.now += timedelta(days=1)
    rig.vanish([trace(1)])
    vanished = rig.reconcile(WINDOW).body["vanished"]
    assert vanished["named"] == [{"trace_id": trace(1), "sealed_on": "2026-11-25"}]


def test_the_account_holds_no_time_of_day() -> None:
    rig = sealed(DECLARED)
    assert datetime.now(UTC).strftime("%H:%M") not in str(rig.reconcile(WINDOW).body)
    assert "T0" not in str(rig.reconcile(WINDOW).body)
