"""Writes the chapters on what was asked and whether all of it is here. Pure.

They read the bodies of request.json and completeness.json. What a body lacks never makes the report say more.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from functions.evidence.report.bodies import mapping, mappings, number
from functions.evidence.report.html import (
    Html,
    bullets,
    code,
    count,
    definitions,
    paragraph,
    section,
    table,
    text,
)
from functions.evidence.report.resolving import resolved
from functions.evidence.report.seals import seal_shortfalls, seals_section

_LISTED = 20
_LONGEST_LIST = 5
_TECHNICAL = frozenset(
    {"queries", "resolved", "queries_hmac_sha256", "hmac_key_id", "selector", "profile", "reason", "ticket"}
)


def question(request: Mapping[str, Any]) -> Html:
    """Return the chapter about what was asked for."""
    asked = [
        ("Reason", text(request.get("reason", ""), 500)),
        ("Ticket", text(request.get("ticket", ""))),
        ("Profile", text(request.get("profile", ""))),
        *_flat("", request.get("selector", {})),
        *(pair for key, value in request.items() if key not in _TECHNICAL for pair in _flat(key, value)),
    ]
    queries = request.get("queries")
    told = len(queries) if isinstance(queries, Sequence) else 0
    return section(
        "question",
        "What was asked",
        definitions(asked),
        resolved(request),
        paragraph(
            f"<code>data/request.json</code> holds the {count(told, 'query', 'queries')} by which the "
            "telemetry was read.",
            "" if request.get("requester") else "Who asked, and who downloaded it, is in the ledger.",
        )
        if told
        else "",
    )


def is_complete(completeness: Mapping[str, Any]) -> bool:
    """Tell whether the bundle may be called complete: only where its account says so in so many words."""
    return completeness.get("complete") is True


def what_is_missing(completeness: Mapping[str, Any]) -> list[Html]:
    """Return why the bundle is incomplete, a sentence each; none where it is complete."""
    told = list(_shortfalls(completeness))
    if told or is_complete(completeness):
        return told
    return [Html("<code>data/completeness.json</code> does not say that the bundle is complete.")]


def _shortfalls(completeness: Mapping[str, Any]) -> Iterator[Html]:
    at_source, here = number(completeness, "rows_at_source"), number(completeness, "rows_here")
    if at_source != here:
        yield Html(f"The workspace counted {count(at_source, 'row')}, and {here:,} are here.")
    short = [each for each in mappings(completeness.get("slices")) if each.get("complete") is False]
    if short:
        tables = sorted({str(each.get("table", "")) for each in short})
        shown = ", ".join(text(each, 40) for each in tables[:_LISTED])
        yield Html(
            f"{count(len(short), 'slice does', 'slices do')} not hold what the workspace counted: {shown}."
        )
    missing = completeness.get("missing_trace_ids")
    if isinstance(missing, Sequence) and missing:
        listed = ", ".join(code(each, 40) for each in missing[:_LISTED])
        more = f" and {len(missing) - _LISTED:,} more" if len(missing) > _LISTED else ""
        yield Html(
            f"{count(len(missing), 'trace that was', 'traces that were')} asked for: no row: {listed}{more}."
        )
    yield from _content_shortfalls(mapping(completeness.get("content")))
    yield from seal_shortfalls(completeness.get("seals"))


def _content_shortfalls(content: Mapping[str, Any]) -> Iterator[Html]:
    if not content or content.get("complete") is True:
        return
    pointing, here = number(content, "rows_pointing_there"), number(content, "rows_here")
    if pointing != here:
        yield Html(
            f"{count(pointing, 'row points', 'rows point')} to content in AppGenAIContent, and {here:,} of "
            "its rows are here. Where that table is protected, the app's identity is given no row and no "
            "error without the role Privileged Monitoring Data Reader on the workspace."
        )
    if any(each.get("complete") is False for each in mappings(content.get("slices"))) or pointing == here:
        yield Html("The rows of AppGenAIContent that were read are not those that the workspace counted.")


def completeness_chapter(completeness: Mapping[str, Any]) -> Html:
    """Return the chapter about completeness."""
    missing = what_is_missing(completeness)
    verdict = (
        paragraph(
            "<strong>Complete.</strong> Of each slice the workspace was asked for its rows and, apart from "
            "that, for their number; the two agree."
        )
        if not missing
        else paragraph('<strong class="bad">✕ INCOMPLETE.</strong>') + bullets(missing)
    )
    return section(
        "completeness",
        "Completeness",
        verdict,
        _tables(completeness),
        _content(mapping(completeness.get("content"))),
        _sampling(completeness),
        _unusable(completeness),
        seals_section(completeness.get("seals")),
    )


def _tables(completeness: Mapping[str, Any]) -> Html:
    sums: dict[str, list[int]] = {}
    for each in mappings(completeness.get("slices")):
        line = sums.setdefault(str(each.get("table", "")), [0, 0, 0])
        line[0] += 1
        line[1] += number(each, "rows_at_source")
        line[2] += number(each, "rows_here")
    rows = (
        (text(name, 40), Html(f"{slices:,}"), Html(f"{source:,}"), _beside(here, source))
        for name, (slices, source, here) in sums.items()
    )
    columns = ("Table", "Slices", "Rows at the source", "Rows here")
    return table("Rows by table", columns, rows, numbers={1, 2, 3}) if sums else Html("")


def _content(content: Mapping[str, Any]) -> Html:
    if content.get("complete") is not True:
        return Html("")
    return paragraph(
        f"Content: {count(number(content, 'rows_pointing_there'), 'row points', 'rows point')} to "
        f"AppGenAIContent, and {number(content, 'rows_here'):,} of its rows are here."
    )


def _beside(here: int, source: int) -> Html:
    return Html(f"{here:,}" if here == source else f'<strong class="bad">✕ {here:,}</strong>')


def _sampling(completeness: Mapping[str, Any]) -> Html:
    sampling = completeness.get("sampling")
    if not isinstance(sampling, Mapping):
        return Html("")
    standing = number(sampling, "rows_standing_for_more")
    if not standing:
        return paragraph(
            "No row stands for others: nothing was sampled away before it reached the workspace."
        )
    before = number(sampling, "rows_before_sampling")
    return paragraph(
        f"Sampling before the workspace: {count(standing, 'row stands', 'rows stand')} for more than one. "
        f"About {before:,} rows were written; those left out can't be exported by anyone."
    )


def _unusable(completeness: Mapping[str, Any]) -> Html:
    unusable = number(completeness, "unusable_trace_ids")
    if not unusable:
        return Html("")
    return paragraph(
        f"{count(unusable, 'operation of the time has', 'operations of the time have')} no OpenTelemetry "
        "trace id and can't be part of a bundle."
    )


def _flat(key: str, value: object) -> Iterator[tuple[str, Html]]:
    """Yield a JSON value as terms and what they are; of a list its length and its beginning."""
    term = key.replace("_", " ").replace(".", ", ").capitalize()
    match value:
        case Mapping():
            for inner, each in value.items():
                yield from _flat(f"{key}.{inner}" if key else str(inner), each)
        case str() | int() | float():
            yield term, Html(f"<bdi>{text(value)}</bdi>")
        case Sequence() if value:
            plain = [each for each in value if isinstance(each, str | int | float)]
            shown = ", ".join(code(each, 60) for each in plain[:_LONGEST_LIST])
            more = " …" if len(value) > _LONGEST_LIST else ""
            yield term, Html(f"{len(value):,}{': ' if shown else ''}{shown}{more}")
        case None | Sequence():
            return
        case _:
            yield term, text(value)
