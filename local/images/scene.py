"""The service with a week behind it: agents that misbehave, people at work, and some who were turned away."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any

import requests

from functions.alerts.state import PREFIX, CheckState, state_from_json, state_to_json
from functions.checks.coverage import Coverage, Interval
from functions.checks.definition import CheckDefinition
from functions.checks.interruptions import Interruption, Interruptions
from functions.checks.windows import window_start
from functions.configuration import SHIPPED, load_configuration
from local.agents.outing import run_fleet
from local.images import planted
from local.images.camera import PictureError
from local.replay import INGESTION_DELAY, judged_end
from local.retiming import retime
from local.stack import Stack

_OVER = timedelta(hours=12)
_WEEK = timedelta(days=7)
_EARLIER_RELEASE = "3.0.2"
_LONGEST = 300.0  # seconds that an export may take
_AWAY = timedelta(hours=3)
"""How long the service once stood still, so that coverage has something to tell."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What there is to see.

    Attributes:
        url: Of the portal's host.
        alerts: Id by check, of those that are not over.
        trace: A run whose look-up failed and was made again.
        bundle: The file of a finished export.
        exports: Id by what became of it.
    """

    url: str
    alerts: Mapping[str, str]
    trace: str
    bundle: Path
    exports: Mapping[str, str]


@contextmanager
def scene(folder: Path) -> Iterator[Scene]:
    """Set the service up in a folder, and let it stand inside `with`. Takes some minutes."""
    configuration = load_configuration(SHIPPED)
    with Stack(folder / "stack", canaries=True) as stack:
        end = judged_end(configuration.checks, datetime.now(UTC)) - INGESTION_DELAY
        _ingest(stack, folder, configuration.agents.attributes.data_as_of)
        _deployed_a_week_ago(stack, configuration.checks, end - _OVER)
        stack.start_host()
        stack.fire("send_canary")
        people = _People(stack)
        _silence(people)
        _watch(stack, people, end)
        _forget_how_it_began(stack, configuration.checks)
        alerts = {one["check_id"]: one["id"] for one in people.get("operator", "alerts?state=open")["alerts"]}
        people.post("operator", f"alerts/{alerts['tool_failures']}/acknowledge", {})
        stack.fire("seal_days")
        stack.fire("note_head")
        exports = _export(people, alerts)
        bundle = folder / "bundle.zip"
        bundle.write_bytes(people.raw("auditor", "GET", f"exports/{exports['done']}/bundle").content)
        trace = _look_up(people)
        _try_doors(people)
        stack.fire("watch_tick")
        yield Scene(stack.host_url, alerts, trace, bundle, exports)


class _People:
    """The people of people.py, who ask the API."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._sessions: dict[str, requests.Session] = {}

    def raw(
        self, who: str, method: str, path: str, body: Mapping[str, Any] | None = None
    ) -> requests.Response:
        """Ask as somebody, whatever the answer is."""
        if who not in self._sessions:
            self._sessions[who] = self._stack.sign_in(who)
        url = f"{self._stack.host_url}/api/v1/{path}"
        return self._sessions[who].request(method, url, json=body, timeout=120)

    def get(self, who: str, path: str) -> dict[str, Any]:
        """Read something."""
        return self._answer(self.raw(who, "GET", path))

    def post(self, who: str, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Ask for something to be done."""
        return self._answer(self.raw(who, "POST", path, body))

    @staticmethod
    def _answer(response: requests.Response) -> dict[str, Any]:
        if not response.ok:
            message = f"{response.url} answered {response.status_code}: {response.text}"
            raise PictureError(message)
        body: dict[str, Any] = response.json()
        return body


def _ingest(stack: Stack, folder: Path, data_as_of: tuple[str, ...]) -> None:
    now = datetime.now(UTC) - INGESTION_DELAY
    for name, healthy, seed, until, over in (
        ("earlier", True, 2, now - _OVER, _WEEK - _OVER),
        ("lately", False, 1, now, _OVER),
    ):
        (folder / name).mkdir(parents=True)
        fleet = run_fleet(stack.certificates, folder / name, healthy=healthy, seed=seed)
        moved = retime(fleet.envelopes, end=until, over=over, data_as_of=data_as_of)
        if name == "earlier":
            for envelope in moved:
                envelope["tags"] = {**envelope["tags"], "ai.application.ver": _EARLIER_RELEASE}
        stack.telemetry.ingest(moved, delay=INGESTION_DELAY)
    for run in planted.runs(now):
        stack.telemetry.ingest(run, delay=INGESTION_DELAY)


def _deployed_a_week_ago(stack: Stack, checks: tuple[CheckDefinition, ...], until: datetime) -> None:
    """Let the checks have judged a week, but for a time in which the service stood still and one gap."""
    away = until - timedelta(days=3)
    documents = stack.documents()
    for check in checks:
        judged = window_start(until, check.every)
        intervals = [
            Interval(start, min(start + timedelta(days=1), judged), 0)
            for start in (judged - _WEEK + timedelta(days=n) for n in range(7))
        ]
        if check.id == "duplicate_retrieval":
            del intervals[2]  # its table was on another plan for a day
        state = CheckState(
            watermark=judged,
            coverage=Coverage(tuple(intervals)),
            interruptions=Interruptions(stretches=(Interruption(away, away + _AWAY, "not running"),)),
        )
        documents.write(PREFIX + check.id, state_to_json(state), version=None)


def _watch(stack: Stack, people: _People, end: datetime) -> None:
    """Tick until each check has judged all before `end`."""
    while True:
        stack.fire("watch_tick")
        states = people.get("operator", "checks")["checks"]
        failing = [state["id"] for state in states if state["state"] == "failing"]
        if failing:
            message = f"these checks fail: {', '.join(failing)}"
            raise PictureError(message)
        if all(datetime.fromisoformat(state["evaluated_until"]) >= end for state in states):
            return


def _forget_how_it_began(stack: Stack, checks: tuple[CheckDefinition, ...]) -> None:
    """Take back that the last hours were judged late: they were, since the scene is set in minutes."""
    documents = stack.documents()
    for check in checks:
        held = documents.read(PREFIX + check.id)
        if held is None:
            continue
        state = state_from_json(held.name, held.body)
        kept = tuple(one for one in state.interruptions.stretches if one.end - one.start == _AWAY)
        changed = replace(state, interruptions=Interruptions(stretches=kept))
        documents.write(PREFIX + check.id, state_to_json(changed), version=held.version)


def _silence(people: _People) -> None:
    """Let the operator keep quiet what is known."""
    now = datetime.now(UTC)
    people.post(
        "operator",
        "silences",
        {
            "reason": "The warehouse of these parcels is closed, CHG-2211",
            "matchers": {"check": ["stale_tool_data"], "agent": ["dispatch-assistant"]},
            "ends_at": (now + timedelta(hours=6)).isoformat(),
        },
    )
    people.post(
        "operator",
        "silences",
        {
            "reason": "Nightly load test of underwriting",
            "matchers": {"check": ["slow_*"], "agent": ["underwriting-assistant"]},
            "ends_at": (now + timedelta(days=14)).isoformat(),
            "recurrence": {
                "weekdays": ["mon", "tue", "wed", "thu", "fri"],
                "from": "22:00",
                "to": "06:00",
                "zone": "Europe/Berlin",
            },
        },
    )


def _export(people: _People, alerts: Mapping[str, str]) -> dict[str, str]:
    """Ask for exports of which two are done, one waits for approval, one was refused and one given up."""
    end = datetime.now(UTC).replace(microsecond=0)

    def asked(who: str, selector: Mapping[str, Any], profile: str, reason: str, ticket: str) -> str:
        body = {"selector": selector, "profile": profile, "reason": reason, "ticket": ticket}
        return str(people.post(who, "exports", body)["id"])

    def lately(hours: int, **more: str) -> dict[str, Any]:
        return {
            "window": {"start": (end - timedelta(hours=hours)).isoformat(), "end": end.isoformat(), **more}
        }

    done = asked("auditor", lately(12), "metadata", "Monthly review of what the agents did", "REV-2026.11")
    of_alert = asked(
        "auditor", {"alert_id": alerts["tool_failures"]}, "metadata", "Review of an incident", "INC-4711"
    )
    refused = asked("reviewer", lately(2), "content", "To see what people ask about", "IDEA-3")
    people.post(
        "engineer", f"exports/{refused}/approve", {"approved": False, "reason": "No case needs the content"}
    )
    cancelled = asked("reviewer", lately(1), "content", "A customer disputes an answer", "CASE-16")
    people.post("reviewer", f"exports/{cancelled}/cancel", {})
    waiting = asked(
        "reviewer",
        lately(1, agent=planted.AGENT),
        "content",
        "A customer disputes an answer about a parcel",
        "CASE-17",
    )
    for one in (done, of_alert):
        _await(people, one)
    return {
        "done": done,
        "of_alert": of_alert,
        "refused": refused,
        "cancelled": cancelled,
        "waiting": waiting,
    }


def _await(people: _People, export: str) -> None:
    began = time.monotonic()
    while (held := people.get("auditor", f"exports/{export}"))["state"] != "done":
        if held["state"] not in {"queued", "running"} or time.monotonic() - began > _LONGEST:
            message = f"an export is {held['state']}"
            raise PictureError(message)
        time.sleep(1)


def _look_up(people: _People) -> str:
    """Let the auditor find runs of an agent, and return one whose look-up failed and was made again."""
    end = datetime.now(UTC)
    found = people.post(
        "auditor",
        "traces/search",
        {
            "agent": planted.AGENT,
            "start": (end - timedelta(hours=1)).isoformat(),
            "end": end.isoformat(),
            "reason": "A customer got no answer about a parcel",
            "ticket": "CASE-17",
        },
    )
    longest = max(
        (one for one in found["traces"] if one["success"]), key=lambda one: float(one["duration_ms"])
    )
    return str(longest["trace_id"])


def _try_doors(people: _People) -> None:
    """Let some ask for what their roles don't reach."""
    for who, path in (
        ("visitor", "costs?start=2026-11-01&end=2026-11-02&by=agent"),
        ("finops", "access-log"),
        ("officer", "exports"),
        ("visitor", "alerts"),
    ):
        answer = people.raw(who, "GET", path)
        if answer.status_code != HTTPStatus.FORBIDDEN:
            message = f"{who} was let in to {path}"
            raise PictureError(message)
