"""Makes the fixture of a dialect anew: what its published instrumentation and Microsoft's exporter send.

    python -m tests.dialects.make NAME ...

For each dialect a scratch environment gets the packages of tests/dialects/NAME/requirements.txt. In it runs
tests/dialects/NAME/agent.py against a scripted model and an ingestion endpoint, both on loopback. The posted
envelopes, without what tells of this machine, become tests/dialects/NAME/envelopes.jsonl.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import orjson

from local.agents.capture import Capture, Envelope
from local.serving import Service
from tests.dialects.model import ScriptedModel

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
UV = Path(sys.executable).with_name("uv")

INSTRUMENTATION_KEY = "00000000-0000-0000-0000-000000000000"
# The exporter would otherwise report on itself to Microsoft and ask for its settings there.
_NO_SELF_REPORTS = (
    "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL",
    "APPLICATIONINSIGHTS_SDKSTATS_DISABLED",
    "APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED",
)
_TAGS_OF_THE_MACHINE = ("ai.internal.", "ai.device.", "ai.cloud.roleInstance", "ai.user.userAgent")


def main(names: Iterable[str]) -> None:
    """Make the fixtures of these dialects."""
    for name in names:
        with tempfile.TemporaryDirectory() as scratch:
            envelopes = capture(name, Path(scratch))
        lines = [orjson.dumps(envelope, option=orjson.OPT_SORT_KEYS) for envelope in envelopes]
        (HERE / name / "envelopes.jsonl").write_bytes(b"".join(line + b"\n" for line in lines))
        print(f"{name}: {len(lines)} envelopes")  # noqa: T201 - talks to a person at a terminal


def capture(name: str, scratch: Path) -> list[Envelope]:
    """Play the scenario in a new environment and return what was posted, sanitized."""
    python = scratch / "bin" / "python"
    _run(UV, "venv", "--quiet", "--python", sys.executable, "--clear", scratch)
    requirements = HERE / name / "requirements.txt"
    _run(
        UV, "pip", "install", "--quiet", "--require-hashes", "--python", python, "--requirement", requirements
    )
    posted = Capture()
    with Service(posted, None) as ingestion, Service(ScriptedModel(), None) as model:
        environment = {
            **dict.fromkeys(_NO_SELF_REPORTS, "true"),
            "PATH": os.environ["PATH"],
            "HOME": str(scratch),
            "PYTHONPATH": str(ROOT),
            "APPLICATIONINSIGHTS_CONNECTION_STRING": (
                f"InstrumentationKey={INSTRUMENTATION_KEY};IngestionEndpoint={ingestion.url}/"
            ),
            "MODEL_ENDPOINT": model.url,
        }
        _run(python, HERE / name / "agent.py", environment=environment)
    places = {
        str(scratch): "/venv",
        str(ROOT): "/app",
        sys.base_prefix: "/python",
        model.url.removeprefix("http://"): "model.example",
    }
    return [sanitized(envelope, places) for envelope in posted.envelopes if _becomes_a_row(envelope)]


def sanitized(envelope: Envelope, places: dict[str, str]) -> Envelope:
    """Return the envelope without what tells of the machine it was made on.

    Args:
        envelope: As posted.
        places: Paths and addresses of this machine, and what stands for each.
    """
    text = orjson.dumps(envelope).decode()
    for place, stands_for in places.items():
        text = text.replace(place, stands_for)
    cleaned: dict[str, Any] = orjson.loads(text)
    cleaned["tags"] = {
        tag: value for tag, value in cleaned["tags"].items() if not tag.startswith(_TAGS_OF_THE_MACHINE)
    }
    return cleaned


def _becomes_a_row(envelope: Envelope) -> bool:
    return bool(envelope["data"]["baseType"] != "MetricData")


def _run(*command: str | Path, environment: dict[str, str] | None = None) -> None:
    subprocess.run([str(part) for part in command], env=environment, check=True)


if __name__ == "__main__":
    main(sys.argv[1:])
