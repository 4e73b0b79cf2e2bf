"""Asks what the traces of the last hour say, by one question to the source."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from string import Template

from functions.errors import SourceError
from functions.release.gate_facts import LastHour, Unknown
from functions.traces.agents import Attributes
from functions.traces.kql import compose, instant, text
from functions.traces.lateness import TIME_MARGIN
from functions.traces.source import TraceSource

HOUR = timedelta(hours=1)
_WITHOUT = {
    "release": "WithoutRelease",
    "prompt_version": "WithoutPromptVersion",
    "environment": "WithoutEnvironment",
    "tenant": "WithoutTenant",
}
_KQL = Path(__file__).with_name("gate.kql")


def read_last_hour(
    source: TraceSource,
    attributes: Attributes,
    *,
    place: str,
    now: datetime,
    agents: Sequence[str],
    release: str | None,
) -> LastHour | Unknown:
    """Return what the runs say that were received within an hour before `now`.

    Args:
        source: What is asked.
        attributes: Which properties carry what.
        place: Where the source reads, see LastHour.
        now: The present instant, UTC.
        agents: The names of the agents that are released; all where none is given.
        release: The release that is to go out; None for any.
    """
    try:
        rows = source.query(
            question(attributes, now=now, agents=agents, release=release),
            since=now - HOUR - TIME_MARGIN,
            until=now + TIME_MARGIN,
        )
    except SourceError as error:
        return Unknown(error.message, error.next_step)
    (found,) = rows.records()
    counts = {name: int(value) for name, value in found.items() if isinstance(value, int | float)}
    if counts.keys() != {"Runs", "Sampled", "Content", *_WITHOUT.values()}:
        return Unknown("The answer about the last hour lacks numbers.", "Run the gate again.")
    return LastHour(
        runs=counts["Runs"],
        without={name: counts[column] for name, column in _WITHOUT.items()},
        with_content=counts["Content"],
        sampled=counts["Sampled"],
        place=place.lower(),
    )


def question(attributes: Attributes, *, now: datetime, agents: Sequence[str], release: str | None) -> str:
    """Return the KQL of the question. Arguments as for `read_last_hour`."""
    query = Template(_KQL.read_text("utf-8")).substitute(
        end=instant(now),
        agents=f" and Agent in ({', '.join(map(text, agents))})" if agents else "",
        release=f" and Release == {text(release)}" if release is not None else "",
    )
    return compose(
        query,
        attributes=attributes,
        tables=(),
        received_from=now - HOUR,
        received_to=now,
        every=HOUR,
        lookback=HOUR,
        settle=timedelta(0),
    )
