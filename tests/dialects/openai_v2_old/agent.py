"""OpenAI's client under opentelemetry-instrumentation-openai-v2, with conventions of before 2026.

Only the model calls are instrumented: the loop around them is the application's own.
"""

import json
import os

from openai import OpenAI
from opentelemetry.instrumentation.openai_v2 import OpenAIInstrumentor

from tests.dialects.app import get_shipment_status, play
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


def instrument() -> None:
    os.environ["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"] = "true"
    OpenAIInstrumentor().instrument()


def ask(run: Run) -> str:
    client = OpenAI(base_url=os.environ["MODEL_ENDPOINT"], api_key="none")
    messages = [{"role": "system", "content": INSTRUCTIONS}, {"role": "user", "content": run.question}]
    while True:
        completion = client.chat.completions.create(model=MODEL, messages=messages, tools=_TOOLS)
        message = completion.choices[0].message
        if not message.tool_calls:
            return message.content
        messages.append(message.model_dump(exclude_none=True))
        for call in message.tool_calls:
            content = get_shipment_status(**json.loads(call.function.arguments))
            messages.append({"role": "tool", "tool_call_id": call.id, "content": content})


play(instrument, ask)
