"""What is measured of a run to compare releases. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from functions.evidence.controls.verdicts import Control, Result
from functions.release.compare_facts import Run
from functions.traces.agents import Agent


class Called(StrEnum):
    """What a comparison comes to."""

    WORSE = "worse"
    BETTER = "better"
    DIFFERENT = "different"
    NONE = "no difference"
    UNKNOWN = "not comparable"


class Unit(StrEnum):
    """What the numbers of a measure are."""

    SHARE = "share"
    MILLISECONDS = "milliseconds"
    TOKENS = "tokens"
    MONEY = "money"


Fact = Callable[[Run], bool | float | None]
"""Of a run: hit or not, or how much; None where it is not known."""


@dataclass(frozen=True, slots=True)
class Measure:
    """How a quantity is taken of a run.

    Attributes:
        id: Stable.
        title: As `Line`.
        unit: As `Line`.
        of: Takes it.
        more: What more of it is.
        about: Which runs it is about.
        tail: Its 95th percentile is compared, not its mean.
    """

    id: str
    title: str
    unit: Unit
    of: Fact
    more: Called
    about: Callable[[Run], bool] = lambda _: True
    tail: bool = False


def _verdict(control: Control) -> Fact:
    def kept(run: Run) -> bool | None:
        result = run.verdicts.get(control, Result.NOT_EVALUABLE)
        return None if result is Result.NOT_EVALUABLE else result is Result.PASS

    return kept


def _if_whole(of: Callable[[Run], bool | float | None]) -> Fact:
    return lambda run: of(run) if run.whole else None


def _answered(run: Run) -> bool:
    """Whether it gave an answer: a run that fails early is fast and recommends nothing, but is paid for."""
    return run.success is not False


def _metered(run: Run) -> bool:
    return run.whole and run.model_calls > 0 and run.without_usage == 0


def _tokens(run: Run) -> float | None:
    return float(run.input_tokens + run.output_tokens) if _metered(run) else None


MEASURES = (
    Measure(
        "lookups_kept",
        "Answers with every required look-up",
        Unit.SHARE,
        _verdict(Control.REQUIRED_LOOKUPS),
        Called.BETTER,
        _answered,
    ),
    Measure(
        "documents_retrieved",
        "Answers with documents retrieved before",
        Unit.SHARE,
        _if_whole(lambda run: run.retrieved),
        Called.DIFFERENT,
        _answered,
    ),
    Measure(
        "documents_approved",
        "Runs with approved documents only",
        Unit.SHARE,
        _verdict(Control.APPROVED_DOCUMENTS),
        Called.BETTER,
    ),
    Measure(
        "tools_approved",
        "Runs with approved tools only",
        Unit.SHARE,
        _verdict(Control.APPROVED_TOOLS),
        Called.BETTER,
    ),
    Measure(
        "data_fresh", "Runs with fresh data only", Unit.SHARE, _verdict(Control.DATA_FRESH), Called.BETTER
    ),
    Measure(
        "nothing_exposed",
        "Runs without content that must not be recorded",
        Unit.SHARE,
        _verdict(Control.NOTHING_EXPOSED),
        Called.BETTER,
    ),
    Measure(
        "runs_failed",
        "Runs that failed",
        Unit.SHARE,
        lambda run: None if run.success is None else not run.success,
        Called.WORSE,
    ),
    Measure(
        "tools_failed",
        "Runs with a failed tool call",
        Unit.SHARE,
        _if_whole(lambda run: run.tool_failed),
        Called.WORSE,
    ),
    Measure(
        "retried",
        "Runs that called a tool again after it failed",
        Unit.SHARE,
        _if_whole(lambda run: run.retried),
        Called.WORSE,
    ),
    Measure(
        "duration_p95",
        "Duration of an answer, p95",
        Unit.MILLISECONDS,
        lambda run: run.duration_ms,
        Called.WORSE,
        _answered,
        tail=True,
    ),
    Measure(
        "duration_mean",
        "Duration of an answer, mean",
        Unit.MILLISECONDS,
        lambda run: run.duration_ms,
        Called.WORSE,
        _answered,
    ),
    Measure(
        "tokens",
        "Tokens a run, mean",
        Unit.TOKENS,
        _tokens,
        Called.WORSE,
    ),
    Measure(
        "cost",
        "Cost of a run, mean",
        Unit.MONEY,
        lambda run: float(run.cost) if _metered(run) and run.cost is not None else None,
        Called.WORSE,
    ),
    Measure(
        "cached",
        "Share of the prompt from the cache, mean",
        Unit.SHARE,
        lambda run: run.cached_tokens / run.input_tokens if _metered(run) and run.input_tokens else None,
        Called.BETTER,
    ),
)


def tool_measures(agent: Agent | None) -> tuple[Measure, ...]:
    """Return a measure for each tool that agents.yaml approves: no telemetry can add to how many they are."""
    return tuple(
        Measure(f"tool:{tool}", f"Runs that called {tool}", Unit.SHARE, _calls(tool), Called.DIFFERENT)
        for tool in sorted((agent.approved_tools if agent else None) or ())
    )


def _calls(tool: str) -> Fact:
    def called(run: Run) -> bool | None:
        if tool in run.tools:
            return True
        # A tool whose name is not recorded may have been this one.
        return None if "" in run.tools or not run.whole else False

    return called
