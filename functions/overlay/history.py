"""Says which configuration was valid at an instant: those that came into force are kept, whole and by hash.

Which of them came into force, and when, is in the document `configuration`. A run from before the first is
judged by one only if its agents.yaml states, under `since`, that it holds since then.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from itertools import zip_longest
from pathlib import Path

from functions.configuration import ConfigText, Layer, agents_kept_as
from functions.errors import ConfigurationError
from functions.overlay.basis import Basis
from functions.overlay.standing import InForce, Standing, standing_from_json
from functions.storage.documents import Documents
from functions.traces.agents import Agents

STANDING = "configuration"
WHOLE = "configurations/"
"""Document names are this and the configuration's hash."""


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of time in which one configuration was valid, or none is known.

    Attributes:
        begins: UTC; None where it has no beginning.
        ends: Exclusive, UTC; None where it has not ended.
        configuration: Its hash; "" where none is known.
        basis: How it is known.
        agents: What agents owed; None where none is known, or what is kept of it is not what was in force.
    """

    begins: datetime | None
    ends: datetime | None
    configuration: str
    basis: Basis
    agents: Agents | None


class History:
    """The configurations that came into force.

    Args:
        documents: The container `state`.
    """

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._agents: dict[str, Agents] = {}

    def periods(self, asked_at: datetime) -> tuple[Period, ...]:
        """Return all periods in order, without a gap; first comes one of which nothing is known.

        Args:
            asked_at: What came into force later, UTC, says nothing, so that a repeated question is answered
                alike.

        Raises:
            StorageError: They could not be read.
        """
        standing, _ = read_standing(self._documents)
        observed = _observed([one for one in standing.history if one.since <= asked_at])
        kept = {one.configuration: self._kept(one.configuration) for one in observed}
        first = observed[0].since if observed else None
        stated = _stated(observed, kept)
        periods = [Period(None, stated.begins if stated else first, "", Basis.UNKNOWN, None)]
        if stated:
            periods.append(stated)
        for one, following in zip_longest(observed, observed[1:]):
            ends = following.since if following else None
            agents = kept[one.configuration]
            periods.append(Period(one.since, ends, one.configuration, Basis.OBSERVED, agents))
        return tuple(periods)

    def _kept(self, name: str) -> Agents | None:
        """Return the agents of a configuration; what its hash proves once needs no second proof."""
        if name not in self._agents:
            texts = read_whole(self._documents, name)
            try:
                agents = agents_kept_as(name, texts) if texts else None
            except (ConfigurationError, AttributeError, TypeError):  # not even the shape of such files
                agents = None
            if agents is None:
                return None
            self._agents[name] = next((one for one in self._agents.values() if _equal(one, agents)), agents)
        return self._agents[name]


def _equal(one: Agents, other: Agents) -> bool:
    """Return whether two say the same: then one question reads the runs of both."""
    return (one.attributes, one.by_name, one.since) == (other.attributes, other.by_name, other.since)


def _observed(history: Sequence[InForce]) -> list[InForce]:
    """Return the history where something changes in time; clocks of two hosts may have differed."""
    kept: list[InForce] = []
    for one in history:
        while kept and kept[-1].since >= one.since:
            kept.pop()
        kept.append(one)
    return kept


def _stated(observed: Sequence[InForce], kept: dict[str, Agents | None]) -> Period | None:
    """Return what the first file that states it says of the time before anything was observed."""
    for one in observed:
        agents = kept[one.configuration]
        if agents and agents.since:
            begins = datetime.combine(agents.since, time(), UTC)
            if begins < observed[0].since:
                return Period(begins, observed[0].since, one.configuration, Basis.STATED, agents)
    return None


def read_standing(documents: Documents) -> tuple[Standing, str | None]:
    """Return what is known of the configuration in force, and the document's version.

    Raises:
        StorageError: It could not be read.
    """
    held = documents.read(STANDING)
    return (standing_from_json(held.body), held.version) if held else (Standing(), None)


def read_whole(documents: Documents, name: str) -> Layer | None:
    """Return all files of a configuration by its hash; None where none is kept under it.

    Raises:
        StorageError: They could not be read.
    """
    held = documents.read(WHOLE + name)
    if held is None:
        return None
    return {file: ConfigText(Path(file), text.encode()) for file, text in held.body["files"].items()}
