"""`tracekeeper alerts test`: sends a card by the way that alerts take, and says how far it came."""

import argparse
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

from functions.alerts.announcement import Announcement, DeliveryTest
from functions.alerts.announcements import NAME, Announcements, announcements_from_json
from functions.alerts.outbox import Outbox
from functions.alerts.rules import AlertRules
from functions.commands.record import open_record
from functions.errors import ConfigurationError, StorageError
from functions.storage.documents import Documents
from functions.text_plot import safe

Say = Callable[[str], None]

SIGNS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""What codes are made of: no sign looks like another."""

PAUSE = timedelta(seconds=5)
"""Between two looks at what became of the test."""


def add(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to those of `tracekeeper alerts`."""
    parser = actions.add_parser(
        "test",
        help="send a card that asks a person to confirm that they see it",
        description=(
            "Puts a card with a code into the app's outbox; the next tick sends it as it sends alerts. The "
            "setting STORAGE_BLOB_ENDPOINT says where; sign in with `az login` as someone with Storage Blob "
            "Data Contributor on the container 'state'. Exit code 0: all destinations accepted it, which is "
            "all that a webhook says: whether people see it they have to tell; 1: one did not."
        ),
    )
    parser.add_argument(
        "to",
        metavar="ROUTE|DESTINATION",
        help="a destination's name, or a route's number in alerts.yaml, from 1",
    )
    parser.add_argument(
        "--wait", metavar="MINUTES", type=_minutes, default=3, help="how long to wait; 3 by default"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, say: Say) -> int:
    """Send the test and wait; return 0 where all accepted it, else 1.

    Raises:
        TracekeeperError: There is no such destination, a setting is wrong, or storage failed.
    """
    from functions.clients import signed_in_as  # noqa: PLC0415 - other commands need none of Azure's packages

    documents, configuration = open_record()
    destinations = destinations_of(options.to, configuration.alerts)
    code = "".join(secrets.choice(SIGNS) for _ in range(4))
    test = announcement_of(code, destinations, asked_by=signed_in_as(), at=datetime.now(UTC))
    return send(
        documents, test, attempts=int(options.wait * 60 / PAUSE.total_seconds()), pause=_pause, say=say
    )


def destinations_of(to: str, rules: AlertRules) -> tuple[str, ...]:
    """Return the destination of this name, or those of the route of this number and whom it escalates to.

    Raises:
        ConfigurationError: There is neither.
    """
    names = [rule.name for rule in rules.destinations]
    if to in names:
        return (to,)
    if to.isdecimal() and 1 <= int(to) <= len(rules.routes):
        route = rules.routes[int(to) - 1]
        return tuple(dict.fromkeys((*route.destinations, *route.escalate_to)))
    raise ConfigurationError(
        "There is no such destination or route in alerts.yaml.",
        next_step=f"Destinations: {', '.join(names)}; routes: 1 to {len(rules.routes)}.",
    )


def announcement_of(code: str, destinations: Sequence[str], *, asked_by: str, at: datetime) -> Announcement:
    """Return the test that is announced."""
    body = DeliveryTest(code=code, asked_by=asked_by)
    return Announcement(f"test-{at:%Y%m%dT%H%M%SZ}-{code}", "test", at, tuple(destinations), dict(body))


def send(
    documents: Documents, test: Announcement, *, attempts: int, pause: Callable[[], None], say: Say
) -> int:
    """Announce a test, and look what became of it until every destination answered for good.

    Args:
        documents: Where it is announced.
        test: What.
        attempts: How often to look.
        pause: Called between two looks.
        say: Prints a line.

    Raises:
        StorageError: The document can't be read or written.
    """
    try:
        Announcements(documents).add(test)
    except StorageError as error:
        raise StorageError(
            error.message,
            next_step="Sign in as someone with Storage Blob Data Contributor on the container 'state'.",
        ) from error
    say(f"The code is {test.body['code']}. It is sent within a minute.")
    open_ones = list(test.destinations)
    accepted = 0
    for _ in range(attempts):
        pause()
        for name, told, well in list(_answers(_outbox(documents), test.key)):
            if name in open_ones:
                say(f"{safe(name)}: {told}")
                open_ones.remove(name)
                accepted += well
        if not open_ones:
            break
    for name in open_ones:
        say(f"{safe(name)}: {_waiting(_outbox(documents), test.key, name)}")
    if accepted:
        say(f"Accepted is not seen: ask in the channel whether a card shows the code {test.body['code']}.")
    return 0 if accepted == len(test.destinations) else 1


def _answers(outbox: Outbox, key: str) -> Iterator[tuple[str, str, bool]]:
    """Yield destination, what it answered for good, and whether that is well."""
    for receipt in outbox.receipts:
        if receipt.key == key:
            yield receipt.destination, f"accepted with {receipt.status} at attempt {receipt.attempts}.", True
    for entry in outbox.refused:
        if entry.key == key:
            yield entry.destination, f"not accepted: {safe(entry.reason or 'no reason')}", False


def _waiting(outbox: Outbox, key: str, destination: str) -> str:
    for entry in outbox.waiting:
        if (entry.key, entry.destination) == (key, destination) and entry.attempts:
            return f"not accepted yet after {entry.attempts} attempts: {safe(entry.reason or 'no reason')}"
    return "not sent yet. Does the app run? It ticks every minute."


def _outbox(documents: Documents) -> Outbox:
    held = documents.read(NAME)
    return announcements_from_json(held.body) if held else Outbox()


def _pause() -> None:
    time.sleep(PAUSE.total_seconds())


def _minutes(text: str) -> int:
    if not (text.isdecimal() and 1 <= int(text) <= 60):
        raise argparse.ArgumentTypeError("must be 1 to 60")
    return int(text)
