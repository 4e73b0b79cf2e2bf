"""Draws values against their threshold in plain text, and makes foreign text safe for a terminal."""

from collections.abc import Sequence
from datetime import datetime

from functions.checks.backtest import Point
from functions.checks.finding import Window

WIDTH = 80
"""Columns of a plot with its scale."""

_HEIGHT = 10
_SCALE = 11
_COLUMNS = WIDTH - _SCALE - 1
_LONGEST = 60


def safe(text: str) -> str:
    r"""Return text in which no character can steer a terminal, reorder a line or hide, cut at 60 characters.

    What is not printable becomes an escape (\x1b), a backslash two, so that no two texts look the same.
    """
    shown = "".join(_escaped(character) for character in text[:_LONGEST])
    return shown + "..." if len(text) > _LONGEST else shown


def number(value: float | None) -> str:
    """Write a value in at most ten characters; None, where any occurrence counts, as "-"."""
    return "-" if value is None else f"{value:.4g}"


def plot(points: Sequence[Point], between: Window) -> list[str]:
    """Return the lines of a plot, none longer than `WIDTH`.

    `#` is a finding, `o` a value that is none, `-` the threshold. A column stands for several windows where
    there are more than fit; it shows the worst of them.

    Args:
        points: One key's, at least one.
        between: The time from the left edge to the right one.
    """
    columns = _worst_of_columns(points, between)
    heights = [point.value for point in columns.values()]
    heights += [point.threshold for point in columns.values() if point.threshold is not None]
    low, high = min(0.0, *heights), max(0.0, *heights)
    step = (high - low) / (_HEIGHT - 1) or 1.0
    grid = [[" "] * _COLUMNS for _ in range(_HEIGHT)]
    for column, point in columns.items():
        if point.threshold is not None:
            grid[round((point.threshold - low) / step)][column] = "-"
        grid[round((point.value - low) / step)][column] = "#" if point.found else "o"
    labels = {0: number(low), _HEIGHT - 1: number(high)}
    lines = [
        f"{labels.get(row, ''):>{_SCALE}}|{''.join(grid[row]).rstrip()}" for row in reversed(range(_HEIGHT))
    ]
    start, end = _label(between.start), _label(between.end)
    return [
        *lines,
        " " * _SCALE + "+" + "-" * _COLUMNS,
        f"{'':{_SCALE}} {start}{end:>{_COLUMNS - len(start)}}",
    ]


def _worst_of_columns(points: Sequence[Point], between: Window) -> dict[int, Point]:
    low_is_worse = any(p.found and p.threshold is not None and p.value < p.threshold for p in points)
    columns: dict[int, Point] = {}

    def badness(point: Point) -> tuple[bool, float]:
        return point.found, -point.value if low_is_worse else point.value

    for point in points:
        column = int((point.window - between.start) / (between.end - between.start) * _COLUMNS)
        shown = columns.get(column)
        if shown is None or badness(point) > badness(shown):
            columns[column] = point
    return columns


def _label(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"


def _escaped(character: str) -> str:
    if character == "\\":
        return "\\\\"
    return character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
