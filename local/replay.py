"""Loads captured telemetry into Azure on a laptop, has the deployed code judge it all, and exports it all.

    python -m local replay FILE... --over 24h [--config DIR] [--content-routing table|inline] --out DIR

Writes findings.jsonl, alerts.jsonl, coverage.json, bundle-metadata.zip and bundle-content.zip, all read back
over HTTP.
"""

import argparse
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import orjson
import requests

from functions.alerts.state import PREFIX, CheckState, state_to_json
from functions.checks.definition import CheckDefinition, duration
from functions.checks.windows import window_start
from functions.configuration import SHIPPED, Configuration, load_configuration
from functions.errors import ConfigurationError
from local.retiming import UnreadableEnvelopesError, read_envelopes, retime
from local.stack import Stack

INGESTION_DELAY = timedelta(seconds=2)
"""How long after its own time a replayed row becomes visible; Azure's usual lag is under ten seconds."""

_EXPORT_DEADLINE_SECONDS = 600
_CANARY_MARGIN = timedelta(minutes=1)

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Replayed:
    """What the service said about the replayed telemetry.

    Attributes:
        rows: Envelopes loaded.
        alerts: Each alert as GET alerts/{id} answers.
        coverage: Check id to what GET checks/{id}/coverage answers.
        export: The finished export of the profile `metadata` as GET exports/{id} answers.
        bundle: Where its bundle was saved.
    """

    rows: int
    alerts: tuple[Mapping[str, Any], ...]
    coverage: Mapping[str, Any]
    export: Mapping[str, Any]
    bundle: Path

    def findings(self) -> list[dict[str, Any]]:
        """Return all findings, by check, window and key."""
        found = [
            {"check_id": alert["check_id"], "key": alert["key"]} | finding
            for alert in self.alerts
            for finding in alert["findings"]
        ]
        return sorted(found, key=lambda f: (f["check_id"], f["window"]["start"], orjson.dumps(f["key"])))

    def found_traces(self) -> dict[str, list[str]]:
        """Return the trace ids that each check named, sorted, without repetition."""
        named: dict[str, set[str]] = {}
        for finding in self.findings():
            named.setdefault(finding["check_id"], set()).update(finding["trace_ids"])
        return {check: sorted(traces) for check, traces in named.items()}


def judged_end(checks: Iterable[CheckDefinition], now: datetime) -> datetime:
    """Return the latest instant before which every check can already judge all windows."""
    return min(window_start(now - check.settle, check.every) for check in checks)


def replay(
    stack: Stack,
    configuration: Configuration,
    envelopes: Sequence[Mapping[str, Any]],
    *,
    over: timedelta,
    out: Path,
    say: Say,
    content: bool = False,
) -> Replayed:
    """Load `envelopes` as the last `over`, tick until all is judged, export it and save what was said.

    With `content`, what people and models said is exported too, masked; a second person approves it.
    """
    end = judged_end(configuration.checks, datetime.now(UTC)) - INGESTION_DELAY
    start = end - over
    moved = retime(envelopes, end=end, over=over, data_as_of=configuration.agents.attributes.data_as_of)
    rows = stack.telemetry.ingest(moved, delay=INGESTION_DELAY)
    say(f"loaded {rows} rows of telemetry, spread over {start:%d %b %H:%M} to {end:%d %b %H:%M} UTC")
    _watch_from(stack, configuration.checks, start)
    stack.start_host()
    stack.fire("send_canary")
    person = stack.sign_in("engineer")
    coverage = _tick_until_judged(stack, person, configuration.checks, end + INGESTION_DELAY, say)
    alerts = tuple(
        _get(person, f"{stack.host_url}/api/v1/alerts/{alert['id']}")
        for alert in _get(person, f"{stack.host_url}/api/v1/alerts")["alerts"]
    )
    window = {"start": _text(start - _CANARY_MARGIN), "end": _text(end + _CANARY_MARGIN)}
    export, bundle = _export(stack, person, window, "metadata", out, say)
    if content:
        _export(stack, person, window, "content", out, say)
    replayed = Replayed(rows=rows, alerts=alerts, coverage=coverage, export=export, bundle=bundle)
    _save(replayed, out)
    return replayed


def _watch_from(stack: Stack, checks: Iterable[CheckDefinition], start: datetime) -> None:
    """Put the checks where they would stand had the service been deployed just before `start`."""
    documents = stack.documents()
    for check in checks:
        state = CheckState(watermark=window_start(start, check.every))
        documents.write(PREFIX + check.id, state_to_json(state), version=None)


def _tick_until_judged(
    stack: Stack, person: requests.Session, checks: Sequence[CheckDefinition], end: datetime, say: Say
) -> dict[str, Any]:
    """Fire the watch timer until every check has judged all windows before `end`; return the coverage."""
    while True:
        stack.fire("watch_tick")
        states = _get(person, f"{stack.host_url}/api/v1/checks")["checks"]
        failing = [f"{state['id']} ({state['error']})" for state in states if state["state"] == "failing"]
        if failing:
            message = f"these checks could not be evaluated: {', '.join(failing)}"
            raise SystemExit(message)
        behind = [state["id"] for state in states if _instant(state["evaluated_until"]) < end]
        say(f"judged: {len(states) - len(behind)} of {len(states)} checks are up to date")
        if not behind:
            break
    return {check.id: _get(person, f"{stack.host_url}/api/v1/checks/{check.id}/coverage") for check in checks}


def _export(  # noqa: PLR0917 - each is used once, in this order
    stack: Stack, person: requests.Session, window: Mapping[str, str], profile: str, out: Path, say: Say
) -> tuple[Mapping[str, Any], Path]:
    """Ask for all traces in the window, have it approved where it must be, and save the bundle."""
    asked = person.post(
        f"{stack.host_url}/api/v1/exports",
        json={
            "selector": {"window": window},
            "profile": profile,
            "reason": "replay of captured telemetry",
            "ticket": "REPLAY-1",
        },
        timeout=60,
    )
    asked.raise_for_status()
    location = f"{stack.host_url}{asked.headers['Location']}"
    if asked.json()["state"] == "awaiting_approval":
        decision = {"approved": True, "reason": "replay of captured telemetry"}
        stack.sign_in("reviewer").post(f"{location}/approve", json=decision, timeout=60).raise_for_status()
    deadline = time.monotonic() + _EXPORT_DEADLINE_SECONDS
    while (export := _get(person, location))["state"] in {"queued", "running"}:
        if time.monotonic() > deadline:
            message = f"the export is still {export['state']} after {_EXPORT_DEADLINE_SECONDS} s"
            raise SystemExit(message)
        time.sleep(0.5)
    if export["state"] != "done":
        message = f"the export ended as {export['state']}: {export['failure']}"
        raise SystemExit(message)
    out.mkdir(parents=True, exist_ok=True)
    bundle = out / f"bundle-{profile}.zip"
    answer = person.get(f"{location}/bundle", timeout=120)
    answer.raise_for_status()
    bundle.write_bytes(answer.content)
    say(f"exported: {bundle.stat().st_size:,} bytes in {bundle.name}")
    return export, bundle


def _save(replayed: Replayed, out: Path) -> None:
    _write_lines(out / "findings.jsonl", replayed.findings())
    _write_lines(out / "alerts.jsonl", replayed.alerts)
    (out / "coverage.json").write_bytes(orjson.dumps(replayed.coverage, option=orjson.OPT_INDENT_2))


def _write_lines(path: Path, values: Iterable[Mapping[str, Any]]) -> None:
    path.write_bytes(b"".join(orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE) for value in values))


def _get(person: requests.Session, url: str) -> dict[str, Any]:
    answer = person.get(url, timeout=60)
    answer.raise_for_status()
    body: dict[str, Any] = answer.json()
    return body


def _text(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _stretch(text: str) -> timedelta:
    if re.fullmatch(r"[1-9][0-9]{0,4}[smhd]", text) is None:
        message = "give it as 90m, 24h or 7d"
        raise argparse.ArgumentTypeError(message)
    return duration(text)


def main(arguments: Sequence[str]) -> int:
    """Run the command; see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m local replay", description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="envelopes, .jsonl or .jsonl.gz")
    parser.add_argument("--over", type=_stretch, default="24h", help="time to spread them over (default 24h)")
    parser.add_argument("--config", type=Path, help="folder whose files replace the shipped configuration's")
    parser.add_argument("--content-routing", choices=["table", "inline"], default="table")
    parser.add_argument("--out", type=Path, required=True, help="folder for what comes out")
    options = parser.parse_args(arguments)
    routing: Literal["table", "inline"] = options.content_routing
    try:
        configuration = load_configuration(SHIPPED, *([options.config] if options.config else []))
        envelopes = [envelope for file in options.files for envelope in read_envelopes(file)]
    except (ConfigurationError, UnreadableEnvelopesError, OSError) as error:
        parser.error(str(error))
    began = time.monotonic()

    def say(what: str) -> None:
        print(f"[{time.monotonic() - began:5.1f} s] {what}", flush=True)

    options.out.mkdir(parents=True, exist_ok=True)
    with Stack(options.out / "stack", canaries=True, config=options.config, content_routing=routing) as stack:
        replayed = replay(
            stack, configuration, envelopes, over=options.over, out=options.out, say=say, content=True
        )
    for check, traces in replayed.found_traces().items():
        say(f"{check}: {len(traces)} traces")
    return 0
