"""What a cold start costs beside a bare function app: the app indexed, and its first HTTP request answered.

    python -m bench.cold_start

Both apps are started by the same driver through Microsoft's own Functions runtime (local/host), each start in
a fresh process, in turns; figures are medians. Compiled files (.pyc) are warm: one start of each goes before.
The bare app imports azure.functions and azure.monitor.query and answers one route.

- app: from the moment the worker's own library is loaded until the first page is answered. It is what a host
  waits for that has a worker at the ready, as on Flex Consumption;
- process: the same, with the start of the interpreter and of the worker's library before it;
- service: likewise until GET health is answered, the first request that needs all services: settings, config
  files, clients, a token and answers of storage, the emulator on this machine. The app beside it
  does the least that such a request needs: it reads one blob with the same identity.
"""

import os
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from bench.figures import Figure, Part, Peer, Progress, Scale, below
from bench.measuring import in_subprocess, main
from functions.watch.heartbeat import Heart
from local.stack import REPOSITORY, Stack

MOST_RATIO = 1.5

_REPEATS = {Scale.SMOKE: 1, Scale.USUAL: 9, Scale.LARGE: 15}
_BARE = """import azure.functions as func
from azure.monitor.query import LogsQueryClient

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


@app.route(route="bare")
def bare(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("bare")
"""
_READER = """import os

import azure.functions as func
from azure.identity import ManagedIdentityCredential
from azure.monitor.query import LogsQueryClient
from azure.storage.blob import BlobServiceClient

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


@app.route(route="bare")
def bare(req: func.HttpRequest) -> func.HttpResponse:
    credential = ManagedIdentityCredential(client_id=os.environ["AZURE_CLIENT_ID"])
    LogsQueryClient(credential)
    blobs = BlobServiceClient(os.environ["STORAGE_BLOB_ENDPOINT"], credential=credential)
    return func.HttpResponse(str(blobs.get_blob_client("state", "configuration").exists()))
"""


@dataclass(frozen=True, slots=True)
class _App:
    folder: Path
    function: str
    path: str


@dataclass(frozen=True, slots=True)
class _Start:
    """Seconds of one start: of the process, and of the app alone."""

    process: float
    app: float


def measure(progress: Progress, scale: Scale) -> Sequence[Figure]:
    """Start both apps in turns."""
    repeats = _REPEATS[scale]
    with tempfile.TemporaryDirectory(prefix="bench-start-") as folder:
        bare = _App(_written(Path(folder, "bare"), _BARE), "bare", "bare")
        reader = _App(_written(Path(folder, "reader"), _READER), "bare", "bare")
        ours = _App(REPOSITORY, "show_portal", "portal")
        service = _App(REPOSITORY, "show_health", "api/v1/health")
        page = _in_turns((ours, bare), repeats, {})
        progress(f"cold start: {repeats} starts of each app for a page")
        with Stack(Path(folder, "stack")) as stack:
            Heart(stack.documents(), None, clock=lambda: datetime.now(UTC)).beat(())
            served = _in_turns((service, reader), repeats, {**stack.settings, **stack.trust()})
        progress(f"cold start: {repeats} starts of each app for a request that needs services")
    kept = f"medians of {repeats} starts each, in turns, .pyc warm"
    return (
        Figure(
            Part.COLD_START,
            "app loaded, indexed, first page answered",
            median(start.app for start in page[0]),
            "s",
            Peer("bare app", median(start.app for start in page[1])),
            below(MOST_RATIO),
            note=kept,
        ),
        Figure(
            Part.COLD_START,
            "the same from the start of the process",
            median(start.process for start in page[0]),
            "s",
            Peer("bare app", median(start.process for start in page[1])),
            below(MOST_RATIO),
            note="with the interpreter and the worker's library, which both have",
        ),
        Figure(
            Part.COLD_START,
            "first request that needs the services",
            median(start.app for start in served[0]),
            "s",
            Peer("app that reads one blob", median(start.app for start in served[1])),
            note="GET health: settings, config files, clients, a token, the storage emulator's answers",
        ),
    )


def _written(folder: Path, source: str) -> Path:
    folder.mkdir()
    (folder / "function_app.py").write_text(source, "utf-8")
    return folder


def _in_turns(
    apps: tuple[_App, _App], repeats: int, settings: Mapping[str, str]
) -> tuple[list[_Start], list[_Start]]:
    environment = {**os.environ, **settings}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    for app in apps:
        _start(app, environment)
    first, second = apps
    found: tuple[list[_Start], list[_Start]] = ([], [])
    for _ in range(repeats):
        found[0].append(_start(first, environment))
        found[1].append(_start(second, environment))
    return found


def _start(app: _App, environment: dict[str, str]) -> _Start:
    command = [sys.executable, "-m", "bench.start", str(app.folder), app.function, app.path]
    began = time.monotonic()
    told = in_subprocess(command, environment)
    return _Start(told["answered"] - began, told["answered"] - told["loaded"])


if __name__ == "__main__":
    sys.exit(main(measure))
