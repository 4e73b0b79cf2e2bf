"""Runs of made-up releases, drawn at random from a seed; what differs is known."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from random import Random

from functions.evidence.controls.verdicts import Control, Result
from functions.release.compare_facts import Run
from functions.traces.agents import RequiredLookup
from tests.unit.evidence.judged import dispatcher

OLD, NEW = "1.0", "1.1"
AGENTS = dispatcher(
    approved_tools=("find_rules", "quote"), required_lookups=(RequiredLookup("find_rules", intents=()),)
)


@dataclass(frozen=True)
class Ways:
    """How a release behaves: shares of its runs, and factors of what they take."""

    looks_up: float = 0.92
    retrieves: float = 0.8
    quotes: float = 0.7
    fresh: float = 0.95
    fails: float = 0.06
    tool_fails: float = 0.1
    slower: float = 1.0
    dearer: float = 1.0
    cached: float = 0.4
    other_tool: float = 0.0


def drawn(random: Random, release: str, ways: Ways, runs: int = 60) -> Iterator[Run]:
    """Yield runs; durations and tokens are skewed, a tenth of the prompts is ten times as long."""
    for _ in range(runs):
        looked, failed, broke = (random.random() < p for p in (ways.looks_up, ways.fails, ways.tool_fails))
        tools = {"find_rules"} if looked else set()
        tools |= {"quote"} if random.random() < ways.quotes else set()
        tools |= {"delete_customer"} if random.random() < ways.other_tool else set()
        tokens = int(1000 * random.lognormvariate(0, 0.5) * ways.dearer) * (
            10 if random.random() < 0.1 else 1
        )
        yield Run(
            agent="dispatcher",
            release=release,
            success=not failed,
            duration_ms=800 * random.lognormvariate(0, 0.6) * ways.slower,
            verdicts={
                Control.REQUIRED_LOOKUPS: Result.PASS if looked or failed else Result.FAIL,
                Control.APPROVED_TOOLS: Result.FAIL if "delete_customer" in tools else Result.PASS,
                Control.DATA_FRESH: Result.PASS if random.random() < ways.fresh else Result.FAIL,
            },
            tools=frozenset(tools),
            made=frozenset({"find_rules"} & tools),
            tool_failed=broke,
            retried=broke and random.random() < 0.5,
            retrieved=random.random() < ways.retrieves,
            model_calls=2,
            input_tokens=tokens,
            cached_tokens=int(tokens * ways.cached * random.random()),
            output_tokens=80,
            cost=Decimal(tokens) / 100_000,
        )


def two(seed: int, old: Ways, new: Ways, runs: int = 60) -> list[Run]:
    """Return the runs of both releases."""
    random = Random(seed)
    return [*drawn(random, OLD, old, runs), *drawn(random, NEW, new, runs)]
