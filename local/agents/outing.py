"""Runs the sample fleet in a process of its own and keeps what its exporter posted."""

import gzip
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from local.agents.capture import Capture
from local.serving import Certificates, Service

_REPOSITORY = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Outing:
    """What the agents did, as they know it, and what they sent.

    Attributes:
        traces: How many runs there were.
        planted: Check id to the traces that it should name.
        secrets: Personal values that the agents saw; none may leave through the service.
        envelopes: What their exporter posted.
    """

    traces: int
    planted: Mapping[str, Sequence[str]]
    secrets: Sequence[str]
    envelopes: Sequence[Mapping[str, Any]]


def run_fleet(certificates: Certificates, folder: Path, *, healthy: bool, seed: int = 1) -> Outing:
    """Let the agents answer, with progress on the terminal; `folder` gets what was planted and what was sent.

    Another seed is another story.

    Raises:
        subprocess.CalledProcessError: The fleet failed; it has said why.
    """
    capture = Capture()
    planted = folder.resolve() / "planted.json"
    with Service(capture, certificates) as endpoint:
        environment = os.environ | {
            "APPLICATIONINSIGHTS_CONNECTION_STRING": (
                f"InstrumentationKey=00000000-0000-0000-0000-000000000000;IngestionEndpoint={endpoint.url}/"
            ),
            "REQUESTS_CA_BUNDLE": str(certificates.authority.resolve()),
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
        }
        command = [sys.executable, "-m", "local.agents", "--out", str(planted), "--seed", str(seed)]
        subprocess.run(
            [*command, "--healthy"] if healthy else command, env=environment, cwd=_REPOSITORY, check=True
        )
    envelopes = capture.envelopes
    with gzip.open(folder / "envelopes.jsonl.gz", "wb", compresslevel=1) as saved:
        saved.writelines(orjson.dumps(envelope, option=orjson.OPT_APPEND_NEWLINE) for envelope in envelopes)
    truth = orjson.loads(planted.read_bytes())
    return Outing(truth["traces"], truth["planted"], truth["secrets"], envelopes)
