"""Compares two releases of an agent: facts of runs in, differences out. Pure.

A difference is called one where it is more than chance, all comparisons of an agent taken together, or where
it is one of kind: a tool never called before, a look-up never made any more. What is not recorded is no
difference.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from functions.evidence.controls.verdicts import Control, Result
from functions.release.compare_facts import Run
from functions.release.compare_measures import MEASURES, Called, Measure, Unit, tool_measures
from functions.release.compare_significance import (
    ALPHA,
    FEW_RUNS,
    adjusted,
    mean_chance,
    percentile,
    share_chance,
    tail_chance,
)
from functions.traces.agents import Agent, Agents


@dataclass(frozen=True, slots=True)
class Side:
    """What one release measured.

    Attributes:
        value: A share from 0 to 1, or an amount; None where no run says.
        runs: Runs that it rests on.
        hits: Those of them that count, for a share; None for an amount.
        unknown: Runs of which it is not known.
    """

    value: float | None
    runs: int
    hits: int | None
    unknown: int


@dataclass(frozen=True, slots=True)
class Line:
    """One measure of both releases.

    Attributes:
        measure: Its id, stable.
        title: What it is, as a phrase of ours.
        unit: Of both values.
        old: The release before.
        new: The release after.
        called: What it comes to.
        chance: p among all comparisons of the agent; None where nothing was tested.
        note: Why it is not comparable, or how small its numbers are; "" otherwise.
    """

    measure: str
    title: str
    unit: Unit
    old: Side
    new: Side
    called: Called
    chance: float | None
    note: str


@dataclass(frozen=True, slots=True)
class Kind:
    """A difference of kind: a tool or look-up that is on one side only.

    Attributes:
        measure: new_tool or lookup_gone.
        name: The tool. Hostile.
        called: worse, or different where nothing says that the tool is not approved.
        runs: Runs with it, on the side that has it.
        of: Runs of that side.
        without: Runs of the other side.
        note: What to mind; "" where nothing is.
    """

    measure: str
    name: str
    called: Called
    runs: int
    of: int
    without: int
    note: str


@dataclass(frozen=True, slots=True)
class Release:
    """What is known of the runs of one release.

    Attributes:
        runs: How many were compared.
        sampled: Those of them whose trace was sampled.
        gaps: Those of them of which other rows may be missing.
        model_calls: How many calls of models they made.
        without_usage: Those of them that succeeded and have no token counts.
        prompt_versions: Each to its runs. Hostile; "" where none is recorded.
        models: Each to its runs. Hostile.
        tools: Each to its runs. Hostile.
    """

    runs: int
    sampled: int
    gaps: int
    model_calls: int
    without_usage: int
    prompt_versions: Mapping[str, int]
    models: Mapping[str, int]
    tools: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class AgentComparison:
    """Both releases of one agent.

    Attributes:
        agent: Its name. Hostile.
        known: Whether agents.yaml names it.
        old: What is known of the release before.
        new: Of the release after.
        lines: All measures, in a fixed order.
        kinds: Differences of kind.
        unknown: What could not be said of kinds, as sentences of ours.
    """

    agent: str
    known: bool
    old: Release
    new: Release
    lines: tuple[Line, ...]
    kinds: tuple[Kind, ...]
    unknown: tuple[str, ...]

    @property
    def differences(self) -> tuple[Line | Kind, ...]:
        """All that is called one, those of kind first."""
        return (*self.kinds, *(one for one in self.lines if one.called in _DIFFERENCES))

    @property
    def worse(self) -> tuple[Line | Kind, ...]:
        """Those that are regressions."""
        return tuple(one for one in self.differences if one.called is Called.WORSE)


_DIFFERENCES = frozenset({Called.WORSE, Called.BETTER, Called.DIFFERENT})


def compare(runs: Iterable[Run], agents: Agents, old: str, new: str) -> tuple[AgentComparison, ...]:
    """Compare the releases agent by agent, in the order of their names.

    Args:
        runs: Of both releases.
        agents: What each owes.
        old: The release before.
        new: The release after.
    """
    by_agent: dict[str, tuple[list[Run], list[Run]]] = {}
    for run in runs:
        if run.release in (old, new):
            by_agent.setdefault(run.agent, ([], []))[run.release == new].append(run)
    return tuple(_compared(name, agents.by_name.get(name), *both) for name, both in sorted(by_agent.items()))


def _compared(name: str, agent: Agent | None, old: Sequence[Run], new: Sequence[Run]) -> AgentComparison:
    kinds, unknown = _kinds(agent, old, new)
    return AgentComparison(
        name, agent is not None, _release(old), _release(new), _lines(agent, old, new), kinds, unknown
    )


def _release(runs: Sequence[Run]) -> Release:
    return Release(
        runs=len(runs),
        sampled=sum(run.sampled for run in runs),
        gaps=sum(not run.whole and not run.sampled for run in runs),
        model_calls=sum(run.model_calls for run in runs),
        without_usage=sum(run.without_usage for run in runs),
        prompt_versions=_counted([run.prompt_version] for run in runs),
        models=_counted(run.models for run in runs),
        tools=_counted(run.tools for run in runs),
    )


def _counted(names: Iterable[Iterable[str]]) -> Mapping[str, int]:
    counts = Counter(name for some in names for name in some)
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _lines(agent: Agent | None, old: Sequence[Run], new: Sequence[Run]) -> tuple[Line, ...]:
    tested = [_line(measure, old, new) for measure in (*MEASURES, *tool_measures(agent))]
    places = [place for place, (line, _) in enumerate(tested) if line.chance is not None]
    lines = [line for line, _ in tested]
    chances = adjusted([lines[place].chance or 0.0 for place in places])
    for place, chance in zip(places, chances, strict=True):
        line, measure = tested[place]
        called = _called(line, measure) if chance < ALPHA else Called.NONE
        lines[place] = replace(line, chance=chance, called=called)
    return tuple(lines)


def _called(line: Line, measure: Measure) -> Called:
    """Say what a difference that is more than chance comes to."""
    if measure.more is Called.DIFFERENT or line.old.value is None or line.new.value is None:
        return Called.DIFFERENT
    if line.new.value > line.old.value:
        return measure.more
    return Called.BETTER if measure.more is Called.WORSE else Called.WORSE


def _line(measure: Measure, old: Sequence[Run], new: Sequence[Run]) -> tuple[Line, Measure]:
    """Return the measure with its p by itself, none where it is not tested."""
    chance, called, note = None, Called.NONE, ""
    (was, before), (now, after) = _taken(measure, old), _taken(measure, new)
    if not was or not now:
        called, note = Called.UNKNOWN, _why_unknown(before, after)
    elif measure.tail:
        chance = tail_chance(was, now)
    elif all(isinstance(one, bool) for one in (*was, *now)):
        chance = share_chance([bool(one) for one in was], [bool(one) for one in now])
    elif min(len(was), len(now)) < FEW_RUNS:
        called, note = Called.UNKNOWN, f"fewer than {FEW_RUNS} runs: too few to compare a mean"
    else:
        chance = mean_chance(was, now)
    if was and now and not note and min(len(was), len(now)) < FEW_RUNS:
        note = f"fewer than {FEW_RUNS} runs: only a large difference would show"
    return Line(measure.id, measure.title, measure.unit, before, after, called, chance, note), measure


def _why_unknown(before: Side, after: Side) -> str:
    lacking = [which for which, side in (("old", before), ("new", after)) if not side.runs]
    of = "either release" if len(lacking) == 2 else f"the {lacking[0]} release"
    return f"not known of {of}" if before.unknown or after.unknown else f"no such run of {of}"


def _taken(measure: Measure, runs: Sequence[Run]) -> tuple[list[float], Side]:
    facts = [measure.of(run) for run in runs if measure.about(run)]
    values: list[float] = [one for one in facts if one is not None]
    unknown = len(facts) - len(values)
    if not values:
        return values, Side(None, 0, None, unknown)
    if measure.tail:
        return values, Side(percentile(values), len(values), None, unknown)
    shares = all(isinstance(one, bool) for one in values)
    return values, Side(fmean(values), len(values), int(sum(values)) if shares else None, unknown)


def _kinds(
    agent: Agent | None, old: Sequence[Run], new: Sequence[Run]
) -> tuple[tuple[Kind, ...], tuple[str, ...]]:
    found: list[Kind] = []
    unknown: list[str] = []
    if not old or not new:
        return (), ()
    before = {name for run in old for name in run.tools}
    fresh = sorted({name for run in new for name in run.tools} - before - {""})
    if fresh and not _all_known(old):
        unknown.append(
            f"{len(fresh)} tools were called in the new release only; rows of the old one may be missing, so "
            "that it is not known whether it never called them."
        )
    elif fresh:
        found += [_new_tool(agent, name, old, new) for name in fresh]
    made = {name for run in old for name in run.made}
    gone = sorted(made - {name for run in new for name in run.made})
    for name in gone:
        # Owed and not made is the control's word; that nobody owed it is no look-up dropped.
        owed = [run for run in new if run.verdicts.get(Control.REQUIRED_LOOKUPS) is Result.FAIL]
        if not _all_known(new):
            unknown.append(
                "A look-up of the old release is not seen in the new one, rows of which may be missing."
            )
        elif owed:
            runs = sum(name in run.made for run in old)
            found.append(Kind("lookup_gone", name, Called.WORSE, runs, len(old), len(new), _few(old, new)))
    return tuple(found), tuple(dict.fromkeys(unknown))


def _new_tool(agent: Agent | None, name: str, old: Sequence[Run], new: Sequence[Run]) -> Kind:
    approved = agent.approved_tools if agent else None
    called = Called.DIFFERENT if approved is None or name in approved else Called.WORSE
    runs = sum(name in run.tools for run in new)
    return Kind("new_tool", name, called, runs, len(new), len(old), _few(old, new))


def _all_known(runs: Sequence[Run]) -> bool:
    return all(run.whole and "" not in run.tools for run in runs)


def _few(old: Sequence[Run], new: Sequence[Run]) -> str:
    return f"fewer than {FEW_RUNS} runs on a side" if min(len(old), len(new)) < FEW_RUNS else ""
