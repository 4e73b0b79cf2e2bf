"""Judges what can be seen: good sight, not allowed to look, content has moved, pipeline late. Pure.

Azure Monitor hides a protected table without a word: its reader gets no rows and no error. So a check that
finds nothing has passed only where something known to be there was seen too.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from functions.canary.marker import Marker

SPANS, CONTENT = "spans", "content"
"""The needs of a check that are watched: the ordinary tables, and GenAI content."""

Answer = Literal["pass", "not_allowed", "moved", "late", "unknown"]
Place = Literal["table", "inline"]
"""Where content lies: in AppGenAIContent, or in the ordinary tables."""

WORDS: Mapping[Answer, str] = {
    "pass": "sight is good",
    "not_allowed": "not allowed to look",
    "moved": "content has moved",
    "late": "pipeline late",
    "unknown": "nobody knows",
}

IN_TIME = timedelta(minutes=5)
"""A row that needs longer comes after its window may have been judged: no check settles for less."""

REMEMBERED = timedelta(hours=1)
"""How long a marker run is asked for."""

FRESH = timedelta(minutes=20)
"""How long a marker run says something about the present: four are sent in this time."""

SURELY_THERE = timedelta(minutes=15)
"""Content that is not to be seen after this is hidden, not late."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One of the answers, and in our own words why."""

    answer: Answer
    why: str


@dataclass(frozen=True, slots=True)
class NeedSight:
    """What is known of one need, and since when the answer is the same."""

    answer: Answer
    why: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Sight:
    """What could be seen when it was last asked for.

    Attributes:
        asked_at: When, UTC.
        needs: By SPANS and CONTENT; without canaries nothing is known of SPANS, and it is left out.
    """

    asked_at: datetime
    needs: Mapping[str, NeedSight]


@dataclass(frozen=True, slots=True)
class MarkerRow:
    """The tool call of a marker run, as the ordinary table shows it.

    Attributes:
        trace_id: The marker's.
        received: When it could be queried first.
        pointer: Whether it points to content elsewhere.
        inline: Whether it holds the content itself.
    """

    trace_id: str
    received: datetime
    pointer: bool
    inline: bool


@dataclass(frozen=True, slots=True)
class PointerRow:
    """A span of an agent whose content is elsewhere."""

    trace_id: str
    span_id: str
    received: datetime


def judge_spans(accepted: Sequence[Marker], rows: Sequence[MarkerRow], *, now: datetime) -> Verdict:
    """Judge the ordinary tables by the marker runs that were accepted in the last `REMEMBERED`.

    Args:
        accepted: What the ingestion endpoint took.
        rows: What of it can be seen.
        now: The present instant, UTC.
    """
    if all(now - marker.at > FRESH for marker in accepted):
        return Verdict("unknown", "No marker run was accepted lately.")
    seen = {row.trace_id for row in rows}
    last_seen = max((marker.at for marker in accepted if marker.trace_id in seen), default=None)
    due = [marker.at for marker in accepted if now - marker.at >= IN_TIME]
    if due and (last_seen is None or last_seen < max(due)):
        return Verdict("late", "A marker run was accepted, and its row is not there in time.")
    if last_seen is None:
        return Verdict("unknown", "The first marker run is on its way.")
    return Verdict("pass", "")


def judge_content(
    rows: Sequence[MarkerRow], content: Collection[str] | None, *, expected: Place, now: datetime
) -> Verdict:
    """Judge the content of the marker runs that can be seen in the ordinary table.

    Args:
        rows: The marker runs' rows there.
        content: Those whose content is in AppGenAIContent, by trace id; None where that could not be asked.
        expected: Where content should lie.
        now: The present instant, UTC.
    """
    if content is None:
        return Verdict("unknown", "AppGenAIContent could not be asked.")
    if not rows:
        return Verdict("unknown", "No marker run is to be seen whose content could be asked for.")
    newest_first = sorted(rows, key=lambda row: row.received, reverse=True)
    hidden = [row for row in newest_first if row.pointer and not row.inline and row.trace_id not in content]
    if len(hidden) == len(rows):
        return Verdict("not_allowed", "The pointer is there, and what it points to is not to be seen.")
    # What has only just come may still wait for its content; an earlier one shows that looking is allowed.
    decisive = next(row for row in newest_first if row not in hidden or now - row.received >= IN_TIME)
    if decisive in hidden:
        return Verdict("late", "Earlier content is to be seen, and the latest is not there in time.")
    if decisive.inline:
        found: Place | None = "inline"
    else:
        found = "table" if decisive.trace_id in content else None
    if found == expected:
        return Verdict("pass", "")
    return Verdict("moved", _MOVED[found])


_MOVED: Mapping[Place | None, str] = {
    "inline": "Content lies in the ordinary tables.",
    "table": "Content lies in AppGenAIContent.",
    None: "Content is neither in the ordinary tables nor where they point to.",
}


def judge_pointers(
    pointers: Sequence[PointerRow],
    content: Collection[tuple[str, str]] | None,
    *,
    before: NeedSight | None,
    now: datetime,
) -> Verdict:
    """Judge content without canaries: by agents' own spans that point to content.

    Args:
        pointers: Some of them, received at least `IN_TIME` ago.
        content: Those with a row in AppGenAIContent, as (trace id, span id); None where not asked.
        before: The last answer: it stands as long as nothing new says otherwise.
        now: The present instant, UTC.
    """
    if content is None:
        return Verdict("unknown", "AppGenAIContent could not be asked.")
    if not pointers:
        return Verdict(before.answer, before.why) if before else Verdict("pass", "")
    if any((row.trace_id, row.span_id) in content for row in pointers):
        return Verdict("pass", "")
    if all(now - row.received < SURELY_THERE for row in pointers):
        return Verdict("late", "Spans point to content that is not there in time.")
    return Verdict("not_allowed", "Spans point to content, and none of it is to be seen.")


def carried_on(before: Sight | None, verdicts: Mapping[str, Verdict], now: datetime) -> Sight:
    """Return the sight that follows: an answer that is the same keeps its beginning."""

    def since(need: str, verdict: Verdict) -> datetime:
        earlier = before.needs.get(need) if before else None
        return earlier.since if earlier and earlier.answer == verdict.answer else now

    return Sight(
        now,
        {
            need: NeedSight(verdict.answer, verdict.why, since(need, verdict))
            for need, verdict in verdicts.items()
        },
    )
