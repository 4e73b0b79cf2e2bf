"""An agent of Microsoft Agent Framework with its own telemetry."""

import asyncio
import os

from agent_framework import Agent, AgentSession
from agent_framework.observability import enable_instrumentation
from agent_framework.openai import OpenAIChatCompletionClient

from tests.dialects.app import get_shipment_status, play
from tests.dialects.scenario import AGENT, INSTRUCTIONS, MODEL, Run


def ask(run: Run) -> str:
    client = OpenAIChatCompletionClient(model=MODEL, base_url=os.environ["MODEL_ENDPOINT"], api_key="none")
    agent = Agent(client, INSTRUCTIONS, name=AGENT, tools=[get_shipment_status])
    session = AgentSession(service_session_id=run.conversation)
    return str(asyncio.run(agent.run(run.question, session=session)))


play(lambda: enable_instrumentation(enable_sensitive_data=True), ask)
