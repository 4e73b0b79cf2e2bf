from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from local.host.host_json import HostSettings, read_host_json
from local.host.queue_trigger import QueueRules


@pytest.mark.parametrize(
    ("extensions", "settings"),
    [
        ({}, HostSettings("api", QueueRules(16, 5, timedelta(0)))),
        (
            {"http": {"routePrefix": ""}, "queues": {"batchSize": 1, "visibilityTimeout": "01:02:30"}},
            HostSettings("", QueueRules(1, 5, timedelta(hours=1, minutes=2, seconds=30))),
        ),
        ({"queues": {"maxDequeueCount": 2}}, HostSettings("api", QueueRules(16, 2, timedelta(0)))),
    ],
)
def test_host_json_is_read_with_the_defaults_of_the_functions_host(
    tmp_path: Path, extensions: dict[str, Any], settings: HostSettings
) -> None:
    (tmp_path / "host.json").write_bytes(orjson.dumps({"version": "2.0", "extensions": extensions}))
    assert read_host_json(tmp_path) == settings


def test_an_encoding_that_the_local_host_lacks_is_refused(tmp_path: Path) -> None:
    (tmp_path / "host.json").write_text('{"extensions": {"queues": {"messageEncoding": "none"}}}')
    with pytest.raises(ValueError, match="messageEncoding"):
        read_host_json(tmp_path)
