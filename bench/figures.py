"""The one shape of everything that is measured: a figure, the peer beside it, its goal and its growth.

A module of bench/ has `measure(progress, scale) -> list[Figure]`. Table, JSON and page are made of
what it returns (bench/run.py), and its own command line is `measuring.main(measure)`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Progress = Callable[[str], None]
"""Says how far the work is, to whoever waits for it."""


class Part(StrEnum):
    """What of the service a figure is about; the table has them in this order."""

    COLD_START = "cold start"
    TICK = "tick"
    VIEWS = "views"
    ALERTS = "alert lifecycle"
    SANITIZER = "sanitizer"
    DETECTORS = "detectors"
    EXPORT = "export"
    REPORT = "report"
    SEALS = "seals"
    VERIFY = "verify"
    PORTAL = "portal"


class Scale(StrEnum):
    """How much is measured: seconds of work to try the module, the usual three sizes, or also a fourth."""

    SMOKE = "smoke"
    USUAL = "usual"
    LARGE = "large"


class Bound(StrEnum):
    """How a number keeps a goal."""

    AT_MOST = "at most"
    AT_LEAST = "at least"
    BELOW = "below"


class Of(StrEnum):
    """Which number of a figure a goal binds."""

    VALUE = "value"
    RATIO = "ratio"


@dataclass(frozen=True)
class Peer:
    """Who does the same work beside us in the same run, and its value in the figure's unit."""

    name: str
    value: float


@dataclass(frozen=True)
class Goal:
    """What a number of a figure has to be: `Goal(Of.RATIO, Bound.AT_LEAST, 0.7)`."""

    of: Of
    bound: Bound
    number: float

    def keeps(self, number: float) -> bool:
        """Return whether the number is as wanted."""
        match self.bound:
            case Bound.AT_MOST:
                return number <= self.number
            case Bound.AT_LEAST:
                return number >= self.number
            case Bound.BELOW:
                return number < self.number


@dataclass(frozen=True)
class Growth:
    """The figure at several sizes, the smallest first: `Growth("spans", {1_000: 0.1, 10_000: 0.3})`."""

    of: str
    values: Mapping[int, float]

    @property
    def factor(self) -> float | None:
        """How many times the first value the last one is."""
        values = list(self.values.values())
        return values[-1] / values[0] if values[0] else None


@dataclass(frozen=True)
class Figure:
    """One line of the table. Without a value it was not measured, and `note` says why.

    `part` and `what` together name it: they are the same in every run, so sizes that name a figure are fixed.
    Where a peer is given, `unit` is chosen so that value / peer is the ratio that the goal speaks of.
    """

    part: Part
    what: str
    value: float | None
    unit: str
    peer: Peer | None = None
    goal: Goal | None = None
    growth: Growth | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """The value as a multiple of the peer's or, without a peer, of the limit that it must keep."""
        beside = self.peer.value if self.peer else None
        if beside is None and self.goal and self.goal.of is Of.VALUE:
            beside = self.goal.number
        return self.value / beside if self.value is not None and beside else None

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None where there is no goal, or nothing to hold it against."""
        if self.goal is None:
            return None
        number = self.ratio if self.goal.of is Of.RATIO else self.value
        return None if number is None else self.goal.keeps(number)

    def to_json(self) -> dict[str, Any]:
        """Return the figure for bench/results.json, what follows from it included."""
        return {
            "part": self.part.value,
            "what": self.what,
            "value": self.value,
            "unit": self.unit,
            "peer": self.peer and {"name": self.peer.name, "value": self.peer.value},
            "ratio": self.ratio,
            "goal": self.goal and {"of": self.goal.of, "bound": self.goal.bound, "number": self.goal.number},
            "met": self.met,
            "growth": self.growth
            and {
                "of": self.growth.of,
                "values": {str(size): value for size, value in self.growth.values.items()},
                "factor": self.growth.factor,
            },
            "note": self.note,
        }


def figure_from_json(body: Mapping[str, Any]) -> Figure:
    """Return the figure that `to_json` wrote."""
    peer, goal, growth = body["peer"], body["goal"], body["growth"]
    return Figure(
        Part(body["part"]),
        body["what"],
        body["value"],
        body["unit"],
        peer and Peer(peer["name"], peer["value"]),
        goal and Goal(Of(goal["of"]), Bound(goal["bound"]), goal["number"]),
        growth and Growth(growth["of"], {int(size): value for size, value in growth["values"].items()}),
        body["note"],
    )


def at_most(number: float, of: Of = Of.VALUE) -> Goal:
    """Return the goal that a number is not above another."""
    return Goal(of, Bound.AT_MOST, number)


def at_least(number: float, of: Of = Of.RATIO) -> Goal:
    """Return the goal that a number is not below another."""
    return Goal(of, Bound.AT_LEAST, number)


def below(number: float, of: Of = Of.RATIO) -> Goal:
    """Return the goal that a number is less than another."""
    return Goal(of, Bound.BELOW, number)


def not_measured(part: Part, what: str, unit: str, why: str, goal: Goal | None = None) -> Figure:
    """Return the line that stands for a figure whose peer, material or size is missing in this run."""
    return Figure(part, what, None, unit, goal=goal, note=why)
