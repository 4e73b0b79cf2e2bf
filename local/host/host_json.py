"""What the local host takes from host.json."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import orjson

from local.host.queue_trigger import QueueRules


@dataclass(frozen=True, slots=True)
class HostSettings:
    """The settings with the defaults of the Functions host 4.

    Attributes:
        route_prefix: Goes before every HTTP route; "api" unless told.
        queues: When queue messages are retried and given up.
    """

    route_prefix: str
    queues: QueueRules


def read_host_json(folder: Path) -> HostSettings:
    """Read `folder`/host.json: https://learn.microsoft.com/azure/azure-functions/functions-host-json .

    Raises:
        ValueError: It asks for something that the local host lacks.
    """
    extensions = orjson.loads((folder / "host.json").read_bytes()).get("extensions", {})
    queues = extensions.get("queues", {})
    defaults = QueueRules()
    if queues.get("messageEncoding", "base64") != "base64":
        raise ValueError("The local host knows no other messageEncoding of queues than base64.")
    return HostSettings(
        route_prefix=extensions.get("http", {}).get("routePrefix", "api"),
        queues=QueueRules(
            batch_size=queues.get("batchSize", defaults.batch_size),
            max_dequeue_count=queues.get("maxDequeueCount", defaults.max_dequeue_count),
            retry_after=_read_span(queues.get("visibilityTimeout", "00:00:00")),
        ),
    )


def _read_span(text: str) -> timedelta:
    hours, minutes, seconds = map(int, text.split(":"))
    return timedelta(hours=hours, minutes=minutes, seconds=seconds)
