"""Reads what is recorded of the runs of two releases: quantities by an own question, verdicts by controls.

Whether look-ups were kept, tools and documents approved and data fresh is not decided here: it is what the
controls say of each run (functions/evidence/controls), by the rules that are configured now, for both
releases alike. So a comparison and a bundle tell one truth.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from string import Template
from typing import Any

from functions.costs.prices import Prices, provisioned_on
from functions.costs.usage import Usage, cost, rates, usage
from functions.errors import ResultTooLarge
from functions.evidence.controls.controls import judge
from functions.evidence.controls.facts import RunFacts
from functions.evidence.controls.run_facts import LATEST, LOOKBACK, MOST_FACTS, read_facts
from functions.evidence.controls.verdicts import Control, Result
from functions.traces.agents import Agents
from functions.traces.kql import Literal, compose, datatable, instant, text
from functions.traces.membership import Membership
from functions.traces.slices import Slice
from functions.traces.source import TraceSource

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Run:
    """What is recorded of one run. Names in it are hostile.

    Attributes:
        agent: As agents.yaml names it.
        release: AppVersion of its own span.
        prompt_version: "" where none is recorded.
        success: Whether it ended well; None where that is not recorded.
        duration_ms: How long it took, likewise.
        sampled: Whether rows of its trace stand for others, which may be missing.
        whole: Whether nothing says that steps of it may be missing.
        verdicts: What each control says of it.
        tools: Tools called; "" is one whose name is not recorded.
        made: Required look-ups that it made with success.
        tool_failed: Whether a call of a tool failed.
        retried: Whether a tool was called again after it had failed.
        retrieved: Whether a search brought documents before the last call of a model, which gives the
            recommendation; None where a search did not say.
        models: Models called.
        model_calls: How many calls there were.
        without_usage: Those of them that succeeded, and whose tokens are not known.
        input_tokens: Prompt tokens of the others, cached ones among them.
        cached_tokens: Prompt tokens served from the provider's cache.
        output_tokens: Completion tokens.
        cost: In the price list's currency; None where tokens or a price are not known, or the deployment is
            paid by the hour.
    """

    agent: str
    release: str
    prompt_version: str = ""
    success: bool | None = True
    duration_ms: float | None = None
    sampled: bool = False
    whole: bool = True
    verdicts: Mapping[Control, Result] = field(default_factory=dict)
    tools: frozenset[str] = frozenset()
    made: frozenset[str] = frozenset()
    tool_failed: bool = False
    retried: bool = False
    retrieved: bool | None = False
    models: frozenset[str] = frozenset()
    model_calls: int = 0
    without_usage: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    cost: Decimal | None = None


def read_runs(
    source: TraceSource,
    agents: Agents,
    prices: Prices,
    releases: Sequence[str],
    *,
    since: datetime,
    until: datetime,
    agent: str = "",
) -> list[Run]:
    """Return what is recorded of the runs of some releases.

    Args:
        source: Whom to ask.
        agents: How the telemetry is read, and what each agent owes.
        prices: The price list.
        releases: Their names, as AppVersion has them.
        since: When the first run may have begun, UTC.
        until: The present instant, UTC: rows received from then on are left out.
        agent: Only its runs; "": those of all.

    Raises:
        ResultTooLarge: A millisecond of it has too many facts.
        SourceError: The source did not answer completely.
    """
    named = ", ".join(map(text, releases))
    membership = Membership("", f"where AppVersion in ({named})")
    part = Slice("runs", membership, since, until, since, until)
    return list(_read(_Asking(source, agents, prices, tuple(releases), agent, until), part))


@dataclass(frozen=True, slots=True)
class _Asking:
    source: TraceSource
    agents: Agents
    prices: Prices
    releases: tuple[str, ...]
    agent: str
    cutoff: datetime


def _read(asking: _Asking, part: Slice) -> Iterable[Run]:
    try:
        return _read_at_once(asking, part)
    except ResultTooLarge:
        halves = part.halves()
        if halves is None:
            raise
        return [run for half in halves for run in _read(asking, half)]


def _read_at_once(asking: _Asking, part: Slice) -> list[Run]:
    kql = runs_kql(asking.agents, asking.prices, asking.releases, part, asking.agent)
    answer = asking.source.query(kql, since=part.since - LOOKBACK, until=part.until + LATEST)
    if len(answer.rows) > MOST_FACTS:
        raise ResultTooLarge(
            f"There are more than {MOST_FACTS:,} facts of runs in one stretch of time.",
            next_step="Ask for a shorter stretch.",
        )
    if not answer.rows:
        return []
    facts = read_facts(asking.source, part, asking.agents, [(None, None)], cutoff=asking.cutoff)
    judged = {(one.trace_id, one.run_id): one for one in facts}
    gathered: defaultdict[tuple[str, str], dict[str, list[Record]]] = defaultdict(lambda: defaultdict(list))
    for record in answer.records():
        gathered[str(record["TraceId"]), str(record["RunId"])][str(record["Fact"])].append(record)
    return [
        _run(asking, judged[key], one)
        for key, one in sorted(gathered.items())
        if one["run"] and key in judged
    ]


def runs_kql(agents: Agents, prices: Prices, releases: Sequence[str], part: Slice, agent: str = "") -> str:
    """Return the text of the question about quantities; see `read_runs`."""
    named = ", ".join(map(text, releases))
    only = f"\n  | where Agent == {text(agent)}" if agent else ""
    query = _template().substitute(releases=named, agent=only, most=MOST_FACTS + 1)
    bounds = (
        f"let SliceFrom = {instant(part.received_from)};",
        f"let SliceTo = {instant(part.received_until)};",
        f"let Since = {instant(part.since)};",
        f"let Until = {instant(part.until)};",
        f"{part.membership.lets}let SliceTraces = materialize(union",
        ",\n".join(
            f"  ({table} | extend Received = ingestion_time()"
            " | where Received >= SliceFrom and Received < SliceTo"
            f" | {part.membership.condition} | project OperationId)"
            for table in ("AppRequests", "AppDependencies")
        ),
        "  | distinct OperationId);",
    )
    billing: list[tuple[Literal, ...]] = [(name, "batch") for name in prices.batch_deployments]
    billing += [(name, "provisioned") for name in sorted({one.deployment for one in prices.provisioned})]
    return compose(
        query,
        attributes=agents.attributes,
        tables=(
            "\n".join(bounds),
            datatable("deployments", {"Deployment": "string", "Billing": "string"}, billing),
        ),
        received_from=part.received_from,
        received_to=part.received_until,
        every=timedelta(days=1),
        lookback=LOOKBACK,
        settle=LATEST,
        among="SliceTraces",
    )


def _run(asking: _Asking, facts: RunFacts, of_kind: Mapping[str, list[Record]]) -> Run:
    own = of_kind["run"][0]
    steps = of_kind["steps"][0] if of_kind["steps"] else {}
    calls = [usage(record, "") for record in of_kind["calls"]]
    agent = asking.agents.by_name.get(facts.agent)
    owed = {lookup.tool for lookup in agent.required_lookups} if agent else set()
    trace = facts.trace
    return Run(
        agent=facts.agent,
        release=str(own["Release"] or ""),
        prompt_version=str(own["PromptVersion"] or ""),
        success=facts.success,
        duration_ms=facts.duration_ms,
        sampled=bool(trace.sampled),
        whole=not (trace.sampled or trace.orphans or trace.loose),
        verdicts={
            one.control: one.result for one in judge(facts, agent, lambda _, name: name, cutoff=asking.cutoff)
        },
        tools=frozenset(name for one in facts.tools for name in one.names),
        made=frozenset(
            one.names[0] for one in facts.tools if one.known and one.succeeded and one.names[0] in owed
        ),
        tool_failed=bool(steps.get("FailedCalls")),
        retried=bool(steps.get("Retried")),
        retrieved=_retrieved(steps),
        models=frozenset(one.model for one in calls if one.model),
        model_calls=sum(one.calls for one in calls),
        without_usage=sum(one.without_usage for one in calls),
        input_tokens=sum(one.input_tokens for one in calls),
        cached_tokens=sum(one.cached_tokens for one in calls),
        output_tokens=sum(one.output_tokens for one in calls),
        cost=_cost(calls, asking.prices),
    )


def _retrieved(steps: Record) -> bool | None:
    if steps.get("Found"):
        return True
    return None if steps.get("Unsaid") else False


def _cost(calls: Iterable[Usage], prices: Prices) -> Decimal | None:
    total = Decimal(0)
    for one in calls:
        at = rates(prices, one)
        if at is None or one.without_usage or provisioned_on(prices, one.deployment, one.day) is not None:
            return None
        total += cost(one, at)
    return total


@cache
def _template() -> Template:
    return Template((Path(__file__).parent / "compare.kql").read_text(encoding="utf-8"))
