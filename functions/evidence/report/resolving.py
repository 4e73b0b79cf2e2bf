"""Writes which traces a question came to: the draw of a sample, the cases without a trace. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from functions.evidence.report.bodies import mapping, mappings, number
from functions.evidence.report.html import (
    Html,
    bullets,
    code,
    count,
    definitions,
    joined,
    name,
    paragraph,
    table,
    text,
)

_MOST_CASES = 100
_MOST_STRATA = 40


def is_sample(request: Mapping[str, Any]) -> bool:
    """Tell whether the traces are a sample."""
    return bool(mapping(mapping(request.get("resolved")).get("sample")))


def resolved_sentence(request: Mapping[str, Any]) -> str:
    """Return what the answer has to say of it, as markup; "" where the question names the traces itself."""
    found = mapping(request.get("resolved"))
    if sample := mapping(found.get("sample")):
        runs = count(number(mapping(sample.get("population")), "runs"), "run")
        return f"It is a sample: {_drawn(sample):,} of {runs}, drawn by a seed that nobody could choose."
    if cases := mapping(found.get("cases")):
        missing = len(mappings(cases.get("missing")))
        told = (
            f"{len(mappings(cases.get('matched'))):,} of {count(number(cases, 'asked'), 'case')} have traces"
        )
        return f"{told}; <strong>✕ {missing:,} have none</strong>." if missing else f"{told}."
    return ""


def resolved(request: Mapping[str, Any]) -> Html:
    """Return how the traces were found, for the chapter about the question."""
    found = mapping(request.get("resolved"))
    return joined((_sample(mapping(found.get("sample"))), _cases(mapping(found.get("cases")))))


def _sample(sample: Mapping[str, Any]) -> Html:
    if not sample:
        return Html("")
    population = mapping(sample.get("population"))
    strata = mappings(sample.get("strata"))
    rows = (
        (
            name(each.get("name", "all")),
            Html(f"{number(each, 'runs'):,}"),
            Html(f"{len(mappings(each.get('drawn'))):,}"),
        )
        for each in strata[:_MOST_STRATA]
    )
    more = len(strata) - _MOST_STRATA
    return joined(
        (
            paragraph(
                "The seed is the SHA-256 of the export's id and the head of the ledger, which was written "
                "before the first run was read: nobody could choose it. The runs that were drawn stand in "
                "<code>data/request.json</code>, and all that could have been in "
                "<code>data/population.txt</code>, so that anybody can draw again."
            ),
            definitions(
                (
                    ("Runs in the population", Html(f"{number(population, 'runs'):,}")),
                    ("SHA-256 of the population", code(population.get("sha256", ""))),
                    ("Seed", code(sample.get("seed", ""))),
                    ("Head of the ledger", code(sample.get("ledger_head", ""))),
                )
            ),
            table("Strata", ("Stratum", "Runs in the population", "Runs drawn"), rows, numbers={1, 2}),
            paragraph(f"{more:,} further strata are in <code>data/request.json</code>.") if more > 0 else "",
        )
    )


def _cases(cases: Mapping[str, Any]) -> Html:
    missing = mappings(cases.get("missing"))
    if not missing:
        return Html("")
    more = len(missing) - _MOST_CASES
    return joined(
        (
            paragraph("<strong>Cases without a trace</strong>, by their place in the list asked for:"),
            bullets(_places(missing[:_MOST_CASES])),
            paragraph(f"and {more:,} more in <code>data/request.json</code>.") if more > 0 else "",
        )
    )


def _places(missing: Sequence[Mapping[str, Any]]) -> Iterator[Html]:
    for each in missing:
        yield Html(f"number {number(each, 'place'):,}: {text(each.get('case', ''), 60)}")


def _drawn(sample: Mapping[str, Any]) -> int:
    return sum(len(mappings(each.get("drawn"))) for each in mappings(sample.get("strata")))
