"""Writes the cards of what is not about one alert: a silence's report, a week, an export, a test. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

from functions.alerts.announcement import Announcement, DeliveryTest
from functions.alerts.escaping import escape
from functions.alerts.records import instant
from functions.delivery.cards.elements import (
    Element,
    button,
    header,
    message,
    paragraph,
    table,
    text_table,
)
from functions.delivery.links import alert_link, export_link, open_alerts_link
from functions.delivery.phrases import count, label, length_of, moment, number, quantity
from functions.evidence.exports.told import ScheduledExport
from functions.summary.body import Week
from functions.summary.table import summary_lines

_REASON_LENGTH = 200
_TITLE_LENGTH = 100


def announcement_card(announcement: Announcement, base_url: str) -> Mapping[str, Any]:
    """Return the message with an announcement's card.

    Args:
        announcement: What to tell; its kind's own module gives its body's form.
        base_url: Where the HTTP API is.

    Raises:
        KeyError, TypeError, ValueError: The body has another form.
        TracekeeperError: The card is larger than Teams takes.
    """
    write = {
        "silence_report": _silence_report,
        "weekly_summary": _weekly_summary,
        "scheduled_export": _scheduled_export,
        "test": _test,
    }
    return write[announcement.kind](announcement, base_url)


def _silence_report(announcement: Announcement, base_url: str) -> Mapping[str, Any]:
    body, silence = announcement.body, announcement.body["silence"]
    start, end = instant(silence["starts_at"]), instant(silence["ends_at"])
    still_open = f", {body['open']:,} still open" if body["open"] else ""
    first_line = f"SILENCE OVER · it hid {count(body['count'], 'alert')}{still_open}"
    again = " It comes again as planned." if silence["recurs"] else ""
    return message(
        [
            header(
                "warning" if body["open"] else "emphasis",
                first_line,
                f"By {escape(silence['author'])}.{again} Reason: {escape(silence['reason'], _REASON_LENGTH)}",
            ),
            table(
                [
                    ("From", moment(start)),
                    ("To", f"{moment(end)} ({length_of(end - start)})"),
                    *((label(name), _patterns(given)) for name, given in silence["matchers"].items()),
                ]
            ),
            *_hidden(body, base_url),
        ],
        [button("All open alerts", open_alerts_link(base_url))],
        headline=first_line,
        about="a silence's report",
    )


def _patterns(given: list[str]) -> str:
    shown = ", ".join(escape(pattern, 40) for pattern in given[:3])
    return f"{shown} and {len(given) - 3} more" if len(given) > 3 else shown


def _hidden(body: Mapping[str, Any], base_url: str) -> Iterator[Element]:
    for one in body["hidden"]:
        since = instant(one["since"])
        until = instant(one["until"]) if one["until"] else None
        lasted = f"over after {length_of(until - since)}" if until else "STILL OPEN"
        subject = one["key"].get("Agent") or next(iter(one["key"].values()), "")
        limit = "" if one["threshold"] is None else f", limit {number(one['threshold'])}"
        times = f", opened {one['episodes']:,} times" if one["episodes"] > 1 else ""
        line = (
            f"{one['severity'].upper()} · {escape(subject)} · {escape(one['title'], _TITLE_LENGTH)}: "
            f"{quantity(one['value'], one['unit'])}{limit}"
        )
        yield paragraph(f"[{line}]({alert_link(base_url, one['alert_id'])})")
        yield paragraph(f"Since {moment(since)}, {lasted}{times}.", size="Small", spacing="None")
    if (more := body["count"] - len(body["hidden"])) > 0:
        yield paragraph(f"And {count(more, 'more alert')}; the list of alerts has them.", spacing="Small")
    if body["open"]:
        yield paragraph("What is still open, and nobody has taken on, is told again now.", separator=True)


def _weekly_summary(announcement: Announcement, base_url: str) -> Mapping[str, Any]:
    week = cast("Week", announcement.body)
    figures = []
    if week["runs"] is not None:
        figures.append(count(week["runs"]["runs"], "run"))
    if week["alerts"] is not None:
        figures.append(f"{count(week['alerts']['opened'], 'alert')}, {week['alerts']['open']:,} open")
    if week["cost"] is not None:
        figures.append(f"{week['cost']['cost']:,.2f} {week['cost']['currency']}")
    first_line = " · ".join(["WEEK", *figures])
    return message(
        [
            header(
                "accent", first_line, "What seven days came to; in brackets the change to the week before."
            ),
            *text_table(summary_lines(week)),
        ],
        [button("All open alerts", open_alerts_link(base_url))],
        headline=first_line,
        about="a week's summary",
    )


def _scheduled_export(announcement: Announcement, base_url: str) -> Mapping[str, Any]:
    body = cast("ScheduledExport", announcement.body)
    name = escape(body["schedule"], 63)
    if body["traces"] is None:
        style, first_line = "attention", f"NO EXPORT · {name} · {escape(body['state'])}"
        sentence = f"{escape(body['why'] or 'It was given up.', _REASON_LENGTH)}"
    elif body["complete"]:
        style, first_line = "good", f"EXPORT READY · {name} · {count(body['traces'], 'trace')}"
        sentence = "Complete: it holds every row that the source counted. Open report.html in it first."
    else:
        style, first_line = "warning", f"EXPORT INCOMPLETE · {name} · {count(body['traces'], 'trace')}"
        sentence = "Something that should be in it is not: completeness.json says what."
    missed = body["missed_weeks"]
    late = f" Before it {count(missed, 'week')} went without an export, since nothing ran." if missed else ""
    facts = [
        ("From", moment(instant(body["start"]))),
        ("To", moment(instant(body["end"]))),
        ("Profile", escape(body["profile"])),
        ("Ticket", escape(body["ticket"])),
    ]
    if body["traces"] is not None:
        facts.append(
            ("Holds", f"{count(body['spans'] or 0, 'span')}, {count(body['rows'] or 0, 'row')} in all")
        )
    if body["export_id"] is not None:
        facts.append(("Export", escape(body["export_id"])))
    link = export_link(base_url, body["export_id"] or "")
    return message(
        [header(style, first_line, f"{sentence}{late}"), table(facts)],
        [button("The export", link)] if link else [],
        headline=first_line,
        about="a scheduled export",
    )


def _test(announcement: Announcement, base_url: str) -> Mapping[str, Any]:  # noqa: ARG001 - as its like
    body = cast("DeliveryTest", announcement.body)
    first_line = f"TEST {escape(body['code'])} · nothing is wrong · do you see this card?"
    return message(
        [
            header(
                "accent",
                first_line,
                f"Asked for by {escape(body['asked_by'])} at {moment(announcement.at)}.",
            ),
            paragraph(
                f"Please tell them that the card {escape(body['code'])} has arrived. Teams only says "
                "that it accepted it: whether it came through, only you can say."
            ),
        ],
        headline=first_line,
        about="a test",
    )
