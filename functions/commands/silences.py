"""`tracekeeper silences`: lists what is silenced, silences what is known of, and ends that."""

import argparse
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from functions.alerts.records import Json, instant_text
from functions.checks.definition import duration
from functions.commands.record import advised_to_write, open_record, person
from functions.delivery.phrases import count
from functions.silences.body import Author
from functions.silences.reading import list_silences
from functions.silences.store import SilenceStore
from functions.storage.documents import Documents
from functions.text_plot import safe

Say = Callable[[str], None]

_WHERE = (
    "The setting STORAGE_BLOB_ENDPOINT says where; sign in with `az login` as someone with Storage Blob Data "
)
_DURATION = re.compile(r"[1-9][0-9]{0,4}[mhd]")
_BETWEEN = re.compile(r"([0-9:]+)-([0-9:]+)")


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to those of the parser."""
    parser = commands.add_parser("silences", help="list, add and end silences")
    actions = parser.add_subparsers(required=True, metavar="COMMAND")
    listing = actions.add_parser(
        "list",
        help="list the silences with what each hides now",
        description=f"Lists the silences with what each hides now. {_WHERE}Reader on the container 'state'.",
    )
    listing.set_defaults(run=run_list)
    ending = actions.add_parser(
        "end",
        help="end a silence now",
        description=(
            f"Ends a silence now; what it hid is reported. {_WHERE}Contributor on the container 'state'."
        ),
    )
    ending.add_argument("id", metavar="ID", help="as `list` shows it")
    ending.set_defaults(run=run_end)
    _add_add(actions)


def _add_add(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = actions.add_parser(
        "add",
        help="silence what is known of, under your name",
        description=(
            "Silences the alerts that all matchers fit, for 30 days at most. A critical alert passes unless "
            f"--match severity=critical or --match alert=ID names it. {_WHERE}Contributor on the container "
            "'state'."
        ),
    )
    parser.add_argument("--reason", metavar="TEXT", required=True, help="why, for those who read it later")
    parser.add_argument(
        "--match",
        metavar="NAME=PATTERN",
        type=_match,
        action="append",
        required=True,
        help="check, agent, severity, owner, alert or a key column such as Tool; * and ? stand for anything",
    )
    lasting = parser.add_mutually_exclusive_group(required=True)
    lasting.add_argument(
        "--for", dest="lasts", metavar="TIME", type=_duration, help="90m, 4h or 7d, from now"
    )
    lasting.add_argument("--until", metavar="TIME", help="2026-05-01T12:00:00Z")
    parser.add_argument("--from", dest="start", metavar="TIME", help="likewise; now where it is left out")
    parser.add_argument("--weekdays", metavar="DAYS", help="only on these, as mon,tue")
    parser.add_argument("--between", metavar="HH:MM-HH:MM", type=_between, help="only at this time of day")
    parser.add_argument("--zone", metavar="ZONE", help="of that time, as Europe/Berlin")
    parser.set_defaults(run=run_add, refuse=parser.error)


def run_list(options: argparse.Namespace, say: Say) -> int:  # noqa: ARG001 - as all commands are run
    """List the silences; return 0, or 1 where what they hide can't be read. Raises TracekeeperError."""
    documents, _ = open_record()
    return show_list(documents, datetime.now(UTC), say)


def run_add(options: argparse.Namespace, say: Say) -> int:
    """Add a silence; return 0. Raises TracekeeperError."""
    now = datetime.now(UTC)
    body = asked(options, now)
    documents, _ = open_record()
    who = person()
    return add_silence(documents, body, Author(who.object_id, who.name), now, say)


def run_end(options: argparse.Namespace, say: Say) -> int:
    """End a silence; return 0. Raises TracekeeperError."""
    documents, _ = open_record()
    return end_silence(documents, options.id, person().object_id, datetime.now(UTC), say)


def asked(options: argparse.Namespace, now: datetime) -> Json:
    """Return the body of the silence that the options ask for."""
    recurs = (options.weekdays, options.between, options.zone)
    if any(recurs) and not all(recurs):
        options.refuse("--weekdays, --between and --zone belong together")
    matchers: dict[str, list[str]] = {}
    for name, pattern in options.match:
        matchers.setdefault(name, []).append(pattern)
    body: dict[str, Any] = {
        "reason": options.reason,
        "matchers": matchers,
        "ends_at": options.until or instant_text(now + options.lasts),
    }
    if options.start:
        body["starts_at"] = options.start
    if options.between:
        begins, ends = options.between
        days = options.weekdays.split(",")
        body["recurrence"] = {"weekdays": days, "from": begins, "to": ends, "zone": options.zone}
    return body


def show_list(documents: Documents, now: datetime, say: Say) -> int:
    """Say what there is of silences. Returns and raises as `run_list` does."""
    found = list_silences(documents, SilenceStore(documents, clock=lambda: now).read(), now)
    for silence in found["silences"]:
        for line in _lines(silence):
            say(line)
    if not found["silences"]:
        say("None.")
    for name in found["unreadable"]:
        say(f"{safe(name)} can't be read: what is hidden there is not known.")
    return 1 if found["unreadable"] else 0


def add_silence(documents: Documents, body: object, author: Author, now: datetime, say: Say) -> int:
    """Add a silence and say its id. Returns and raises as `run_add` does."""
    with advised_to_write():
        silence = SilenceStore(documents, clock=lambda: now).add(body, author)
    say(f"Silence {silence.id} ends at {silence.until:%Y-%m-%d %H:%M} UTC.")
    return 0


def end_silence(documents: Documents, silence_id: str, by: str, now: datetime, say: Say) -> int:
    """End a silence and say since when it is over. Returns and raises as `run_end` does."""
    with advised_to_write():
        silence = SilenceStore(documents, clock=lambda: now).end(silence_id, by)
    say(f"Silence {silence.id} is over since {silence.until:%Y-%m-%d %H:%M} UTC.")
    return 0


def _lines(silence: Json) -> Iterator[str]:
    until = silence["ended_at"] if silence["state"] == "ended" else None
    yield (
        f"{silence['id']}  {silence['state']:9}  until {(until or silence['ends_at'])[:16]}Z  "
        f"by {safe(silence['author'])}: {_whole(silence['reason'])}"
    )
    for name, patterns in silence["matchers"].items():
        yield f"  {safe(name)}: {', '.join(map(safe, patterns))}"
    if recurs := silence["recurrence"]:
        days = ",".join(recurs["weekdays"])
        yield f"  {days} {recurs['from']}-{recurs['to']} {safe(recurs['zone'])}"
    if hides := silence["hides"]:
        yield f"  hides {count(hides['count'], 'alert')} now, {hides['open']} open"
        for one in hides["hidden"]:
            key = ", ".join(map(safe, one["key"].values()))
            which = f"{one['alert_id']}  {safe(one['check_id'])}  {key}"
            yield f"    {one['severity']:8}  {which}: {one['state']}"
    for report in silence["reports"]:
        hid = f"hid {count(report['hid'], 'alert')}" if report["hid"] else "hid nothing"
        yield f"  {report['start'][:16]}Z: {hid}"


def _whole(text: str) -> str:
    """Return a reason, which prints as it is: only then was it taken."""
    return text if text.isprintable() else safe(text)


def _match(text: str) -> tuple[str, str]:
    name, _, pattern = text.partition("=")
    if not name or not pattern:
        raise argparse.ArgumentTypeError("must be NAME=PATTERN, as in agent=courier*")
    return name, pattern


def _duration(text: str) -> object:
    if not _DURATION.fullmatch(text):
        raise argparse.ArgumentTypeError("must be minutes, hours or days, as 90m, 4h or 7d")
    return duration(text)


def _between(text: str) -> tuple[str, str]:
    if not (found := _BETWEEN.fullmatch(text)):
        raise argparse.ArgumentTypeError("must be two times of day, as 22:00-06:00")
    return found[1], found[2]
