"""What the host hands to a function and what comes back, as values, in the form the Functions runtime reads.

The forms are those of the host's gRPC contract: https://github.com/Azure/azure-functions-language-worker-protobuf
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from azure_functions_runtime.bindings.datumdef import Datum


@dataclass(frozen=True, slots=True)
class HttpCall:
    """One HTTP request: header names in lower case, values of a repeated query name joined by commas."""

    method: str
    url: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    route: Mapping[str, str]
    body: bytes

    def trigger(self) -> Datum:
        """The value of the trigger's parameter."""
        parts: dict[str, Any] = {
            "method": _text(self.method),
            "url": _text(self.url),
            "headers": {name: _text(value) for name, value in self.headers.items()},
            # The host drops empty query values before the worker sees them.
            "query": {name: _text(value) for name, value in self.query.items() if value},
            "params": {name: _text(value) for name, value in self.route.items()},
            "body": Datum(self.body, "bytes"),
        }
        return Datum(parts, "http")

    def metadata(self) -> dict[str, Datum]:
        """What the trigger knows beyond its value."""
        return {}


@dataclass(frozen=True, slots=True)
class TimerCall:
    """One timer tick; the times are aware, `last` is None before the first run.

    A tick that a person asked for has no schedule status, as on Azure.
    """

    past_due: bool = False
    last: datetime | None = None
    next: datetime | None = None

    def trigger(self) -> Datum:
        """The value of the trigger's parameter."""
        status = None
        if self.next is not None:
            last = self.last.isoformat() if self.last else "0001-01-01T00:00:00+00:00"
            status = {"Last": last, "Next": self.next.isoformat(), "LastUpdated": last}
        body = {"Schedule": {"AdjustForDST": True}, "ScheduleStatus": status, "IsPastDue": self.past_due}
        return Datum(json.dumps(body), "json")

    def metadata(self) -> dict[str, Datum]:
        """What the trigger knows beyond its value."""
        return {}


@dataclass(frozen=True, slots=True)
class QueueCall:
    """One queue message, its body decoded; the times are aware."""

    message_id: str
    body: bytes
    dequeue_count: int
    inserted: datetime
    expires: datetime
    next_visible: datetime
    pop_receipt: str

    def trigger(self) -> Datum:
        """The value of the trigger's parameter: text, unless the body is no UTF-8."""
        try:
            return _text(self.body.decode())
        except UnicodeDecodeError:
            return Datum(self.body, "bytes")

    def metadata(self) -> dict[str, Datum]:
        """What the trigger knows beyond its value."""
        return {
            "Id": _text(self.message_id),
            "DequeueCount": _text(str(self.dequeue_count)),
            "InsertionTime": _text(self.inserted.isoformat()),
            "ExpirationTime": _text(self.expires.isoformat()),
            "NextVisibleTime": _text(self.next_visible.isoformat()),
            "PopReceipt": _text(self.pop_receipt),
        }


Call = HttpCall | TimerCall | QueueCall


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """A function's HTTP response."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """A message that the function put on a queue through an output binding.

    Attributes:
        queue: The queue's name as the binding has it.
        connection: The name of the binding's connection setting.
        body: Before any encoding.
    """

    queue: str
    connection: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Succeeded:
    """The function returned; `answer` is None unless it is an HTTP function."""

    answer: HttpAnswer | None
    messages: tuple[OutgoingMessage, ...]


@dataclass(frozen=True, slots=True)
class Failed:
    """The function raised, or what it returned fits none of its bindings.

    Attributes:
        error_type: The exception's class name; its text stays in the log.
    """

    error_type: str


Outcome = Succeeded | Failed


def read_answer(datum: Datum) -> HttpAnswer:
    """The response that a function with an HTTP output returned."""
    if datum.type == "string":
        return HttpAnswer(200, (("content-type", "text/plain; charset=utf-8"),), datum.value.encode())
    parts = datum.value
    headers = [(name, value.value) for name, value in parts["headers"].items()]
    for cookie in parts["cookies"] or ():
        headers.extend(("set-cookie", morsel.OutputString()) for morsel in cookie.values())
    return HttpAnswer(int(parts["status_code"].value), tuple(headers), parts["body"].value)


def read_messages(datum: Datum) -> tuple[bytes, ...]:
    """The bodies that a queue output holds: one, or one for each entry of a list."""
    if datum.type == "string":
        return (datum.value.encode(),)
    if datum.type == "bytes":
        return (datum.value,)
    entries = json.loads(datum.value) if datum.type == "json" else datum.value
    return tuple(
        (entry if isinstance(entry, str) else entry["body"]).encode()
        for entry in (entries if isinstance(entries, list) else [entries])
    )


def _text(value: str) -> Datum:
    return Datum(value, "string")
