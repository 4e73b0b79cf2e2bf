"""The fleet, run as a process against a capture: what it planted is in its telemetry, nothing else is."""

import os
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import orjson
import pytest

from local.agents.capture import Capture
from local.serving import Service, make_certificates

ROOT = Path(__file__).parents[4]
REQUIRED = {
    ("dispatch-assistant", "shipment_status"): "get_shipment_status",
    ("benefits-assistant", "coverage_question"): "search_policies",
    ("underwriting-assistant", "quote"): "lookup_rules",
    ("underwriting-assistant", "renewal"): "lookup_rules",
}
TOKENS = ("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens", "gen_ai.usage.cache_read.input_tokens")


@dataclass(frozen=True, slots=True)
class Span:
    kind: str
    name: str
    success: bool
    time: datetime
    properties: dict[str, str]
    tags: dict[str, str]


@dataclass(frozen=True, slots=True)
class Sent:
    """A fleet's account of itself, and what was captured."""

    traces: dict[str, list[Span]]
    planted: dict[str, set[str]]
    secrets: list[str]
    text: str
    output: str

    def operation(self, trace: str, operation: str) -> list[Span]:
        return [s for s in self.traces[trace] if s.properties.get("gen_ai.operation.name") == operation]

    def request(self, trace: str) -> Span:
        [request] = [span for span in self.traces[trace] if span.kind == "RequestData"]
        return request

    def agent(self, trace: str) -> str:
        [run] = self.operation(trace, "invoke_agent")
        return run.properties["gen_ai.agent.name"]

    def required_tool(self, trace: str) -> str | None:
        return REQUIRED.get((self.agent(trace), self.request(trace).properties["app.intent"]))

    def prompt_tokens(self, trace: str) -> int:
        return sum(int(call.properties[TOKENS[0]]) for call in self.operation(trace, "chat"))


def start_fleet(endpoint: str, authority: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "REQUESTS_CA_BUNDLE": str(authority),
        "APPLICATIONINSIGHTS_CONNECTION_STRING": endpoint
        and f"InstrumentationKey=00000000-0000-0000-0000-000000000001;IngestionEndpoint={endpoint}/",
    }
    command = [sys.executable, "-m", "local.agents", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def send(folder: Path, *arguments: str) -> Sent:
    capture, certificates, out = Capture(), make_certificates(folder / "tls"), folder / "planted.json"
    with Service(capture, certificates) as service:
        ended = start_fleet(service.url, certificates.authority, "--out", str(out), *arguments)
    assert ended.returncode == 0, ended.stderr
    account = orjson.loads(out.read_bytes())
    traces = defaultdict(list)
    for envelope in capture.envelopes:
        if trace := envelope["tags"].get("ai.operation.id"):
            traces[trace].append(to_span(envelope))
    assert account["traces"] == len(traces)
    planted = {check: set(ids) for check, ids in account["planted"].items()}
    text = "\n".join(every_string(capture.envelopes))
    return Sent(dict(traces), planted, account["secrets"], text, ended.stdout)


def to_span(envelope: dict[str, Any]) -> Span:
    data = envelope["data"]
    base = data["baseData"]
    time = datetime.fromisoformat(envelope["time"])
    return Span(
        data["baseType"],
        base.get("name", ""),
        base.get("success", True),
        time,
        base.get("properties", {}),
        envelope["tags"],
    )


def every_string(value: object) -> list[str]:
    if isinstance(value, dict):
        return [text for item in value.values() for text in every_string(item)]
    if isinstance(value, list):
        return [text for item in value for text in every_string(item)]
    return [value] if isinstance(value, str) else []


@pytest.fixture(scope="module")
def misbehaving(tmp_path_factory: pytest.TempPathFactory) -> Sent:
    return send(tmp_path_factory.mktemp("misbehaving"), "--runs", "60", "--seed", "3")


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Sent:
    return send(tmp_path_factory.mktemp("healthy"), "--runs", "45", "--seed", "4", "--healthy")


@pytest.fixture(params=["misbehaving", "healthy"])
def sent(request: pytest.FixtureRequest) -> Sent:
    fleet: Sent = request.getfixturevalue(request.param)
    return fleet


def stale_traces(sent: Sent) -> set[str]:
    return {
        trace
        for trace in sent.traces
        for call in sent.operation(trace, "execute_tool")
        if (told := call.properties.get("tool.data_as_of"))
        and call.time - datetime.fromisoformat(told) > timedelta(hours=6)
    }


def skipping_traces(sent: Sent) -> set[str]:
    return {
        trace
        for trace in sent.traces
        if (tool := sent.required_tool(trace))
        and not any(
            call.success and call.properties["gen_ai.tool.name"] == tool
            for call in sent.operation(trace, "execute_tool")
        )
    }


def costly_traces(sent: Sent) -> set[str]:
    by_agent = defaultdict(list)
    for trace in sent.traces:
        by_agent[sent.agent(trace)].append(trace)
    usual = {agent: median(map(sent.prompt_tokens, traces)) for agent, traces in by_agent.items()}
    return {trace for trace in sent.traces if sent.prompt_tokens(trace) > 10 * usual[sent.agent(trace)]}


FOUND_IN_TELEMETRY = {
    "stale_tool_data": stale_traces,
    "skipped_lookup": skipping_traces,
    "cost_spike": costly_traces,
}


@pytest.mark.parametrize(
    ("check", "count"), [("stale_tool_data", 4), ("skipped_lookup", 4), ("cost_spike", 3)]
)
def test_the_telemetry_shows_exactly_what_was_planted(misbehaving: Sent, check: str, count: int) -> None:
    assert len(misbehaving.planted[check]) == count
    assert FOUND_IN_TELEMETRY[check](misbehaving) == misbehaving.planted[check]


@pytest.mark.parametrize("check", FOUND_IN_TELEMETRY)
def test_a_healthy_fleet_shows_nothing(healthy: Sent, check: str) -> None:
    assert healthy.planted[check] == set()
    assert FOUND_IN_TELEMETRY[check](healthy) == set()


def test_a_look_up_that_failed_and_was_repeated_is_in_the_telemetry_of_a_healthy_fleet(healthy: Sent) -> None:
    failed = [t for t in healthy.traces if not all(c.success for c in healthy.operation(t, "execute_tool"))]
    assert len(failed) == 3


def test_one_skipped_look_up_was_called_and_failed_every_time(misbehaving: Sent) -> None:
    called = {
        trace: [
            call.success
            for call in misbehaving.operation(trace, "execute_tool")
            if call.properties["gen_ai.tool.name"] == misbehaving.required_tool(trace)
        ]
        for trace in misbehaving.planted["skipped_lookup"]
    }
    assert sorted(called.values()) == [[], [], [], [False, False]]


def test_the_burst_is_neighbouring_runs_of_the_benefits_assistant(misbehaving: Sent) -> None:
    runs = sorted(
        (t for t in misbehaving.traces if misbehaving.agent(t) == "benefits-assistant"),
        key=lambda trace: misbehaving.request(trace).time,
    )
    places = sorted(runs.index(trace) for trace in misbehaving.planted["cost_spike"])
    assert places == list(range(places[0], places[0] + 3))


def test_other_runs_of_an_agent_use_about_as_many_tokens(sent: Sent) -> None:
    by_agent = defaultdict(list)
    for trace in sent.traces.keys() - sent.planted["cost_spike"]:
        by_agent[sent.agent(trace)].append(sent.prompt_tokens(trace))
    assert len(by_agent) == 3
    for tokens in by_agent.values():
        middle = (min(tokens) + max(tokens)) / 2
        assert 0.6 * middle < min(tokens) <= max(tokens) < 1.4 * middle


def test_every_model_call_reports_its_usage_and_the_agent_span_their_sum(sent: Sent) -> None:
    for trace in sent.traces:
        calls, [run] = sent.operation(trace, "chat"), sent.operation(trace, "invoke_agent")
        for name in TOKENS:
            assert int(run.properties[name]) == sum(int(call.properties[name]) for call in calls)
    assert any(int(call.properties[TOKENS[2]]) for t in sent.traces for call in sent.operation(t, "chat"))


@pytest.mark.parametrize(
    ("agent", "model", "answering"),
    [
        ("dispatch-assistant", "gpt-4o-mini", "gpt-4o-mini-2024-07-18"),
        ("benefits-assistant", "gpt-4o", "gpt-4o-2024-11-20"),
        ("underwriting-assistant", "gpt-4o", "gpt-4o-2024-11-20"),
    ],
)
def test_each_agent_has_its_model(healthy: Sent, agent: str, model: str, answering: str) -> None:
    calls = [c for t in healthy.traces if healthy.agent(t) == agent for c in healthy.operation(t, "chat")]
    assert {call.name for call in calls} == {f"chat {model}"}
    assert {call.properties["gen_ai.response.model"] for call in calls} == {answering}


def test_a_request_tells_who_where_and_which_release(sent: Sent) -> None:
    for trace in sent.traces:
        request = sent.request(trace)
        assert request.name == "POST /ask"
        expected = {
            "app.intent",
            "tenant.id",
            "prompt.version",
            "gen_ai.conversation.id",
            "deployment.environment",
        }
        if sent.agent(trace) == "dispatch-assistant":
            expected |= {"app.warehouse", "app.carrier"}
        assert expected <= request.properties.keys()
        assert request.tags["ai.cloud.role"] == "harborline.assistants"
        assert request.tags["ai.application.ver"] == "3.1.0"
        assert "@example.org" in request.tags["ai.user.authUserId"]
    with_session = [t for t in sent.traces if "ai.session.id" in sent.request(t).tags]
    assert 0 < len(with_session) < len(sent.traces)


def test_retrieval_tells_its_documents(healthy: Sent) -> None:
    searches = [span for trace in healthy.traces for span in healthy.operation(trace, "retrieval")]
    assert {span.name for span in searches} == {"retrieval policy-documents", "retrieval dispatch-kb"}
    for span in searches:
        found = span.properties["retrieval.document_ids"].split(",")
        assert len(found) == int(span.properties["retrieval.document_count"]) > 0


def test_every_planted_personal_value_was_really_recorded(sent: Sent) -> None:
    assert len(sent.secrets) == len(set(sent.secrets)) > 100
    assert [value for value in sent.secrets if value not in sent.text] == []


def test_progress_is_printed(misbehaving: Sent) -> None:
    assert misbehaving.output.startswith("25 of 60 runs\n50 of 60 runs\n")


def refusing(environ: Any, start_response: Any) -> list[bytes]:
    start_response("400 Bad Request", [("Content-Length", "0")])
    return []


def test_telemetry_that_is_not_accepted_fails_the_fleet(tmp_path: Path) -> None:
    certificates, out = make_certificates(tmp_path), tmp_path / "planted.json"
    with Service(refusing, certificates) as service:
        ended = start_fleet(
            service.url, certificates.authority, "--runs", "1", "--healthy", "--out", str(out)
        )
    assert ended.returncode == 1
    assert "not accepted" in ended.stderr
    assert not out.exists()


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [(("--runs", "44"), 2, "at least 45 runs"), (("--healthy",), 1, "CONNECTION_STRING is not set")],
)
def test_what_cannot_run_says_why(
    tmp_path: Path, arguments: tuple[str, ...], status: int, message: str
) -> None:
    ended = start_fleet("", tmp_path, "--out", str(tmp_path / "planted.json"), *arguments)
    assert (ended.returncode, message in ended.stderr) == (status, True)
