"""Keeps what was measured: bench/results.json, and the table of docs/performance.md, written from it.

Each figure names its run, so that one which this run did not measure (a large one, say, or one whose peer was
missing) keeps its last value with the machine and the date that belong to it.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bench.figures import Figure, Part, figure_from_json
from bench.table import as_markdown

RESULTS = Path(__file__).with_name("results.json")
PAGE = Path(__file__).parents[1] / "docs" / "performance.md"

BEGIN = "<!-- make bench writes what follows -->"
END = "<!-- to here -->"


@dataclass(frozen=True)
class Line:
    """A figure and the run (its date) that measured it."""

    figure: Figure
    run: str


@dataclass(frozen=True)
class Results:
    """All lines in the table's order, and the machine of each run by its date."""

    runs: Mapping[str, Mapping[str, Any]]
    lines: Sequence[Line]

    def after(
        self, machine: Mapping[str, Any], measured: Sequence[Figure], whole: Collection[Part]
    ) -> "Results":
        """Return the results once a run has measured these figures, and some parts as a whole.

        What such a part no longer has goes. What could not be measured stays as it was last measured.
        """
        run = machine["date"]
        before = {(line.figure.part, line.figure.what): line for line in self.lines}
        lines = []
        for figure in measured:
            earlier = before.pop((figure.part, figure.what), None)
            keeps = earlier and figure.value is None and earlier.figure.value is not None
            lines.append(earlier if earlier and keeps else Line(figure, run))
        lines += [line for (part, _), line in before.items() if part not in whole]
        order = list(Part)
        lines.sort(key=lambda line: order.index(line.figure.part))
        used = {line.run for line in lines}
        return Results(
            {**{date: each for date, each in self.runs.items() if date in used}, run: machine}, lines
        )

    def to_json(self) -> dict[str, Any]:
        """Return what results.json holds."""
        return {
            "runs": dict(self.runs),
            "figures": [{**line.figure.to_json(), "run": line.run} for line in self.lines],
        }

    def to_page(self) -> str:
        """Return the part of docs/performance.md that is written from the results."""
        latest = max(self.runs, default="")
        figures = [line.figure if line.run == latest else _dated(line) for line in self.lines]
        machines = [_described(each) for _, each in sorted(self.runs.items(), reverse=True)]
        return "\n\n".join([*machines, as_markdown(figures)])


def results_from_json(body: Mapping[str, Any]) -> Results:
    """Return the results that `to_json` wrote."""
    return Results(body["runs"], [Line(figure_from_json(each), each["run"]) for each in body["figures"]])


def load() -> Results:
    """Return what was kept; nothing before the first run."""
    return results_from_json(json.loads(RESULTS.read_bytes())) if RESULTS.exists() else Results({}, [])


def save(results: Results) -> None:
    """Write the JSON and, from it, the table of the page."""
    RESULTS.write_text(json.dumps(results.to_json(), indent=1, ensure_ascii=False) + "\n", "utf-8")
    PAGE.write_text(with_table(PAGE.read_text("utf-8"), results), "utf-8")


def with_table(page: str, results: Results) -> str:
    """Return the page with the table of these results between its marks."""
    above, rest = page.split(BEGIN)
    _, below = rest.split(END)
    return f"{above}{BEGIN}\n\n{results.to_page()}\n\n{END}{below}"


def _dated(line: Line) -> Figure:
    when = f"measured on {line.run[:10]}"
    return replace(line.figure, note=f"{when}; {line.figure.note}" if line.figure.note else when)


def _described(run: Mapping[str, Any]) -> str:
    busy = f"others used {run['others']:.0%} of its processors meanwhile"
    return (
        f"{run['date']}: commit {run['commit']}, Python {run['python']}, {run['os']}; {run['processor']}, "
        f"{run['cores']} cores, {run['memory_gb']:g} GB; {run['seconds'] / 60:.0f} minutes, "
        f"load {run['load_at_start']:g} at the start and {run['load_at_end']:g} at the end, {busy}"
        f"{'.' if run['quiet'] else ': **not quiet, its times count for little**.'}"
    )
