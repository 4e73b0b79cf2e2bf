"""Writes the HTML of the report: data is escaped here, and a type keeps it apart from markup. Pure."""

import html
import re
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import NewType

from functions.alerts.escaping import cut, plain

Html = NewType("Html", str)
"""Markup, with all data in it escaped."""

LONGEST = 200
"""Characters shown of one value; what is longer ends in an ellipsis."""

NOTHING = Html("—")

_TAG = re.compile("<[^>]*>")
_SHORT = 12  # rows of a table that is kept on one page


def text(value: object, most: int = LONGEST) -> Html:
    """Return a value as one line of inert text: no markup, control, bidirectional or invisible characters."""
    shown = cut(plain(str(value)[: 20 * most]), most)
    return Html(html.escape(shown)) if shown else NOTHING


def name(value: object, most: int = 80) -> Html:
    """Return a name out of telemetry, kept from reordering what stands beside it."""
    return Html(f"<bdi>{text(value, most)}</bdi>")


def code(value: object, most: int = LONGEST) -> Html:
    """Return an id, a file's name or a command."""
    return Html(f"<code>{text(value, most)}</code>")


def words(markup: Html) -> str:
    """Return what markup says, without it: for where text is shown as text."""
    return html.unescape(_TAG.sub("", markup))


def joined(parts: Iterable[str], between: str = "\n") -> Html:
    """Put pieces of markup together, without those that are empty."""
    return Html(between.join(filter(None, parts)))


def paragraph(*sentences: str) -> Html:
    """Return sentences, already markup, as a paragraph; nothing where there is none."""
    whole = " ".join(filter(None, sentences))
    return Html(f"<p>{whole}</p>") if whole else Html("")


def bullets(items: Iterable[Html]) -> Html:
    """Return a list; nothing where there are no items."""
    listed = "\n".join(f"<li>{item}</li>" for item in items)
    return Html(f"<ul>\n{listed}\n</ul>") if listed else Html("")


def section(anchor: str, title: str, *parts: str) -> Html:
    """Return one chapter of the report."""
    body = "\n".join(filter(None, parts))
    return Html(
        f'<section id="{anchor}" aria-labelledby="{anchor}-title">\n'
        f'<h2 id="{anchor}-title">{text(title)}</h2>\n{body}\n</section>'
    )


def table(
    caption: str, columns: Sequence[str], rows: Iterable[Sequence[Html]], *, numbers: Collection[int] = ()
) -> Html:
    """Return a table whose first cell of each row names it.

    Args:
        caption: What it shows, as text.
        columns: Their headings, as text.
        rows: Cells, already markup.
        numbers: Places of the columns that hold numbers.
    """
    kinds = [' class="n"' if place in numbers else "" for place in range(len(columns))]
    head = "".join(
        f'<th scope="col"{kind}>{text(title)}</th>' for kind, title in zip(kinds, columns, strict=True)
    )
    lines = [
        f'<tr><th scope="row">{cells[0]}</th>'
        + "".join(f"<td{kind}>{cell}</td>" for kind, cell in zip(kinds[1:], cells[1:], strict=True))
        + "</tr>"
        for cells in rows
    ]
    length = " short" if len(lines) <= _SHORT else ""
    return Html(
        f'<div class="wide{length}" role="region" tabindex="0" aria-label="{text(caption)}">\n'
        f"<table>\n<caption>{text(caption)}</caption>\n<thead><tr>{head}</tr></thead>\n<tbody>\n"
        + "\n".join(lines)
        + "\n</tbody>\n</table>\n</div>"
    )


def definitions(pairs: Iterable[tuple[str, Html]]) -> Html:
    """Return a list of terms, as text, and what they are, already markup."""
    listed = "\n".join(f"<div><dt>{text(term)}</dt><dd>{what}</dd></div>" for term, what in pairs)
    return Html(f"<dl>\n{listed}\n</dl>")


def count(number: int, one: str, several: str = "") -> Html:
    """Return a number and its noun: "1 trace", "1,200 traces"."""
    return Html(f"{number:,} {one if number == 1 else several or one + 's'}")


def moment(instant: datetime) -> Html:
    """Return an instant to the second, UTC."""
    return Html(f"{instant.astimezone(UTC):%Y-%m-%d %H:%M:%S}")


def duration(milliseconds: float) -> Html:
    """Return a length of time with three digits or so, in the unit that reads best."""
    if milliseconds < 1000:
        return Html(
            f"{milliseconds:.0f} ms" if milliseconds >= 10 or not milliseconds else f"{milliseconds:.1f} ms"
        )
    seconds = milliseconds / 1000
    if seconds < 60:
        return Html(f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.1f} s")
    minutes = round(seconds / 60)
    return Html(f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{seconds / 60:.1f} min")


def money(amount: Decimal, currency: str) -> Html:
    """Return an amount to the millionth: single calls cost little."""
    return Html(f"{text(currency, 8)} {amount:.6f}")
