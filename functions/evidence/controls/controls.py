"""Holds a run to what was agreed: each control passes, fails or is not evaluable, and says why. Pure.

A missing fact never passes. What was recorded may fail a control even where something else is missing; that
something did not happen is believed only where nothing of the trace is known to be missing.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from functions.evidence.controls.facts import MOST_LISTS, RunFacts, ToolCalls
from functions.evidence.controls.verdicts import NO_RULE, Control, Result, Verdict
from functions.traces.agents import Agent, RequiredLookup
from functions.traces.documents import listed_documents

SETTLE = timedelta(minutes=5)
"""How long after a run's own span rows of it may still arrive; as in the checks."""

AHEAD_MINUTES = 5.0
"""Data dated later than this after the call that brought it has no believable age."""

_NAMED = 5
"""Names in a reason; the others are counted."""

Name = Callable[[str, str], str]
"""Gives what may be shown for a hostile name of a kind: tool, document."""


class _Run(NamedTuple):
    """What a rule looks at; `gap` says why rows of the run may be missing, "" where nothing says so."""

    facts: RunFacts
    agent: Agent
    name: Name
    gap: str


class _Found(NamedTuple):
    """What speaks against a control, what is not known, and what there is to say without either."""

    against: list[str]
    unknown: list[str]
    otherwise: str


class _NoRule(NamedTuple):
    """The control has nothing to hold the run to: which key of agents.yaml is not there."""

    reason: str


def judge(facts: RunFacts, agent: Agent | None, name: Name, *, cutoff: datetime) -> tuple[Verdict, ...]:
    """Return what each control says about a run.

    Args:
        facts: What is recorded of it.
        agent: What its agent owed then; None where agents.yaml did not name it.
        name: Makes names safe to show.
        cutoff: Rows received from then on were not read, UTC.
    """
    if agent is None:
        missing = "agents.yaml does not name this agent" if facts.agent else "which agent ran is not recorded"
        return not_evaluable(missing)
    run = _Run(facts, agent, name, _gap(facts, cutoff))
    return tuple(_verdict(control, rule(run), run.gap) for control, rule in _RULES.items())


def not_evaluable(reason: str) -> tuple[Verdict, ...]:
    """Return that none of the controls can be judged, for one reason."""
    return tuple(Verdict(control, Result.NOT_EVALUABLE, reason) for control in Control)


def notes(facts: RunFacts) -> tuple[str, ...]:
    """Return what else is missing of a run, though no control needs it."""
    found = []
    if facts.usage_missing:
        found.append(f"{facts.usage_missing} of {facts.model_calls} model calls without token counts")
    if facts.trace.sampled:
        found.append(f"sampled: {_counted(facts.trace.sampled, 'row')} of the trace for more than one each")
    return tuple(found)


def _verdict(control: Control, found: _Found | _NoRule, gap: str) -> Verdict:
    if isinstance(found, _NoRule):
        return Verdict(control, Result.NOT_EVALUABLE, f"{NO_RULE}{found.reason}")
    if found.against:
        return Verdict(control, Result.FAIL, "; ".join(found.against))
    unknown = [*found.unknown, *([gap] if gap and control is not Control.LATENCY else [])]
    if unknown:
        return Verdict(control, Result.NOT_EVALUABLE, "; ".join(dict.fromkeys(unknown)))
    return Verdict(control, Result.PASS, found.otherwise)


def _gap(facts: RunFacts, cutoff: datetime) -> str:
    """Return why rows of the run may be missing; "" where nothing says so."""
    trace = facts.trace
    if trace.sampled:
        return "rows of the trace were sampled, so that others may be missing"
    if trace.orphans:
        return f"{_counted(trace.orphans, 'step')} of the trace lack the span above: others may be missing"
    if trace.loose:
        return f"{_counted(trace.loose, 'step')} of the trace belong to no run known"
    if facts.received > cutoff - SETTLE:
        return "it was received so late before the request that rows of it may still arrive"
    return ""


_WITHOUT_TOOLS = frozenset({"", "azure_ai"})
"""Dialects whose spans tell of no tool; docs/dialects.md."""


def _unrecorded(facts: RunFacts) -> str:
    """Return why calls of tools may not be recorded; "" where nothing says so."""
    calls = sum(calls.calls for calls in facts.tools)
    if facts.tool_requests > calls:
        asked = _counted(facts.tool_requests, "time")
        return f"the model asked for tools {asked}, and {_counted(calls, 'call')} of a tool were recorded"
    if facts.dialect in _WITHOUT_TOOLS and not calls:
        return "telemetry of this kind does not record calls of tools"
    return ""


def _unknown_calls(facts: RunFacts) -> list[str]:
    """Return why it may not be known which tools were called."""
    nameless = any("" in calls.names for calls in facts.tools)
    found = (_unrecorded(facts), "a tool was called whose name is not recorded" if nameless else "")
    return [reason for reason in found if reason]


def _approved_tools(run: _Run) -> _Found | _NoRule:
    facts, agent = run.facts, run.agent
    if agent.approved_tools is None:
        return _NoRule("approved_tools of this agent names no tools")
    called = {tool: calls for calls in facts.tools for tool in calls.names}
    others = sorted(called.keys() - {*agent.approved_tools, ""})
    against = [f"called without approval: {_names(others, run.name, 'tool')}"] if others else []
    count = sum(calls.calls for calls in facts.tools)
    return _Found(
        against, _unknown_calls(facts), f"{_counted(count, 'call')}" if count else "no tool was called"
    )


def _required_lookups(run: _Run) -> _Found | _NoRule:
    facts, agent = run.facts, run.agent
    if not agent.required_lookups:
        return _NoRule("required_lookups of this agent names none")
    if facts.success is None:
        return _Found([], ["whether the run gave an answer is not recorded"], "")
    if not facts.success:
        return _Found([], [], "the run failed, and so gave no answer")
    found, made = _Found([], [], ""), []
    calls, gap = _by_tool(facts), run.gap or "; ".join(_unknown_calls(facts))
    for lookup in agent.required_lookups:
        shown, made_of = run.name("tool", lookup.tool), calls.get(lookup.tool)
        missing, owed = _owed(lookup, run, calls, gap)
        if not owed:
            continue
        if made_of and made_of.succeeded:
            made.append(shown)
        elif missing or gap:
            found.unknown.append(missing or gap)
        elif made_of and made_of.unsaid:
            found.unknown.append(f"whether {shown} succeeded is not recorded")
        else:
            found.against.append(f"look-up {shown} {'called, but failed' if made_of else 'not called'}")
    return found._replace(otherwise=f"made: {', '.join(made)}" if made else "none was owed")


def _owed(lookup: RequiredLookup, run: _Run, calls: Mapping[str, ToolCalls], gap: str) -> tuple[str, bool]:
    """Return what has to be known first ("" where all is), and whether it is owed as far as that is known."""
    facts = run.facts
    conditions = (
        ("the intent", facts.intent, lookup.intents),
        ("the request's name", facts.route, lookup.routes),
        (f"the dimension {lookup.dimension}", facts.dimensions.get(lookup.dimension, ""), lookup.values),
    )
    if any(wanted and value and value not in wanted for _, value, wanted in conditions):
        return "", False
    if lookup.after_tool and lookup.after_tool not in calls:
        return gap, bool(gap)
    missing = [what for what, value, wanted in conditions if wanted and not value]
    shown = run.name("tool", lookup.tool)
    return f"{missing[0]} is not recorded, which says whether {shown} is owed" if missing else "", True


def _data_fresh(run: _Run) -> _Found | _NoRule:
    facts, agent = run.facts, run.agent
    if not agent.freshness:
        return _NoRule("freshness of this agent names no tool")
    found, ages = _Found([], _unknown_calls(facts), ""), []
    calls = _by_tool(facts)
    for limit in agent.freshness:
        made = calls.get(limit.tool)
        if made is None:
            continue
        shown, oldest, newest = run.name("tool", limit.tool), made.oldest_minutes, made.newest_minutes
        if oldest is not None and oldest > limit.max_age_minutes:
            found.against.append(
                f"data of tool {shown} {_age(oldest)} old (at most {_age(limit.max_age_minutes)})"
            )
        if made.undated:
            found.unknown.append(f"{shown} did not say how old its data is")
        if made.unsaid:
            found.unknown.append(f"whether {shown} succeeded is not recorded")
        if newest is not None and newest < -AHEAD_MINUTES:
            found.unknown.append(f"data of tool {shown} is dated after the call")
        if oldest is not None:
            ages.append(f"data of tool {shown} {_age(max(oldest, 0.0))} old")
    return found._replace(otherwise="; ".join(ages) or "no tool with a limit answered")


def _approved_documents(run: _Run) -> _Found | _NoRule:
    facts, agent = run.facts, run.agent
    if agent.approved_documents is None:
        return _NoRule("approved_documents of this agent names none")
    used = sorted({one for text in facts.documents.lists for one in listed_documents(text)})
    others = [one for one in used if not _approves(agent.approved_documents, one)]
    unknown = [reason for reason in [_unrecorded(facts)] if reason]
    if facts.documents.unnamed:
        unknown.append("a search did not say which documents it found")
    if len(facts.documents.lists) > MOST_LISTS:
        unknown.append(f"more than {MOST_LISTS} lists of documents were found")
    against = [f"used without approval: {_names(others, run.name, 'document')}"] if others else []
    return _Found(against, unknown, _counted(len(used), "document") if used else "no document was found")


def _latency(run: _Run) -> _Found | _NoRule:
    facts, agent = run.facts, run.agent
    limit, took = agent.run_p95_ms, facts.duration_ms
    if limit is None:
        return _NoRule("objectives.run_p95_ms of this agent is not set")
    if took is None:
        return _Found([], ["how long it took is not recorded"], "")
    told = f"took {_seconds(took)}, the objective is {_seconds(limit)}"
    return _Found([told] if took > limit else [], [], told)


def _nothing_exposed(run: _Run) -> _Found | _NoRule:
    facts, agent = run.facts, run.agent
    if agent.content_allowed:
        return _NoRule("content_allowed of this agent permits content")
    # Names of attributes are those of our own list.
    against = [f"{attribute} in {_counted(rows, 'row')}" for attribute, rows in sorted(facts.exposed.items())]
    unknown = ["content lies in rows of the trace that belong to no run known"] if facts.trace.exposed else []
    return _Found(against, unknown, "no attribute with content")


def _correlation(run: _Run) -> _Found | _NoRule:
    facts, agent = run.facts, run.agent
    against = [f"no {field} is recorded" for field in agent.required_fields if field not in facts.carried]
    if not facts.well_formed:
        against.append("the conversation id does not have the form agreed")
    if facts.trace.orphans:
        against.append(f"the span above {_counted(facts.trace.orphans, 'step')} is missing")
    unknown = [] if facts.trace.tops else ["the first span of the trace is missing"]
    carried = ", ".join(agent.required_fields)
    return _Found(against, unknown, f"every step has its parent{f'; {carried} recorded' if carried else ''}")


_RULES: Mapping[Control, Callable[[_Run], _Found | _NoRule]] = {
    Control.APPROVED_TOOLS: _approved_tools,
    Control.REQUIRED_LOOKUPS: _required_lookups,
    Control.DATA_FRESH: _data_fresh,
    Control.APPROVED_DOCUMENTS: _approved_documents,
    Control.LATENCY: _latency,
    Control.NOTHING_EXPOSED: _nothing_exposed,
    Control.CORRELATION: _correlation,
}


def _by_tool(facts: RunFacts) -> Mapping[str, ToolCalls]:
    return {calls.names[0]: calls for calls in facts.tools if calls.known}


def _approves(approved: Iterable[str], document: str) -> bool:
    return any(
        document.startswith(one.removesuffix("*")) if one.endswith("*") else document == one
        for one in approved
    )


def _names(values: list[str], name: Name, kind: str) -> str:
    shown = dict.fromkeys(name(kind, value) for value in values[:_NAMED])
    more = len(values) - _NAMED
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


def _counted(count: int, thing: str) -> str:
    return f"{count} {thing}{'' if count == 1 else 's'}"


def _age(minutes: float) -> str:
    if minutes < 120:
        return f"{_short(minutes, 1)} min"
    return f"{_short(minutes / 60, 1)} h" if minutes < 2 * 24 * 60 else f"{_short(minutes / 1440, 1)} days"


def _seconds(milliseconds: float) -> str:
    return f"{_short(milliseconds / 1000, 3)} s"


def _short(value: float, digits: int) -> str:
    return f"{value:.{digits}f}".rstrip("0").rstrip(".")
