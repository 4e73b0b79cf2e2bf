"""Writes a comparison as Markdown for a pull request or a release ticket. Pure."""

from collections.abc import Iterator, Mapping

from functions.alerts.escaping import escape
from functions.release.compare import AgentComparison, Kind, Line
from functions.release.compare_words import (
    METHOD,
    Comparison,
    basis,
    called,
    chance,
    headline,
    kind_counts,
    kind_title,
    question_sentences,
    shown,
    sureness,
)

_MOST_NAMES = 20


def markdown(comparison: Comparison) -> str:
    """Return the whole text; all that traces or callers bring is escaped."""
    return "\n".join(_lines(comparison)) + "\n"


def _lines(its: Comparison) -> Iterator[str]:
    old, new = _name(its.old), _name(its.new)
    yield f"# Release {new} compared with {old}"
    yield ""
    yield (
        f"Runs that began from {its.since:%Y-%m-%d %H:%M} to {its.until:%Y-%m-%d %H:%M} UTC. Prices in "
        f"{_name(its.currency)} of {its.prices_as_of.isoformat()}."
    )
    for agent in its.agents:
        yield ""
        yield f"## Agent {_name(agent.agent)}"
        yield ""
        yield f"**{headline(agent)}**"
        yield ""
        yield from _differences(agent, its.currency)
        if agent.old.runs and agent.new.runs:
            yield from _measures(agent, its)
        yield from _sure(agent, old, new)
    yield ""
    yield "## How it was compared"
    for paragraph in METHOD:
        yield ""
        yield paragraph


def _differences(agent: AgentComparison, currency: str) -> Iterator[str]:
    for one in agent.differences:
        yield f"- {difference(one, currency)}"
    if agent.differences:
        yield ""
    yield "Does it still retrieve the approved rules before it recommends?"
    yield ""
    for sentence in question_sentences(agent, currency):
        yield f"- {_ours(sentence)}"
    for sentence in agent.unknown:
        yield f"- Not known: {sentence}"
    yield ""


def difference(one: Line | Kind, currency: str) -> str:
    """Return one difference as a line of Markdown."""
    if isinstance(one, Kind):
        return f"**{one.called.value}**: {kind_title(one)}: {_name(one.name)}, {kind_counts(one)}"
    values = f"{shown(one.old, one.unit, currency)} → {shown(one.new, one.unit, currency)}"
    return f"**{one.called.value}**: {_ours(one.title)}: {values} (p {_chance(one)})"


def _measures(agent: AgentComparison, its: Comparison) -> Iterator[str]:
    yield f"| measure | {_name(its.old)} | {_name(its.new)} | result | p |"
    yield "|---|---|---|---|---|"
    for line in agent.lines:
        values = (f"{shown(side, line.unit, its.currency)} ({basis(side)})" for side in (line.old, line.new))
        result = f"{called(line)}; {line.note}" if line.note else called(line)
        yield f"| {_ours(line.title)} | {' | '.join(values)} | {result} | {_chance(line)} |"
    yield ""


def _sure(agent: AgentComparison, old: str, new: str) -> Iterator[str]:
    for name, release in ((old, agent.old), (new, agent.new)):
        yield f"- {name}: {sureness(release)}. Prompt versions: {_names(release.prompt_versions)}. "
        yield f"  Models: {_names(release.models)}. Tools: {_names(release.tools)}."


def _names(counts: Mapping[str, int]) -> str:
    told = [f"{_name(name)} {runs:,}" for name, runs in list(counts.items())[:_MOST_NAMES]]
    more = len(counts) - _MOST_NAMES
    return ", ".join([*told, f"{more} more"] if more > 0 else told) or "none recorded"


def _chance(line: Line) -> str:
    return chance(line).replace("<", "&lt;")


def _ours(text: str) -> str:
    """Return a text of ours that may hold a configured tool's name."""
    return text.replace("|", "∣").replace("_", r"\_")  # noqa: RUF001 - a look-alike is the point


def _name(text: str) -> str:
    return escape(text).replace("|", "∣")  # noqa: RUF001 - as above
