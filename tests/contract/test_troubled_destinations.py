"""Each way in which a destination can fail ends as designed, and the others get theirs on time.

The destinations are real webhooks over TLS on this machine, the ticks' clock is turned by hand. Run with -s
it prints what each of them came to.
"""

import socket
import ssl
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest

from functions.alerts.rules import DestinationRule
from functions.delivery.destinations.webhook import WebhookDestination
from local.serving import Service, make_certificates
from tests.unit.alerts.building import CHECK, RULES
from tests.unit.watch.world import EVENTS, World, minutes_until

DEADLINE = 1.5
"""Seconds that one attempt may take here; in the app it is 20."""

HANG, RESET = "hang", "reset"
BAD: dict[str, list[tuple[str | int, dict[str, str], bytes]]] = {
    "well": [],
    "429": [(429, {"Retry-After": "300"}, b"")],
    "500": [(500, {}, b"")] * 4,
    "hangs": [(HANG, {}, b"")],
    "resets": [(RESET, {}, b"")] * 2,
    "200 with an error": [(200, {}, b"Workflow run failed: HTTP 429")],
    "413": [(413, {}, b"")],
}
"""How each destination answers at first; after that it takes everything."""

AGENTS = [{"Agent": f"agent {n}", "Tool": ""} for n in range(3)]


@dataclass
class Webhooks:
    """All of the destinations' other sides, one path each.

    Attributes:
        arrived: By destination, what came: its key, the status it got, the seconds since `began`.
    """

    arrived: dict[str, list[tuple[str, str | int, float]]] = field(default_factory=lambda: defaultdict(list))
    began: float = 0.0
    over: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._bad = {name: iter(replies) for name, replies in BAD.items()}

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        name = list(BAD)[int(environ["PATH_INFO"].rsplit("/", 1)[1])]
        status, headers, text = next(self._bad[name], (202, {}, b""))
        key = environ["HTTP_IDEMPOTENCY_KEY"]
        self.arrived[name].append((key, status, time.monotonic() - self.began))
        if status == HANG:
            self.over.wait(10)
        if isinstance(status, str):
            environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
            raise ConnectionAbortedError
        start_response(f"{status} Scripted", [("Content-Length", str(len(text))), *headers.items()])
        return [text]

    def accepted(self, name: str) -> list[str]:
        return [key for key, status, _ in self.arrived[name] if status == 202]


@dataclass(frozen=True)
class Outcome:
    """What came of it: per destination the minutes after the findings at which each message was accepted."""

    webhooks: Webhooks
    minutes: dict[str, list[int]]
    state: Any
    others_after: float
    first_tick: float


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    certificates = make_certificates(Path(tmp_path_factory.mktemp("tls")))
    trust = ssl.create_default_context(cafile=certificates.authority)
    webhooks = Webhooks()
    rules = replace(
        RULES,
        destinations=tuple(DestinationRule(name, "webhook", "PAGER_WEBHOOK_URL") for name in BAD),
        resolve_after_quiet=100,
    )
    world = World({CHECK.id: {0: AGENTS}}, rules=rules, writer=EVENTS)
    with Service(webhooks, certificates) as service:
        for number, name in enumerate(BAD):
            world.destinations[name] = WebhookDestination(
                f"{service.url}/{number}", trust=trust, clock=lambda: world.now, deadline_seconds=DEADLINE
            )
        world.run(minutes_until(0) - 1)
        webhooks.began = time.monotonic()
        world.run(1)
        first_tick = time.monotonic() - webhooks.began
        at_once = [seen for name in BAD for seen in webhooks.arrived[name] if seen[1] == 202]
        minutes: dict[str, list[int]] = {name: [0] * len(webhooks.accepted(name)) for name in BAD}
        for minute in range(1, 31):
            world.run(1)
            for name in BAD:
                minutes[name] += [minute] * (len(webhooks.accepted(name)) - len(minutes[name]))
        webhooks.over.set()
    made = Outcome(webhooks, minutes, world.state(), max(seen[2] for seen in at_once), first_tick)
    print(table(made))  # noqa: T201 - the figures are asked for
    return made


def table(outcome: Outcome) -> str:
    """Return the figures, a destination a line."""
    lines = [f"\n{'destination':<18} answers (in order)                     accepted after minutes   refused"]
    for name, taken in outcome.minutes.items():
        answers = [str(status) for _, status, _ in outcome.webhooks.arrived[name]]
        refused = sum(entry.destination == name for entry in outcome.state.outbox.refused)
        lines.append(f"{name:<18} {' '.join(answers):<38} {taken!s:<24} {refused}")
    lines.append(
        f"Those that work had theirs {outcome.others_after:.2f} s after the tick began; the one that hangs "
        f"held the tick for {outcome.first_tick:.2f} s."
    )
    return "\n".join(lines)


def test_those_that_work_have_theirs_long_before_the_one_that_hangs_is_given_up(outcome: Outcome) -> None:
    assert outcome.minutes["well"] == [0, 0, 0]
    assert outcome.others_after < DEADLINE - 0.2
    assert outcome.first_tick >= DEADLINE


@pytest.mark.parametrize("name", BAD)
def test_all_that_is_not_refused_is_accepted_once(outcome: Outcome, name: str) -> None:
    taken = Counter(outcome.webhooks.accepted(name))
    assert set(taken.values()) == {1}
    assert len(taken) == (2 if name == "413" else 3)
    receipts = {one.key for one in outcome.state.outbox.receipts if one.destination == name}
    assert receipts == set(taken)
    assert not outcome.state.outbox.waiting


@pytest.mark.parametrize(
    ("name", "minutes"),
    [
        ("429", [5, 5, 5]),  # left alone for the 300 s that it asked for
        ("500", [4, 4, 4]),  # three failures, 30 s of an open circuit, one more that tries it, another minute
        ("hangs", [1, 1, 1]),
        ("resets", [2, 2, 2]),
        ("200 with an error", [1, 1, 1]),
        ("413", [0, 0]),
    ],
)
def test_each_ends_as_designed(outcome: Outcome, name: str, minutes: list[int]) -> None:
    assert outcome.minutes[name] == minutes


def test_what_is_refused_is_kept_with_the_reason(outcome: Outcome) -> None:
    (refused,) = outcome.state.outbox.refused
    assert (refused.destination, refused.attempts, refused.reason) == ("413", 1, "HTTP 413")


def test_a_failing_destination_is_tried_with_one_message_at_a_time(outcome: Outcome) -> None:
    bad = [status for _, status, _ in outcome.webhooks.arrived["500"]]
    assert bad == [500] * 4 + [202] * 3
