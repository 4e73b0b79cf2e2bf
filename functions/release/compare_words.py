"""What a comparison says in words and numbers of ours; whoever writes adds names out of traces. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from functions.alerts.escaping import cut, plain
from functions.release.compare import AgentComparison, Kind, Line, Release, Side
from functions.release.compare_measures import Called, Unit
from functions.release.compare_significance import ALPHA, FEW_RUNS

QUESTION = ("lookups_kept", "documents_retrieved", "documents_approved")
"""The measures that answer: does it still retrieve the approved rules before it recommends?"""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two releases, compared.

    Attributes:
        old: The release before, as asked.
        new: The release after.
        since: When the first run may have begun, UTC.
        until: When it was asked, UTC.
        agents: Each agent's comparison.
        currency: Of costs.
        prices_as_of: The price list's date.
    """

    old: str
    new: str
    since: datetime
    until: datetime
    agents: tuple[AgentComparison, ...]
    currency: str
    prices_as_of: date

    @property
    def differences(self) -> int:
        """How many are called."""
        return sum(len(agent.differences) for agent in self.agents)

    @property
    def worse(self) -> int:
        """Those of them for the worse."""
        return sum(len(agent.worse) for agent in self.agents)

    def body(self) -> dict[str, Any]:
        """Return it as a JSON value; shares from 0 to 1, milliseconds, money in `currency`."""
        return {
            "old": _name(self.old),
            "new": _name(self.new),
            "since": self.since,
            "until": self.until,
            "alpha": ALPHA,
            "currency": self.currency,
            "prices_as_of": self.prices_as_of,
            "differences": self.differences,
            "worse": self.worse,
            "agents": [_agent(agent) for agent in self.agents],
        }


METHOD = (
    (
        "A difference is called one where chance alone would give one as large, in any measure of the agent, "
        f"in fewer than {ALPHA:.0%} of comparisons of equal releases. Shares and the p95 are compared by "
        f"Fisher's exact test, means by Welch's t-test ({FEW_RUNS} runs or more on each side), both "
        "two-sided; p is adjusted by Holm's method."
    ),
    (
        "A tool never called before, and a required look-up never made any more, are differences of kind, "
        "however few the runs: a rare tool may be new by chance."
    ),
    (
        "Look-ups, tools, documents and freshness are what the controls say of each run, by the rules "
        "configured now, for both releases alike. A run of which that is not known never counts as kept."
    ),
    "What is not recorded is no difference, and no proof that there is none.",
)
"""How it was compared."""


def headline(comparison: AgentComparison) -> str:
    """Return what an agent's comparison comes to, in a sentence."""
    if not comparison.old.runs or not comparison.new.runs:
        which = "new" if comparison.old.runs else "old"
        return f"Not comparable: no run of the {which} release."
    found, worse = len(comparison.differences), len(comparison.worse)
    few = f" {SMALL}" if min(comparison.old.runs, comparison.new.runs) < FEW_RUNS else ""
    if not found:
        return f"No difference is more than chance.{few}"
    return f"{_counted(found, 'difference')}, {worse or 'none'} for the worse.{few}"


SMALL = f"Small numbers: fewer than {FEW_RUNS} runs of a release; only a large difference would show."


def kind_title(kind: Kind) -> str:
    """Return what a difference of kind is; the tool's name belongs behind it."""
    return "A tool never called before" if kind.measure == "new_tool" else "A look-up never made any more"


def kind_counts(kind: Kind) -> str:
    """Return how many runs it rests on."""
    with_it, without = ("new", "old") if kind.measure == "new_tool" else ("old", "new")
    told = f"in {kind.runs:,} of {kind.of:,} {with_it} runs, in none of {kind.without:,} {without} ones"
    return f"{told}; {kind.note}" if kind.note else told


def shown(side: Side, unit: Unit, currency: str) -> str:
    """Return a value with its unit."""
    if side.value is None:
        return "—"
    match unit:
        case Unit.SHARE:
            return f"{100 * side.value:.1f} %"
        case Unit.MILLISECONDS:
            return f"{side.value:,.0f} ms" if side.value < 10_000 else f"{side.value / 1000:,.1f} s"
        case Unit.TOKENS:
            return f"{side.value:,.0f}"
        case Unit.MONEY:
            return f"{currency} {side.value:.6f}"


def basis(side: Side) -> str:
    """Return what a value rests on: "47 of 55 runs (5 not known)"."""
    runs = (
        _counted(side.runs, "run") if side.hits is None else f"{side.hits:,} of {_counted(side.runs, 'run')}"
    )
    return f"{runs}, {side.unknown:,} not known" if side.unknown else runs


def called(line: Line) -> str:
    """Return what a measure comes to: "worse", "no difference"."""
    return line.called.value


def chance(line: Line) -> str:
    """Return its p as shown."""
    if line.chance is None:
        return "—"
    return "< 0.001" if line.chance < 0.001 else f"{line.chance:.3f}"


def question_sentences(comparison: AgentComparison, currency: str) -> Iterator[str]:
    """Yield what answers the question of the approved rules, a sentence a measure."""
    lines = {line.measure: line for line in comparison.lines}
    for measure in QUESTION:
        line = lines[measure]
        if line.called is Called.UNKNOWN:
            yield f"{line.title}: not comparable, {line.note}."
        else:
            told = f"{shown(line.old, line.unit, currency)} ({basis(line.old)}), then "
            told += f"{shown(line.new, line.unit, currency)} ({basis(line.new)})"
            same = "no difference beyond chance" if line.called is Called.NONE else line.called.value
            yield f"{line.title}: {told}: {same}."


def sureness(release: Release) -> str:
    """Return how sure what is said of a release is."""
    missing = (
        f"{release.without_usage:,} of {_counted(release.model_calls, 'model call')} without token counts"
    )
    runs = f"{_counted(release.runs, 'run')}; {release.sampled:,} of them sampled"
    return f"{runs}; {release.gaps:,} of which rows may be missing; {missing}"


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _agent(its: AgentComparison) -> dict[str, Any]:
    return {
        "agent": _name(its.agent),
        "configured": its.known,
        "headline": headline(its),
        "old": _release(its.old),
        "new": _release(its.new),
        "kinds": [
            {
                "measure": one.measure,
                "name": _name(one.name),
                "called": one.called.value,
                "runs": one.runs,
                "of": one.of,
                "without": one.without,
                "note": one.note,
            }
            for one in its.kinds
        ],
        "measures": [
            {
                "measure": one.measure,
                "title": one.title,
                "unit": one.unit.value,
                "old": _side(one.old),
                "new": _side(one.new),
                "called": one.called.value,
                "p": one.chance,
                "note": one.note,
            }
            for one in its.lines
        ],
        "not_known": list(its.unknown),
    }


def _side(side: Side) -> dict[str, Any]:
    return {"value": side.value, "runs": side.runs, "hits": side.hits, "not_known": side.unknown}


def _release(its: Release) -> dict[str, Any]:
    return {
        "runs": its.runs,
        "sampled": its.sampled,
        "gaps": its.gaps,
        "model_calls": its.model_calls,
        "without_usage": its.without_usage,
        "prompt_versions": {_name(name): runs for name, runs in its.prompt_versions.items()},
        "models": {_name(name): runs for name, runs in its.models.items()},
        "tools": {_name(name): runs for name, runs in its.tools.items()},
    }


def _name(name: str) -> str:
    """Return a name that steers no terminal that shows the JSON."""
    return cut(plain(name[:4000]), 200)
