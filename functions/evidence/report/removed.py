"""Writes the chapter on what was left out and by which rule, from the body of redactions.json. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from functions.evidence.report.bodies import mapping, number
from functions.evidence.report.html import NOTHING, Html, code, count, paragraph, section, table, text

_NAMED = 40
_ACTIONS: Mapping[str, str] = {
    "drop": "Dropped, since a rule says so",
    "pseudonymize": "Replaced by a pseudonym",
    "mask": "Taken into content.jsonl, masked",
    "generalize": "Made coarser",
    "misfit": "Dropped, since the value has not the shape that its rule allows",
    "detector": "Dropped, since a detector found something in it",
    "unknown": "Dropped, since no rule names it",
}


def content_sentence(request: Mapping[str, Any], redactions: Mapping[str, Any]) -> str:
    """Return what the report's answer has to say of content, as markup; it promises no more than is known."""
    content = mapping(redactions.get("content"))
    if request.get("profile") == "metadata" and not content:
        return "No free text of people or models is in it."
    if content and number(content, "withheld") + number(content, "structure_only") == number(
        content, "parts"
    ):
        return "Of what people and models said only the structure is in it, and no text."
    return (
        "<strong>What people and models said is in it</strong>, masked: names and addresses have no pattern "
        "and may still be there."
    )


def removed(redactions: Mapping[str, Any]) -> Html:
    """Return the chapter about what was left out, and by which rule."""
    sums: dict[str, list[tuple[int, str]]] = {}
    for rule, values in mapping(redactions.get("removed")).items():
        action, _, what = str(rule).partition(":")
        if isinstance(values, int):
            sums.setdefault(action, []).append((values, what))
    rows = (
        (
            text(_ACTIONS.get(action, action)),
            Html(f"{sum(values for values, _ in its):,}"),
            _of_which(sorted(its, key=lambda one: (-one[0], one[1]))),
        )
        for action, its in sorted(sums.items())
    )
    unknown = mapping(redactions.get("unknown_attributes"))
    names = unknown.get("names")
    told = len(names) if isinstance(names, Sequence) else 0
    more = "" if unknown.get("complete", True) else " or more"
    return section(
        "removed",
        "What was removed, and by which rule",
        paragraph(
            "Nothing leaves that no rule names. The rules are the policy with this SHA-256: "
            f"{code(redactions.get('policy_sha256', ''))}.",
            "Ids of people, customers and conversations are pseudonyms: 24 letters that stand for the same "
            "id in every bundle, as long as the key stays.",
        ),
        _content(redactions),
        table("Values removed", ("What was done", "Values", "Of which"), rows, numbers={1})
        if sums
        else paragraph("No value was removed."),
        paragraph(
            f"{count(told, 'attribute name is', 'attribute names are')}{more} unknown to the policy; "
            "<code>data/redactions.json</code> has them as pseudonyms."
        )
        if told
        else "",
        _rescan(redactions),
    )


def _content(redactions: Mapping[str, Any]) -> Html:
    content = mapping(redactions.get("content"))
    if not content:
        return Html("")
    masked = sum(each for each in mapping(content.get("masked")).values() if isinstance(each, int))
    without = number(content, "withheld") + number(content, "structure_only")
    notice = content.get("notice") if without < number(content, "parts") else ""
    return paragraph(
        f"<strong>Content is included:</strong> {count(number(content, 'parts'), 'part')} of messages in "
        f"<code>data/content.jsonl</code>, {without:,} of them without their text; "
        f"{count(masked, 'stretch', 'stretches')} masked.",
        text(notice, 500) if notice else "",
    )


def _of_which(its: Sequence[tuple[int, str]]) -> Html:
    named = [f"<bdi>{text(what, 60)}</bdi> {values:,}" for values, what in its if what]
    more = f" and {len(named) - _NAMED} more" if len(named) > _NAMED else ""
    return Html(", ".join(named[:_NAMED]) + more) if named else NOTHING


def _rescan(redactions: Mapping[str, Any]) -> Html:
    rescan = mapping(redactions.get("rescan"))
    files = rescan.get("files")
    if rescan.get("found") != 0 or not isinstance(files, Sequence):
        return Html("")
    return paragraph(
        f"The finished bytes of {count(len(files), 'file')} were searched again for secrets and personal "
        "data: nothing was found. Had anything been, there would be no bundle.",
        ""
        if redactions.get("content")
        else "Names of people and addresses have no pattern: what keeps them out is that no rule lets free "
        "text through.",
    )
