"""The client of azure-ai-inference under its own AIInferenceInstrumentor.

Only the model calls are instrumented: the loop around them is the application's own.
"""

import json
import os

from azure.ai.inference import ChatCompletionsClient
from azure.ai.inference.models import (
    AssistantMessage,
    ChatCompletionsToolDefinition,
    FunctionDefinition,
    SystemMessage,
    ToolMessage,
    UserMessage,
)
from azure.ai.inference.tracing import AIInferenceInstrumentor
from azure.core.credentials import AzureKeyCredential
from azure.core.settings import settings

from tests.dialects.app import get_shipment_status, play
from tests.dialects.scenario import INSTRUCTIONS, MODEL, TOOL, TOOL_DESCRIPTION, Run

_TOOL = ChatCompletionsToolDefinition(
    function=FunctionDefinition(
        name=TOOL,
        description=TOOL_DESCRIPTION,
        parameters={"type": "object", "properties": {"shipment": {"type": "string"}}},
    )
)


def instrument() -> None:
    settings.tracing_implementation = "opentelemetry"
    AIInferenceInstrumentor().instrument(enable_content_recording=True)


def ask(run: Run) -> str:
    client = ChatCompletionsClient(os.environ["MODEL_ENDPOINT"], AzureKeyCredential("none"))
    messages = [SystemMessage(INSTRUCTIONS), UserMessage(run.question)]
    while True:
        message = client.complete(model=MODEL, messages=messages, tools=[_TOOL]).choices[0].message
        if not message.tool_calls:
            return str(message.content)
        messages.append(AssistantMessage(tool_calls=message.tool_calls))
        for call in message.tool_calls:
            content = get_shipment_status(**json.loads(call.function.arguments))
            messages.append(ToolMessage(content, tool_call_id=call.id))


play(instrument, ask)
