"""Makes up what the demonstration's agents don't do, so that pages have something to show.

One more agent: its carrier fails more and more often, and once it reaches for a tool that nobody approved.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from tests.checks.telemetry import Trace

AGENT = "dispatcher"
LOOKUP = "get_shipment_status"
UNAPPROVED = "export_customer_list"
APART = timedelta(minutes=2)
QUIET = timedelta(hours=9)
"""So long the carrier works before it begins to fail."""

_FAILING = (0.1, 0.15, 0.3, 0.4, 0.5, 0.65, 0.8, 0.75)
"""The share of runs whose first look-up fails, quarter hour by quarter hour."""

_USUAL = 0.06
"""That share before."""

_HELPS = 0.3
"""Of all runs, those in which a second look-up helps, where as many need one."""

_UNCOUNTED = 40
"""One run in so many does not say its tokens."""

_QUARTER = timedelta(minutes=15)
_MODEL = "gpt-4o"
_SEED = 7
_SPREAD = (5**0.5 - 1) / 2  # multiples of it, less their whole part, lie evenly between 0 and 1


class _Run(Trace):
    """A trace whose id looks like any other, and whose spans take as long as they say."""

    @property
    def trace_id(self) -> str:
        return Random(self.number).randbytes(16).hex()  # noqa: S311 - repeatable on purpose

    def lasting(self, span: str, ms: int) -> None:
        """Let a span take so long, from its start."""
        for envelope in self.envelopes:
            data = envelope["data"]["baseData"]
            if data["id"] == span:
                data["duration"] = f"0.00:00:{ms / 1000:06.3f}"


def runs(until: datetime) -> Iterator[list[dict[str, Any]]]:
    """Yield the envelopes of each run; the last one begins two minutes before `until`.

    The unapproved tool is called a quarter of an hour before it.
    """
    random = Random(_SEED)  # noqa: S311 - repeatable on purpose
    begun = until - QUIET - _QUARTER * len(_FAILING)
    start, number = begun, 1000
    while start < until:
        since = start - begun - QUIET
        failing = _FAILING[since // _QUARTER] if since >= timedelta() else _USUAL
        reaches = until - _QUARTER <= start < until - _QUARTER + APART
        yield _run(number, start, random, failing=failing, reaches=reaches)
        number += 1
        start += APART


def _run(
    number: int, start: datetime, random: Random, *, failing: float, reaches: bool
) -> list[dict[str, Any]]:
    trace = _Run(number, start=start)
    said = {
        "gen_ai.conversation.id": f"conv-{UUID(int=random.getrandbits(128))}",
        "tenant.id": random.choice(("meridian", "northgate", "harbor-1")),
        "app.intent": "shipment_status",
        "app.carrier": random.choice(("acme", "swift")),
        "app.warehouse": random.choice(("WH-A", "WH-B", "WH-C")),
        "deployment.environment": "demo",
        "prompt.version": "dispatch-p7",
    }
    request = trace.request(success=True, **said)
    run = trace.agent(AGENT, request, success=True, **said)
    at = 0.1

    def step(span: str, ms: int) -> None:
        nonlocal at
        trace.lasting(span, ms)
        at += ms / 1000 + 0.01

    def chat() -> None:
        usage = {
            "gen_ai.usage.input_tokens": str(random.randrange(600, 1400)),
            "gen_ai.usage.output_tokens": str(random.randrange(40, 120)),
        }
        asked = {"gen_ai.request.model": _MODEL, "gen_ai.response.model": _MODEL}
        told = usage if number % _UNCOUNTED else {}
        step(trace.span("chat", run, success=True, after=at, **asked, **told), random.randrange(180, 420))

    chat()
    answered = False
    for fails in (failing, failing - _HELPS):
        answered = number * _SPREAD % 1 >= fails
        age = {"tool.data_as_of": (start - timedelta(minutes=random.randrange(2, 20))).isoformat()}
        step(trace.tool(LOOKUP, run, success=answered, after=at, **age), random.randrange(60, 130))
        chat()
        if answered:
            break
    if reaches:
        step(trace.tool(UNAPPROVED, run, success=True, after=at), 640)
        chat()
    trace.lasting(run, int(at * 1000))
    trace.lasting(request, int(at * 1000) + 30)
    if not answered:
        for envelope in trace.envelopes[:2]:  # the request and the run, which gave no answer
            envelope["data"]["baseData"]["success"] = False
    for envelope in trace.envelopes:
        envelope["tags"]["ai.application.ver"] = "3.1.0"
    return trace.envelopes
