"""Every query is accepted by Microsoft's own KQL language service, for the tables as they are documented."""

import json
import re
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from functions.access.scope import EVERYTHING, Scope
from functions.canary.question import content_kql, markers_content_kql, markers_kql, pointers_kql
from functions.checks.finding import Window
from functions.checks.late_rows import with_late_rows
from functions.checks.measurement import ADDED_COLUMNS
from functions.checks.parameters import parameter_tables
from functions.checks.question import question
from functions.checks.sweep import is_swept
from functions.checks.windows import Batch
from functions.configuration import SHIPPED, load_configuration
from functions.costs.costs import Costs
from functions.costs.question import DIMENSION, GROUPINGS, Period, Question
from functions.errors import NotFound
from functions.evidence.controls.run_facts import facts_kql
from functions.evidence.exports.export import Export, State
from functions.evidence.reading.reading import Asked, Reading
from functions.evidence.reading.search import Searching
from functions.evidence.seals.presence import Presence
from functions.evidence.seals.questions import runs_kql, spans_kql
from functions.evidence.seals.store import Seals
from functions.evidence.selection import membership_kql as kql
from functions.evidence.selection.drawing import Drawing
from functions.evidence.selection.membership_kql import Bounds, Limit
from functions.evidence.selection.selection import STRATA, Selection
from functions.evidence.selection.selectors import Given, Sample, TimeWindow
from functions.release.compare_facts import runs_kql as compared_runs_kql
from functions.release.gate_traces import question as gate_question
from functions.summary.runs import count_runs
from functions.traces.agents import Attributes
from functions.traces.content_hashes import content_hashes_table, content_hashes_view
from functions.traces.cutting import LONG_AGO, count_late, cut
from functions.traces.kql import compose, text
from functions.traces.membership import Membership
from functions.traces.model import TABLES
from functions.traces.rows import among, find_traces
from functions.traces.slices import CONTENT_TABLE, Slice
from functions.traces.source import Rows
from functions.weeks import WeekBefore
from local.azure_monitor.ingestion import Telemetry
from local.azure_monitor.schema import tables
from local.node import find_node
from tests.fakes.source import ScriptedSource
from tests.fakes.storage import MemoryAppendLog, MemoryDocuments, MemoryObjects
from tests.unit.evidence.material import protection
from tests.unit.triggers.rig import NoControls

LOCAL = Path(__file__).parents[2] / "local"
NOW = datetime(2026, 11, 20, tzinfo=UTC)
HOSTILE = '"] | take 0 // \\ \n \u202e'
CONFIGURATION = load_configuration(SHIPPED)
LIMITED = Scope(frozenset({"dispatcher", HOSTILE}), frozenset({HOSTILE}))
CHECKS = {check.id: check for check in CONFIGURATION.checks}


def composed(query: str, attributes: Attributes = CONFIGURATION.agents.attributes) -> str:
    return compose(
        query,
        attributes=attributes,
        tables=(
            *parameter_tables(query, CONFIGURATION.agents, CONFIGURATION.prices),
            *content_hashes_view(query),
        ),
        received_from=NOW - timedelta(hours=1),
        received_to=NOW,
        every=timedelta(minutes=5),
        lookback=timedelta(hours=1),
        settle=timedelta(minutes=5),
    )


def reading_queries() -> dict[str, str]:
    recorder = ScriptedSource(lambda _: Rows((), ()))
    find_traces(recorder, ["0" * 32], now=NOW)
    window = among(["0" * 32, HOSTILE])
    whole = Slice("", window, NOW - timedelta(days=1), NOW, LONG_AGO, NOW)
    list(cut(recorder, whole))
    list(cut(recorder, whole, tables=(CONTENT_TABLE,)))
    slices = [replace(whole, table=table) for table in (*TABLES, CONTENT_TABLE)]
    late = ScriptedSource([Rows(("Rows",), ((0,),))])
    count_late(late, window, NOW - timedelta(days=1), NOW, NOW)
    asked = [one.kql for one in (*recorder.asked, *late.asked)]
    return {f"reading {n}": kql for n, kql in enumerate(asked)} | {
        f"{kind} {part.table}": kql
        for part in slices
        for kind, kql in (("rows", part.kql), ("count", part.count_kql))
    }


def choosing_queries() -> dict[str, str]:
    """Return how traces are chosen for an export, by every selector and limit, with hostile values in all."""
    given = Given(HOSTILE, "pseudonym")
    bounds = Bounds(NOW - timedelta(days=3), NOW, NOW)
    window = TimeWindow(bounds.since, NOW)
    every = tuple(CONFIGURATION.agents.attributes.dimensions)
    filtered = replace(
        window, agent=HOSTILE, release=HOSTILE, tenant=given, dimensions=dict.fromkeys(every, given)
    )
    names = {HOSTILE: HOSTILE, f"{HOSTILE}*": "dispatcher"}
    attributes = replace(CONFIGURATION.agents.attributes, names=names)
    limits = {
        "agents": Limit(("dispatcher", HOSTILE), None),
        "no agents": Limit((), None),
        "tenants": Limit(None, (given,)),
        "both": Limit((HOSTILE,), (given,)),
    }

    def value(one: Given) -> str:
        return one.value

    views = kql.views(attributes, bounds)
    inside = {name: kql.inside_let(limit, attributes, bounds, value) for name, limit in limits.items()}
    populations = {
        str(stratum): kql.population(filtered, stratum, value, limited=True)
        for stratum in (None, *STRATA, *every)
    }
    population = f"let Population = {populations['agent']};\n"
    chosen = (
        "let Chosen = Candidates | where OperationId in (Inside);\nAppTraces | where OperationId in (Chosen)"
    )
    candidates = f"let Candidates = {kql.fitting_in_window(filtered, value)};\n"
    return {
        "all in a window": kql.all_in_window(window, bounds),
        "fitting in a window": views + kql.fitting_in_window(filtered, value),
        "views of some traces": kql.views(attributes, bounds, among=["0" * 32, HOSTILE]) + "runs",
        "cases": kql.named_cases(HOSTILE, [given, given], bounds),
        "naming a conversation": kql.named_conversation(given, bounds),
        "of a conversation": views + kql.of_conversation(given),
        "first and last": kql.first_and_last(["0" * 32, HOSTILE], bounds),
        "a slice by a subquery": (f"{views}{inside['both']}{candidates}{chosen} | project OperationId"),
        **{f"inside {name}": f"{views}{let}Inside" for name, let in inside.items()},
        **{f"population by {name}": f"{views}{inside['both']}{one}" for name, one in populations.items()},
        **{
            f"population {question}": f"{views}{inside['both']}{population}{asked}"
            for question, asked in drawing_queries().items()
        },
    }


def drawing_queries() -> dict[str, str]:
    """Return what is asked of a population: counts, a prefix divided, a page."""
    asked: list[str] = []

    def answer(query: str) -> list[dict[str, Any]]:
        asked.append(query)
        counts = {"Runs": 9, "StandFor": 9, "Usable": True, "Prefix": "00" if len(asked) == 1 else "0000"}
        return [] if "project" in query else [counts]

    drawing = Drawing(MemoryDocuments(), MemoryObjects(), MemoryAppendLog(), lambda: NOW, page=5)
    # Prefixes get longer until they can't: each is a query of the same form.
    sample = Sample(TimeWindow(NOW - timedelta(days=1), NOW), 3)
    selection = Selection(sample, "metadata", "an audit", "AUDIT-4")
    drawing.draw(Export("e" * 32, State.RUNNING, selection, "person", NOW), sample, answer, str)
    return {"counted": asked[0], "divided": asked[1], "page": asked[-1]}


def cost_queries() -> dict[str, str]:
    recorder = ScriptedSource(lambda _: Rows((), ()))
    costs = Costs(
        recorder, CONFIGURATION.agents, CONFIGURATION.prices, tenant_pseudonym=str, clock=lambda: NOW
    )
    month = Period(NOW - timedelta(days=31), NOW)
    by = [*GROUPINGS, *(f"{DIMENSION}{name}" for name in costs.dimensions)]
    for one in by:
        costs.report(Question(month, one))
    costs.waste(month)
    costs.telemetry(month)
    costs.report(Question(month, "agent"), LIMITED)
    costs.waste(month, LIMITED)
    costs.telemetry(month, replace(LIMITED, tenants=None))
    names = [*(f"costs by {one}" for one in by), "costs in vain", "costs of telemetry"]
    names += ["limited costs", "limited costs in vain", "limited costs of telemetry"]
    return dict(zip(names, (asked.kql for asked in recorder.asked), strict=True))


def door_queries() -> dict[str, str]:
    """Return what is asked to find traces, and about the time at which one should have been."""
    recorder = ScriptedSource(lambda _: Rows((), ()))
    searching = Searching(recorder, protection, CONFIGURATION.agents, lambda: NOW)
    why = {"reason": "a claim", "ticket": "T-1"}
    for by in ("conversation_id", "user_id", "agent"):
        search = replace(searching.parse({"conversation_id": "c", **why}), by=by, value=HOSTILE)
        for scope in (EVERYTHING, LIMITED):
            searching.find(search, scope)
    documents = MemoryDocuments()
    attributes = replace(CONFIGURATION.agents.attributes, names={HOSTILE: "dispatcher"})
    seals = Seals(MemoryObjects(), documents)
    reading = Reading(
        recorder,
        protection,
        attributes,
        CONFIGURATION.prices,
        NoControls(),
        documents,
        seals,
        timedelta(days=90),
        lambda: NOW,
    )
    for agent in (None, "dispatcher", HOSTILE):
        with suppress(NotFound):
            reading.read("f" * 32, asked=Asked(NOW - timedelta(days=1), agent))
    return {f"doors {n}": one.kql for n, one in enumerate(recorder.asked)}


def summary_queries() -> dict[str, str]:
    recorder = ScriptedSource(lambda _: Rows((), ()))
    count_runs(recorder, CONFIGURATION.agents.attributes, WeekBefore(NOW.date(), "UTC"))
    return {"runs of two weeks": recorder.asked[0].kql}


def gate_queries() -> dict[str, str]:
    attributes = CONFIGURATION.agents.attributes
    return {
        "the last hour": gate_question(attributes, now=NOW, agents=(), release=None),
        "the last hour of a release": gate_question(attributes, now=NOW, agents=(HOSTILE,), release=HOSTILE),
    }


def sight_queries() -> dict[str, str]:
    ids = ["0" * 32, HOSTILE]
    return {
        "markers": markers_kql(ids),
        "content of markers": markers_content_kql(ids),
        "pointers": pointers_kql(NOW - timedelta(hours=1), NOW),
        "content of pointers": content_kql(ids),
    }


def content_queries() -> dict[str, str]:
    """Return the relation in both forms, and the question that is asked alone for the second."""
    check = CHECKS["duplicate_retrieval"]
    window = Window(NOW - check.every, NOW)
    apart = question(
        check,
        Batch(check.every, (window,)),
        CONFIGURATION.agents,
        CONFIGURATION.prices,
        content_apart=True,
    )
    assert apart.content_kql is not None
    columns = ("TraceId", "SpanId", "Hash")
    recorder = ScriptedSource(lambda _: Rows(columns, ((HOSTILE, HOSTILE, "0" * 64),)))
    apart.ask(recorder, recorder)
    return {
        "content_hashes": composed("content_hashes"),
        "content_hashes as a table": f"{content_hashes_table(Rows(columns, ()))}\ncontent_hashes",
        "content asked alone": recorder.asked[0].kql,
        "duplicate_retrieval with content asked alone": recorder.asked[1].kql,
    }


def control_queries() -> dict[str, str]:
    """Return what is asked about runs: the traces named by ids or by a subquery, with and without bounds."""
    chosen = "let Chosen = union AppRequests, AppDependencies | distinct OperationId;\n"
    memberships = {
        "ids": Membership("", f"where OperationId in ({', '.join(map(text, ('0' * 32, HOSTILE)))})"),
        "a subquery": Membership(chosen, "where OperationId in (Chosen)"),
    }
    within = {"ids": [(None, None)], "a subquery": [(None, NOW), (NOW, NOW + timedelta(hours=1))]}
    return {
        f"facts of runs by {name}": facts_kql(
            Slice("runs", membership, NOW - timedelta(days=2), NOW, NOW - timedelta(days=1), NOW),
            CONFIGURATION.agents,
            within[name],
            cutoff=NOW,
        )
        for name, membership in memberships.items()
    }


def comparison_queries() -> dict[str, str]:
    """Return what is asked of the runs of two releases: of all agents, of one, and with hostile names."""
    membership = Membership("", f"where AppVersion in ({text('1.0')}, {text(HOSTILE)})")
    part = Slice("runs", membership, NOW - timedelta(days=2), NOW, NOW - timedelta(days=2), NOW)
    return {
        f"runs of two releases, {agent or 'all agents'}": compared_runs_kql(
            CONFIGURATION.agents, CONFIGURATION.prices, ("1.0", HOSTILE), part, agent
        )
        for agent in ("", HOSTILE)
    }


def seal_queries() -> dict[str, str]:
    """Return what is asked to seal a day, and which of its traces are still there."""
    since = NOW - timedelta(days=1)
    recorder = ScriptedSource(lambda _: Rows((), ()))
    presence = Presence(recorder)
    presence.on_days({"0" * 32: since}, since, NOW)
    presence.of_ids({"0" * 32: since, HOSTILE: since})
    return {
        "runs to be sealed": runs_kql(CONFIGURATION.agents, since, NOW),
        "spans of each hour": spans_kql(since, NOW),
        "traces of a day": recorder.asked[0].kql,
        "traces that are still there": recorder.asked[1].kql,
    }


@cache
def queries() -> Mapping[str, str]:
    views = {view: composed(view) for view in ("spans", "runs")}
    named = replace(CONFIGURATION.agents.attributes, names={HOSTILE: HOSTILE, f"{HOSTILE}*": "dispatcher"})
    views["spans with names"] = composed("spans", named)
    checks = {id_: composed(check.query) for id_, check in CHECKS.items()}
    sweeps = {
        f"sweep of {id_}": composed(with_late_rows(check.query, check.settle))
        for id_, check in CHECKS.items()
        if is_swept(check)
    }
    costs = cost_queries() | summary_queries() | comparison_queries() | gate_queries()
    evidence = seal_queries() | reading_queries() | control_queries() | choosing_queries() | door_queries()
    return views | checks | sweeps | costs | evidence | sight_queries() | content_queries()


def ask(texts: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    answer = subprocess.run(
        [str(find_node()), str(LOCAL / "kql_language_service.mjs")],
        input=json.dumps(
            {"tables": {name: dict(columns) for name, columns in tables().items()}, "queries": texts}
        ),
        capture_output=True,
        text=True,
        check=True,
    )
    verdicts: dict[str, dict[str, Any]] = json.loads(answer.stdout)
    return verdicts


@pytest.fixture(scope="module")
def verdicts() -> dict[str, dict[str, Any]]:
    return ask(queries())


@pytest.mark.parametrize("name", queries())
def test_the_language_service_accepts_the_query(verdicts: dict[str, dict[str, Any]], name: str) -> None:
    assert verdicts[name]["errors"] == []


@pytest.mark.parametrize("name", queries())
def test_the_local_engine_runs_the_query_and_agrees_on_the_columns(
    verdicts: dict[str, dict[str, Any]], name: str
) -> None:
    answer = Telemetry().query(queries()[name], (NOW - timedelta(days=3), NOW))
    assert dict(answer.columns) == verdicts[name]["columns"]


@pytest.mark.parametrize("check_id", CHECKS)
def test_a_check_s_result_has_the_columns_of_the_contract(
    verdicts: dict[str, dict[str, Any]], check_id: str
) -> None:
    check = CHECKS[check_id]
    columns = verdicts[check_id]["columns"]
    expected = {"Window": "datetime", "Value": "real", "Violations": "long", "TraceIds": "dynamic"}
    assert expected.items() <= columns.items()
    assert all(columns[key] == "string" for key in check.key)
    added = ADDED_COLUMNS.get(check.condition.kind, ())
    assert set(check.shows) - set(added) <= columns.keys()


def test_the_hashes_of_content_have_the_same_columns_however_they_are_asked_for(
    verdicts: dict[str, dict[str, Any]],
) -> None:
    expected = {"TraceId": "string", "SpanId": "string", "Hash": "string"}
    for form in ("content_hashes", "content_hashes as a table", "content asked alone"):
        assert verdicts[form]["columns"] == expected


def test_the_views_have_the_columns_that_checks_md_names(verdicts: dict[str, dict[str, Any]]) -> None:
    text = (Path(__file__).parents[2] / "docs" / "checks.md").read_text(encoding="utf-8")
    for view in ("spans", "runs"):
        table = text.split(f"<!-- columns of {view} -->")[1].split("<!-- end -->")[0]
        documented = dict(re.findall(r"^\| `(\w+)` \| (\w+) \|", table, re.MULTILINE))
        assert documented == verdicts[view]["columns"]


def test_the_language_service_refuses_what_is_wrong() -> None:
    refused = ask(
        {
            "syntax": "AppRequests | wherex true",
            "column": "AppRequests | project NoSuchColumn",
            "table": "NoSuchTable | count",
            "type": 'AppRequests | where DurationMs has "x" | extend Y = Name + 1',
        }
    )
    assert all(verdict["errors"] for verdict in refused.values())
