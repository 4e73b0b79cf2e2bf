"""Writes figures for people: as text for a terminal, and in Markdown for docs/performance.md."""

from collections.abc import Sequence

from bench.figures import Bound, Figure, Goal, Of

HEADS = ("part", "what", "ours", "beside it", "ratio", "growth", "goal", "met")


def as_text(figures: Sequence[Figure]) -> str:
    """Return a table for a terminal, and below it the notes."""
    lines = [HEADS, *(cells(each) for each in figures)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    table = ["  ".join(map(str.ljust, line, widths)).rstrip() for line in lines]
    return "\n".join([*table, "", *_notes(figures)]).rstrip()


def as_markdown(figures: Sequence[Figure]) -> str:
    """Return the same in Markdown."""
    lines = [HEADS, ("---",) * len(HEADS), *(cells(each) for each in figures)]
    table = [f"| {' | '.join(cell.replace('|', '\\|') for cell in line)} |" for line in lines]
    return "\n".join([*table, "", *(f"- {note}" for note in _notes(figures))]).rstrip()


def _notes(figures: Sequence[Figure]) -> list[str]:
    return [f"{each.part}, {each.what}: {each.note}" for each in figures if each.note]


def verdicts(figures: Sequence[Figure]) -> str:
    """Return in words how many goals are met, and which are not."""
    wanted = [each for each in figures if each.goal is not None]
    missed = [each for each in wanted if each.met is False]
    unknown = [each for each in figures if each.value is None]
    lines = [f"{sum(each.met is True for each in wanted)} of {len(wanted)} goals are met."]
    lines += [f"MISSED: {each.part}, {each.what}" for each in missed]
    lines += [f"not measured: {each.part}, {each.what}" for each in unknown]
    return "\n".join(lines)


def cells(figure: Figure) -> tuple[str, ...]:
    """Return one line of the table, in the order of HEADS."""
    growth = figure.growth
    grown = ""
    if growth is not None:
        steps = ", ".join(f"{size:,}: {number(value)}" for size, value in growth.values.items())
        grown = f"{growth.of} {steps}" + (f"; x{number(growth.factor)}" if growth.factor else "")
    return (
        figure.part,
        figure.what,
        "not measured" if figure.value is None else f"{number(figure.value)} {figure.unit}".rstrip(),
        _beside(figure),
        "" if figure.ratio is None else number(figure.ratio),
        grown,
        "" if figure.goal is None else _goal(figure.goal, figure),
        _verdict(figure),
    )


def number(value: float) -> str:
    """Return a number with three digits that count, and thousands apart."""
    if float(value).is_integer() or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:#.3g}".rstrip(".")


def _beside(figure: Figure) -> str:
    if figure.peer is not None:
        return f"{figure.peer.name}: {number(figure.peer.value)} {figure.unit}".rstrip()
    if figure.goal is not None and figure.goal.of is Of.VALUE:
        kind = "wanted" if figure.goal.bound is Bound.AT_LEAST else "limit"
        return f"{kind}: {figure.goal.number:,g} {figure.unit}".rstrip()
    return ""


def _goal(goal: Goal, figure: Figure) -> str:
    bound = f"{goal.bound} {goal.number:,g}"
    if goal.of is Of.VALUE:
        return f"{bound} {figure.unit}".rstrip()
    if goal.number == 1:
        return f"{goal.bound} it"
    share = goal.bound is Bound.AT_LEAST and goal.number < 1
    return f"{bound} of it" if share else f"{bound} times it"


def _verdict(figure: Figure) -> str:
    if figure.goal is None:
        return ""
    return {True: "met", False: "MISSED", None: "not measured"}[figure.met]
