"""The loop of an agent that an application writes itself around OpenAI's client."""

import json
import os
from collections.abc import Callable

from openai import OpenAI

from tests.dialects.scenario import INSTRUCTIONS, MODEL, TOOL, TOOL_DESCRIPTION, Run

_TOOLS = [
    {
        "type": "function",
        "function": {
            "name": TOOL,
            "description": TOOL_DESCRIPTION,
            "parameters": {"type": "object", "properties": {"shipment": {"type": "string"}}},
        },
    }
]


def answer(run: Run, tool: Callable[..., str]) -> str:
    """Call the model, and the tool whenever it asks for it, until it answers."""
    client = OpenAI(base_url=os.environ["MODEL_ENDPOINT"], api_key="none")
    messages = [{"role": "system", "content": INSTRUCTIONS}, {"role": "user", "content": run.question}]
    while True:
        completion = client.chat.completions.create(model=MODEL, messages=messages, tools=_TOOLS)
        message = completion.choices[0].message
        if not message.tool_calls:
            return str(message.content)
        messages.append(message.model_dump(exclude_none=True))
        for call in message.tool_calls:
            content = tool(**json.loads(call.function.arguments))
            messages.append({"role": "tool", "tool_call_id": call.id, "content": content})
