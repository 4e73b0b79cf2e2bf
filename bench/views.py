"""What the two views cost the query engine, by the rows they read, beside the same question without them.

    python -m bench.views [--smoke]

The engine is the local one, which stands in for Kusto and says nothing about its speed: what counts is how
time grows with rows, and how much more a view takes than its tables alone. Each query asks how many rows
there are of each agent. Translations of KQL to SQL are kept on disk by the engine, and are not in the time.
Reading and planning the SQL is: it is most of the time of a small query, and the same however much there is.
"""

import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import partial

from bench.figures import Figure, Growth, Part, Peer, Progress, Scale
from bench.fleet import an_hour_of
from bench.measuring import best_of, main
from functions.configuration import SHIPPED, load_configuration
from functions.traces.kql import compose
from tests.fakes.telemetry import TelemetrySource

SIZES = (1_000, 10_000, 100_000)
SMOKE = (100, 200, 400)
REPEATS = 3

_BEGIN = datetime(2026, 11, 20, 23, tzinfo=UTC)
_HOUR = timedelta(hours=1)
_OVER_VIEWS = {
    "spans": "spans | summarize Rows = count() by Agent, Operation, Tool, Model, Release, Dialect",
    "runs": "runs | summarize Rows = count() by Agent, Release, Tools = tostring(ToolsCalled)",
}
_OVER_TABLES = """union AppRequests, AppDependencies
| extend Agent = tostring(Properties["gen_ai.agent.name"]),
    Operation = tostring(Properties["gen_ai.operation.name"]), Tool = tostring(Properties["gen_ai.tool.name"])
| summarize Rows = count() by Agent, Operation, Tool, AppVersion"""


def measure(progress: Progress, scale: Scale) -> list[Figure]:
    """Ask over both views, and over their tables, at each size."""
    sizes = SMOKE if scale is Scale.SMOKE else SIZES
    found: dict[int, Mapping[str, float]] = {}
    for spans in sizes:
        progress(f"views: {spans:,} spans")
        source = TelemetrySource(an_hour_of(spans, _BEGIN))
        found[spans] = {name: _seconds(source, kql) for name, kql in _queries().items()}
    last = found[sizes[-1]]
    return [
        Figure(
            Part.VIEWS,
            f"{view}.kql over {sizes[-1]:,} spans",
            last[view],
            "s",
            Peer("the tables alone", last["tables"]),
            growth=Growth("spans", {size: each[view] for size, each in found.items()}),
        )
        for view in _OVER_VIEWS
    ]


def _queries() -> dict[str, str]:
    attributes = load_configuration(SHIPPED).agents.attributes
    over_views = {
        view: compose(
            query,
            attributes=attributes,
            tables=(),
            received_from=_BEGIN,
            received_to=_BEGIN + _HOUR,
            every=_HOUR,
            lookback=timedelta(0),
            settle=timedelta(0),
        )
        for view, query in _OVER_VIEWS.items()
    }
    return {**over_views, "tables": _OVER_TABLES}


def _seconds(source: TelemetrySource, kql: str) -> float:
    """Return the seconds of the fastest answer, not counting the first, which may have to be translated."""
    ask = partial(source.query, kql, since=_BEGIN - _HOUR, until=_BEGIN + 2 * _HOUR)
    if not ask().rows:
        raise SystemExit("the engine has no rows")
    return best_of(REPEATS, ask)


if __name__ == "__main__":
    sys.exit(main(measure))
