"""Every selector finds the traces it means, as the engine has them, and none beyond the requester's role."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from functools import cache
from random import Random
from typing import Any

import orjson
import pytest

from functions.access.scope import EVERYTHING, Scope
from functions.evidence.selection.membership import Resolved
from functions.traces.source import TraceSource
from tests.unit.evidence.choices import (
    ASKED,
    DAY,
    MONDAY,
    WEEK,
    Choices,
    envelope,
    log,
    run,
    source_of,
    traces,
)
from tests.unit.evidence.material import protection
from tests.unit.evidence.rig import RememberingSource

CASE = {"app.claim_number": "CL-9"}
NORTH = {"app.warehouse": "WH-N"} | CASE


@cache
def week() -> TraceSource:
    """Return eight traces of a week: who sent them is what the tests ask by."""
    return RememberingSource(
        source_of(
            run(1, conversation="c-1", tenant="acme", release="1.0"),
            run(2, "dispatcher-eu", conversation="c-2", tenant="acme", release="2.0", **NORTH),
            run(3, "benefits", MONDAY + DAY, tenant="acme", release="2.0", **{"app.driver": "Ada"}),
            run(
                4,
                "benefits",
                MONDAY + 2 * DAY,
                conversation="c-2",
                tenant="globex",
                **{"app.claim_number": "CL-9"},
            ),
            run(5, at=MONDAY - 20 * DAY, conversation="c-1", tenant="acme"),
            run(6, at=MONDAY + DAY, conversation="C-1"),  # no tenant; the conversation differs by its case
            run(7, at=MONDAY + 3 * DAY, tenant="acme") + log(7, MONDAY + 3 * DAY, **{"tenant.id": "globex"}),
            log(8, MONDAY + 3 * DAY),
        )
    )


def resolved(selector: Mapping[str, Any], scope: Scope = EVERYTHING, **changes: Any) -> Resolved:
    choices = Choices(week())
    return replace(choices.resolver, **changes).resolve(choices.export(selector, scope))


def meant(resolved: Resolved) -> tuple[str, ...]:
    """Return the traces that the memberships mean, as the engine has it."""
    found: list[str] = []
    for one in resolved.memberships:
        legs = ", ".join(
            f"({table} | {one.condition} | project OperationId)" for table in ("AppRequests", "AppTraces")
        )
        kql = f"{one.lets}union {legs} | distinct OperationId"
        found += [str(row[0]) for row in week().query(kql, since=resolved.since, until=resolved.until).rows]
    assert len(set(found)) == len(found)
    return tuple(sorted(found))


def window(**filters: Any) -> dict[str, Any]:
    return {"window": WEEK | filters}


@pytest.mark.parametrize(
    ("selector", "numbers"),
    [
        ({"trace_ids": list(traces(1, 5, 8))}, (1, 5, 8)),
        ({"alert_id": "00aa11bb22cc33dd"}, (1,)),
        ({"conversation_id": "c-1"}, (1, 5)),
        ({"conversation_id": "c-2"}, (2, 4)),
        ({"conversation_id": "nobody's"}, ()),
        ({"conversation_id": 'c") or true //'}, ()),
        ({"cases": ["CL-9", "CL-1"]}, (2, 4)),
        ({"cases": ['CL-9") or true //']}, ()),
        (window(), (1, 2, 3, 4, 6, 7, 8)),
        (window(agent="dispatcher"), (1, 2, 6, 7)),
        (window(agent="dispatcher-eu"), ()),  # a name that is sent, and stands for another
        (window(release="2.0"), (2, 3)),
        (window(tenant="globex"), (4,)),
        (window(tenant="acme", agent="benefits"), (3,)),
        (window(dimensions={"warehouse": "WH-N"}), (2,)),
        (window(dimensions={"driver": "Ada"}), (3,)),
        (window(dimensions={"driver": 'A") or true //'}), ()),
        ({"window": {"start": "2026-11-17T00:00:00Z", "end": "2026-11-18T00:00:00Z"}}, (3, 6)),
    ],
)
def test_a_selector_means_its_traces(selector: dict[str, Any], numbers: tuple[int, ...]) -> None:
    assert meant(resolved(selector)) == traces(*numbers)


@pytest.mark.parametrize(
    ("scope", "numbers"),
    [
        (Scope(agents=frozenset({"dispatcher"})), (1, 2, 6, 7)),
        (Scope(agents=frozenset({"dispatcher", "benefits"})), (1, 2, 3, 4, 6, 7)),  # 8 names no agent
        (Scope(tenants=frozenset({"acme"})), (1, 2, 3)),  # 7 names another in a log, 6 none
        (Scope(frozenset({"benefits"}), frozenset({"acme", "globex"})), (3, 4)),
        (Scope(agents=frozenset()), ()),
        (Scope(tenants=frozenset({'acme") or true //'})), ()),
    ],
)
@pytest.mark.parametrize("listed", [5_000, 0])
def test_a_limited_role_gets_no_trace_beyond_it(scope: Scope, numbers: tuple[int, ...], listed: int) -> None:
    assert meant(resolved(window(), scope, most_listed=listed)) == traces(*numbers)


ACME = Scope(tenants=frozenset({"acme"}))


def test_what_is_hidden_and_what_is_not_there_look_the_same() -> None:
    answer = resolved({"trace_ids": list(traces(1, 4, 99))}, ACME)
    assert (meant(answer), answer.missing) == (traces(1), traces(4, 99))


@pytest.mark.parametrize("selector", [{"conversation_id": "c-2"}, {"cases": ["CL-9"]}])
def test_a_hidden_trace_is_not_even_named(selector: dict[str, Any]) -> None:
    answer = resolved(selector, ACME)
    assert meant(answer) == traces(2)
    assert traces(4)[0] not in repr(answer)


def test_cases_are_answered_with_matched_and_missing_by_their_places() -> None:
    shown = [protection().pseudonyms.of("case", case) for case in ("CL-1", "CL-9")]
    assert resolved({"cases": ["CL-1", "CL-9"]}).account == {
        "cases": {
            "asked": 2,
            "matched": [{"place": 2, "case": shown[1], "trace_ids": list(traces(2, 4))}],
            "missing": [{"place": 1, "case": shown[0]}],
        }
    }


def test_trace_ids_without_a_row_are_missing() -> None:
    assert resolved({"trace_ids": list(traces(1, 98, 99))}).missing == traces(98, 99)


@pytest.mark.parametrize(
    "selector",
    [
        window(agent="dispatcher"),
        window(tenant="acme"),
        window(release="2.0", dimensions={"warehouse": "WH-N"}),
    ],
)
def test_a_subquery_means_the_same_as_a_list(selector: dict[str, Any]) -> None:
    by_list, by_query = resolved(selector), resolved(selector, most_listed=0)
    assert [one.lets for one in by_list.memberships] == [""]
    assert [one.condition for one in by_query.memberships] == ["where OperationId in (Chosen)"]
    assert meant(by_list) == meant(by_query)


def test_a_window_without_filters_has_no_list_of_ids() -> None:
    (membership,) = resolved(window()).memberships
    assert membership.condition == "where OperationId in (Chosen)"
    assert "0000000" not in membership.lets.replace(".000000Z", "")


PERSONAL = ("acme", "Ada", "c-1", "CL-9")


@pytest.mark.parametrize(
    ("selector", "scope"),
    [
        (window(tenant="acme", dimensions={"driver": "Ada"}), EVERYTHING),
        (window(), ACME),
        ({"conversation_id": "c-1"}, EVERYTHING),
        ({"cases": ["CL-9"]}, EVERYTHING),
    ],
)
def test_nothing_personal_is_in_what_is_shown(selector: dict[str, Any], scope: Scope) -> None:
    choices = Choices(week())
    export = choices.export(selector, scope)
    answer = replace(choices.resolver, most_listed=0).resolve(export)
    shown = orjson.dumps([export.selection.body(), answer.account, answer.missing]).decode()
    shown += "".join(one.shown_lets or one.lets + one.condition for one in answer.memberships)
    assert not [name for name in PERSONAL if f'"{name}"' in shown or f"'{name}'" in shown]


def test_a_query_that_is_shown_differs_from_the_one_asked_by_pseudonyms_alone() -> None:
    (membership,) = resolved(window(tenant="acme"), most_listed=0).memberships
    pseudonym = protection().pseudonyms.of("tenant", "acme")
    assert f'"{pseudonym}"' in membership.shown_lets
    assert membership.shown_lets.replace(f'"{pseudonym}"', '"acme"') == membership.lets


def test_rows_that_came_after_the_request_change_nothing() -> None:
    late = run(2, at=ASKED - timedelta(hours=2), tenant="acme")
    source = source_of(run(1, at=ASKED - timedelta(hours=2), tenant="acme"))
    source.telemetry.ingest(late, delay=timedelta(hours=3))
    choices = Choices(source)
    last_week = {"start": "2026-11-22T00:00:00Z", "end": "2026-11-23T23:00:00Z"}
    for selector in ({"window": last_week}, {"window": last_week | {"tenant": "acme"}}):
        (membership,) = choices.resolver.resolve(choices.export(selector)).memberships
        kql = f"{membership.lets}AppRequests | {membership.condition} | distinct OperationId"
        rows = source.query(kql, since=ASKED - 3 * DAY, until=ASKED + DAY).rows
        assert rows == ((traces(1)[0],),)
    asked = choices.resolver.resolve(choices.export({"trace_ids": list(traces(1, 2))}))
    assert asked.missing == traces(2)


def test_an_operation_id_that_is_no_trace_id_is_counted_and_left_out() -> None:
    other = run(1, tenant="acme")
    for one in other:
        one["tags"]["ai.operation.id"] = "NOT-OPENTELEMETRY"
    choices = Choices(source_of(run(2, tenant="acme"), other))
    for selector in (window(), window(tenant="acme")):
        answer = choices.resolver.resolve(choices.export(selector))
        assert (answer.unusable, answer.account) == (1, {"window": {"traces": 1}})


def test_equal_telemetry_gives_an_equal_answer() -> None:
    for selector in (window(), window(agent="dispatcher"), {"conversation_id": "c-2"}, {"cases": ["CL-9"]}):
        assert resolved(selector) == resolved(selector)


AGENTS = ("", "", "dispatcher", "dispatcher-eu", "benefits", "Dispatcher")
TENANTS = ("", "", "acme", "globex", "Acme")


def named(agent: str, tenant: str) -> dict[str, str]:
    return {name: value for name, value in (("gen_ai.agent.name", agent), ("tenant.id", tenant)) if value}


@pytest.mark.parametrize(
    "scope",
    [
        Scope(agents=frozenset({"dispatcher"})),
        Scope(agents=frozenset({"benefits", "Dispatcher"})),
        Scope(tenants=frozenset({"acme", "Acme"})),
        Scope(frozenset({"dispatcher", "benefits"}), frozenset({"acme"})),
        Scope(frozenset({"dispatcher", "benefits", "Dispatcher"}), frozenset(TENANTS)),
    ],
    ids=["one agent", "agents that differ in case", "tenants that differ in case", "both", "all"],
)
def test_the_queries_let_through_what_the_rule_of_limits_lets_through(scope: Scope) -> None:
    source, rows = mixed()
    choices = Choices(source)
    resolved = choices.resolver.resolve(choices.export(window(), scope))
    found = {
        one for membership in resolved.memberships for one in re.findall("[0-9a-f]{32}", membership.condition)
    }
    expected = {
        trace_id
        for trace_id, names in rows.items()
        if scope.sees({own_name(agent) for agent, _ in names}, {tenant for _, tenant in names})
    }
    assert found == expected
    assert 0 < len(expected) < len(rows)


def own_name(sent: str) -> str:
    return "dispatcher" if sent.startswith("dispatcher-") else sent


@cache
def mixed() -> tuple[TraceSource, Mapping[str, list[tuple[str, str]]]]:
    """Return 300 traces whose spans and logs name agents and tenants at random, and what each row names."""
    random = Random(20261129)
    rows: dict[str, list[tuple[str, str]]] = {}
    envelopes: list[list[dict[str, Any]]] = []
    for number in range(1, 301):
        parts = [(random.choice(AGENTS), random.choice(TENANTS)) for _ in range(random.randint(1, 3))]
        trace_id = traces(number)[0]
        rows[trace_id] = parts
        for place, (agent, tenant) in enumerate(parts):
            facts = named(agent, tenant)
            if place and random.random() < 0.4:
                envelopes.append(log(number, **facts))
            else:
                operation = {"gen_ai.operation.name": "invoke_agent"}
                ids = (trace_id, "", f"{number:015x}{place}")
                envelopes.append([envelope("RemoteDependency", ids, MONDAY, "1.0", operation | facts)])
    return RememberingSource(source_of(*envelopes)), rows
