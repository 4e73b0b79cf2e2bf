"""Writes how a bundle stands beside the seals, from the body that reconciling gave. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from functions.evidence.report.bodies import mapping, mappings, number
from functions.evidence.report.html import Html, bullets, code, count, joined, paragraph, table, text

_NAMED = 20
_DAYS = 40


def seals_agree(seals: object) -> bool:
    """Tell whether the seals say in so many words that nothing sealed is missing."""
    return mapping(seals).get("complete") is True


def seal_shortfalls(seals: object) -> Iterator[Html]:
    """Yield what the seals show to be missing, a sentence each; none where nothing was compared."""
    body = mapping(seals)
    if not body or seals_agree(body):
        return
    told = list(_shortfalls(body))
    yield from told or [Html("The seals do not say that nothing is missing.")]


def _shortfalls(body: Mapping[str, Any]) -> Iterator[Html]:
    vanished, expired = mapping(body.get("vanished")), mapping(body.get("expired"))
    if number(vanished, "traces"):
        gone = count(number(vanished, "traces"), "sealed trace is", "sealed traces are")
        yield Html(f"{gone} no longer at the source: {_ids(vanished)}.")
    if number(expired, "traces"):
        gone = count(number(expired, "traces"), "sealed trace is", "sealed traces are")
        yield Html(
            f"{gone} past the end of the retention, which reaches back to {text(body.get('kept_since'))}."
        )
    if body.get("behind_retention") is True:
        yield Html(f"The time asked for begins before the retention, {text(body.get('kept_since'))}.")
    for damage in _texts(body.get("damaged")):
        yield Html(f"A seal is damaged: {text(damage)}")


def seals_section(seals: object) -> Html:
    """Return what is known of the seals."""
    body = mapping(seals)
    if not body:
        return paragraph(
            "Seals: this bundle was not compared with any. A trace that vanished earlier would not be missed."
        )
    days, unsealed = mappings(body.get("days")), mappings(body.get("not_sealed"))
    never = _texts(body.get("never_sealed"))
    return joined(
        (
            paragraph(_verdict(body, days), text(body["basis"], 400) if body.get("basis") else ""),
            bullets(seal_shortfalls(body)),
            _days(days),
            bullets(
                Html(f"{text(each.get('day'))} is not sealed: {text(each.get('why'))}") for each in unsealed
            ),
            paragraph(f"{count(len(never), 'trace', 'traces')} asked for in no seal: {_listed(never)}.")
            if never
            else "",
        )
    )


def _verdict(body: Mapping[str, Any], days: Sequence[Mapping[str, Any]]) -> str:
    if not seals_agree(body):
        return '<strong class="bad">✕ The seals show that something is missing.</strong>'
    if not days:
        return (
            "<strong>Seals: nothing was compared.</strong> A trace that vanished earlier would not be missed."
        )
    compared = sum(number(day, "compared") for day in days)
    return (
        f"<strong>The seals agree.</strong> {count(compared, 'sealed trace', 'sealed traces')} of "
        f"{count(len(days), 'day')} were looked for, and all are still at the source."
    )


def _days(days: Sequence[Mapping[str, Any]]) -> Html:
    if not days:
        return Html("")
    rows = (
        (text(day.get("day")), Html(f"{number(day, 'compared'):,}"), code(day.get("ledger_hash") or "none"))
        for day in days[:_DAYS]
    )
    return table(
        "Sealed days",
        ("Day (UTC, by arrival)", "Traces looked for", "The seal's entry in the ledger"),
        rows,
        numbers={1},
    )


def _ids(gone: Mapping[str, Any]) -> Html:
    return _listed(
        [str(each.get("trace_id", "")) for each in mappings(gone.get("named"))], number(gone, "traces")
    )


def _listed(ids: Sequence[str], of: int = 0) -> Html:
    more = max(len(ids), of) - _NAMED
    return Html(
        ", ".join(code(each, 40) for each in ids[:_NAMED])
        + (f" and {more:,} more in <code>data/completeness.json</code>" if more > 0 else "")
    )


def _texts(value: object) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, Sequence) else []
