"""An agent of Semantic Kernel with its own gen_ai diagnostics."""

import asyncio
import os
from typing import Annotated

os.environ["SEMANTICKERNEL_EXPERIMENTAL_GENAI_ENABLE_OTEL_DIAGNOSTICS_SENSITIVE"] = "true"

from openai import AsyncOpenAI
from semantic_kernel.agents import ChatCompletionAgent
from semantic_kernel.connectors.ai.open_ai import OpenAIChatCompletion
from semantic_kernel.functions import kernel_function

from tests.dialects.app import get_shipment_status, play
from tests.dialects.scenario import AGENT, INSTRUCTIONS, MODEL, TOOL, TOOL_DESCRIPTION, Run


class Shipments:
    @kernel_function(name=TOOL, description=TOOL_DESCRIPTION)
    def get(self, shipment: Annotated[str, "Its number"]) -> str:
        return get_shipment_status(shipment)


def ask(run: Run) -> str:
    async def answer() -> str:
        client = AsyncOpenAI(base_url=os.environ["MODEL_ENDPOINT"], api_key="none")
        agent = ChatCompletionAgent(
            service=OpenAIChatCompletion(ai_model_id=MODEL, async_client=client),
            name=AGENT,
            instructions=INSTRUCTIONS,
            plugins=[Shipments()],
        )
        return str(await agent.get_response(messages=run.question))

    return asyncio.run(answer())


play(lambda: None, ask)
