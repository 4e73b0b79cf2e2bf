"""Lets the agents work through their plan and keeps the truth: what the script did, not what was recorded."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any
from uuid import UUID

from agent_framework import Agent, AgentSession
from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind

from local.agents.benefits import BENEFITS
from local.agents.dispatch import DISPATCH
from local.agents.model import ScriptedChatClient
from local.agents.people import make_up_person
from local.agents.plan import PLANTED_AS, RunPlan
from local.agents.script import Assignment, SampleAgent, Script
from local.agents.telemetry import ENVIRONMENT
from local.agents.underwriting import UNDERWRITING

FLEET: tuple[SampleAgent, ...] = (DISPATCH, BENEFITS, UNDERWRITING)

_AGENTS = {agent.role.agent: agent for agent in FLEET}
_TENANTS = ("tenant-basalt", "tenant-cedar", "tenant-juniper")
_tracer = trace.get_tracer("harborline.app")


@dataclass(slots=True)
class Truth:
    """What really happened.

    Attributes:
        traces: How many runs.
        planted: Trace ids by the id of the check that has to find them.
        secrets: Every planted value that must not get out.
    """

    traces: int = 0
    planted: dict[str, list[str]] = field(
        default_factory=lambda: {check: [] for check in dict.fromkeys(PLANTED_AS.values())}
    )
    secrets: list[str] = field(default_factory=list)


async def run_fleet(plans: Sequence[RunPlan], *, seed: int, progress: Callable[[int], None]) -> Truth:
    """Run every plan in order; `progress` is told how many are done after each.

    Conversations have their own made-up person, so that a person's second question belongs to the first.
    """
    truth, secrets = Truth(), dict[str, None]()
    for plan in plans:
        # Seeded with text: Random hashes it the same way in every process.
        person = make_up_person(plan.conversation, Random(f"{seed}/person/{plan.conversation}"))  # noqa: S311 - repeatable
        assignment = Assignment(plan, person, Random(f"{seed}/run/{plan.number}"))  # noqa: S311 - repeatable
        trace_id = await _serve(assignment, conversation=_conversation(seed, plan.conversation))
        truth.traces += 1
        secrets.update(dict.fromkeys(person.values()))
        if check := PLANTED_AS.get(plan.behaviour):
            truth.planted[check].append(trace_id)
        progress(truth.traces)
    truth.secrets = list(secrets)
    return truth


async def _serve(assignment: Assignment, *, conversation: str) -> str:
    """Answer one request as the app around the agents does; the id of its trace."""
    agent, person = _AGENTS[assignment.plan.role.agent], assignment.person
    script = agent.write(assignment)
    logger = logging.getLogger(f"harborline.{agent.role.agent}")
    with _tracer.start_as_current_span(
        "POST /ask", kind=SpanKind.SERVER, attributes=_request(agent, assignment, script, conversation)
    ) as span:
        logger.info("question received from %s", person.email)
        session = AgentSession(service_session_id=conversation if assignment.plan.number % 2 else None)
        await _framework_agent(agent, assignment, script).run(script.question, session=session)
        logger.info("answered %s at %s", person.name, person.phone)
        span.set_attribute("http.response.status_code", 200)
        return _hex(span)


def _framework_agent(agent: SampleAgent, assignment: Assignment, script: Script) -> Agent[Any]:
    return Agent(
        ScriptedChatClient(agent=agent, assignment=assignment, script=script),
        agent.instructions,
        id=f"{agent.role.agent}-1",
        name=agent.role.agent,
        description=agent.description,
        tools=list(script.tools),
        default_options={"model": agent.model},
    )


def _request(agent: SampleAgent, assignment: Assignment, script: Script, conversation: str) -> dict[str, str]:
    plan, person = assignment.plan, assignment.person
    attributes = {
        "http.request.method": "POST",
        "http.route": "/ask",
        "url.scheme": "https",
        "server.address": "assistants.harborline.example",
        "url.path": "/ask",
        "url.query": f"from={person.email}",
        "app.intent": plan.intent,
        "tenant.id": _TENANTS[plan.conversation % len(_TENANTS)],
        "prompt.version": agent.prompt_version,
        "deployment.environment": ENVIRONMENT,
        "gen_ai.conversation.id": conversation,
        "enduser.id": person.email,
        **script.request,
    }
    if plan.conversation % 4 == 0:
        attributes["session.id"] = f"session-{conversation}"
    return attributes


def _conversation(seed: int, number: int) -> str:
    random = Random(f"{seed}/conversation/{number}")  # noqa: S311 - repeatable
    return f"conv-{UUID(int=random.getrandbits(128), version=4)}"


def _hex(span: Span) -> str:
    return trace.format_trace_id(span.get_span_context().trace_id)
