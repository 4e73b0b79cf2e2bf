"""Writes a comparison as one HTML file: no script, nothing loaded, and it prints. Pure."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from functions.evidence.report import html
from functions.evidence.report.html import (
    Html,
    bullets,
    definitions,
    joined,
    name,
    paragraph,
    section,
    table,
    text,
)
from functions.release.compare import AgentComparison, Kind, Line, Release
from functions.release.compare_measures import Called
from functions.release.compare_words import (
    METHOD,
    Comparison,
    basis,
    chance,
    headline,
    kind_counts,
    kind_title,
    question_sentences,
    shown,
    sureness,
)

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_MOST_NAMES = 20
_LONGEST = 1000
"""Characters of sentences of ours."""

_OWN_STYLE = """\
.good{color:var(--good);font-weight:600}
.answer.worse{border-left-color:var(--bad)}
td small{display:block;color:var(--dim)}
@media (max-width:34rem){table{font-size:.78rem}
tbody th{min-width:0;overflow-wrap:anywhere}th,td{padding-right:.3rem}}
"""


def page(its: Comparison) -> str:
    """Return the whole file; all that traces or callers bring is escaped."""
    title = f"Release {name(its.new)} compared with {name(its.old)}"
    return joined(
        (
            "<!doctype html>",
            '<html lang="en" dir="ltr">',
            "<head>",
            '<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            '<meta name="referrer" content="no-referrer">',
            '<meta name="format-detection" content="telephone=no, date=no, address=no, email=no">',
            f"<title>Release {text(its.new, 80)} compared with {text(its.old, 80)}</title>",
            f"<style>\n{_style()}{_OWN_STYLE}</style>",
            "</head>",
            "<body>",
            f"<header>\n<h1>{title}</h1>",
            _period(its),
            "</header>",
            "<main>",
            *(_agent(number, agent, its) for number, agent in enumerate(its.agents, 1)),
            section("method", "How it was compared", *(paragraph(text(one, _LONGEST)) for one in METHOD)),
            "</main>",
            "</body>",
            "</html>\n",
        )
    )


def _period(its: Comparison) -> Html:
    return paragraph(
        f"Runs that began from {its.since:%Y-%m-%d %H:%M} to {its.until:%Y-%m-%d %H:%M} UTC.",
        f"Prices in {text(its.currency, 8)} of {its.prices_as_of.isoformat()}.",
    )


def _agent(number: int, agent: AgentComparison, its: Comparison) -> Html:
    body = [_answer(agent, its.currency)]
    if agent.old.runs and agent.new.runs:
        body.append(_question(agent, its.currency))
        body.append(_measures(agent, its))
    body.append(_sure(agent, its))
    title = Html(f"Agent {name(agent.agent)}")
    return Html(
        f'<section id="agent-{number}" aria-labelledby="agent-{number}-title">\n'
        f'<h2 id="agent-{number}-title">{title}</h2>\n{joined(body)}\n</section>'
    )


def _answer(agent: AgentComparison, currency: str) -> Html:
    kind = " worse" if agent.worse else ""
    listed = bullets(_difference(one, currency) for one in agent.differences)
    return Html(
        f'<div class="answer{kind}" role="note" aria-label="Answer">\n'
        f"<p><strong>{text(headline(agent), _LONGEST)}</strong></p>\n{listed}\n</div>"
    )


def _difference(one: Line | Kind, currency: str) -> Html:
    mark = _mark(one.called)
    if isinstance(one, Kind):
        return Html(f"{mark}: {text(kind_title(one))}: {name(one.name)}, {text(kind_counts(one))}")
    values = f"{shown(one.old, one.unit, currency)} → {shown(one.new, one.unit, currency)}"
    return Html(f"{mark}: {text(one.title)}: {text(values)} (p {text(chance(one))})")


def _mark(found: Called) -> Html:
    look = {Called.WORSE: ("bad", "✕ "), Called.BETTER: ("good", "✓ "), Called.DIFFERENT: ("", "≠ ")}
    style, sign = look.get(found, ("dim", ""))
    return Html(f'<span class="{style}">{sign}{text(found.value)}</span>')


def _question(agent: AgentComparison, currency: str) -> Html:
    told = [text(one, _LONGEST) for one in question_sentences(agent, currency)]
    told += [Html(f"Not known: {text(one, _LONGEST)}") for one in agent.unknown]
    return joined(("<h3>Does it still retrieve the approved rules before it recommends?</h3>", bullets(told)))


def _measures(agent: AgentComparison, its: Comparison) -> Html:
    rows = [_row(line, its) for line in agent.lines]
    return table("All measures", ("measure", its.old, its.new, "result"), rows)


def _row(line: Line, its: Comparison) -> tuple[Html, ...]:
    sides = (
        Html(f"{text(shown(side, line.unit, its.currency))} <small>{text(basis(side))}</small>")
        for side in (line.old, line.new)
    )
    told = "; ".join(filter(None, (line.note, "" if line.chance is None else f"p {chance(line)}")))
    result = f"{_mark(line.called)}<small> {text(told)}</small>" if told else _mark(line.called)
    return (text(line.title), *sides, Html(result))


def _sure(agent: AgentComparison, its: Comparison) -> Html:
    pairs = [(its.old, _told(agent.old)), (its.new, _told(agent.new))]
    unknown = "agents.yaml does not name this agent: no control can be judged."
    return joined(
        ("<h3>How sure this is</h3>", definitions(pairs), "" if agent.known else paragraph(unknown))
    )


def _told(release: Release) -> Html:
    return joined(
        (
            f"{text(sureness(release), _LONGEST)}.",
            _context(release.prompt_versions, "Prompt versions"),
            _context(release.models, "Models"),
            _context(release.tools, "Tools"),
        ),
        " ",
    )


def _context(counts: Mapping[str, int], what: str) -> Html:
    told = [f"{name(one)} ({runs:,})" for one, runs in list(counts.items())[:_MOST_NAMES]]
    if len(counts) > _MOST_NAMES:
        told.append(f"{len(counts) - _MOST_NAMES} more")
    return Html(f"{what}: {', '.join(told) or 'none recorded'}.")


@cache
def _style() -> str:
    return Path(html.__file__).with_name("report.css").read_text(encoding="utf-8")
