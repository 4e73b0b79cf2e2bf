"""An agent of Azure AI Foundry, called through azure-ai-projects under its own AIProjectInstrumentor.

The service holds the agent; the application runs the tool that it asks for.
"""

import json
import os
import time

from azure.ai.projects import AIProjectClient
from azure.ai.projects.telemetry import AIProjectInstrumentor
from azure.core.credentials import AccessToken
from azure.core.settings import settings

from tests.dialects.app import get_shipment_status, play
from tests.dialects.scenario import AGENT, Run


class NoCredential:
    """A TokenCredential of nobody's."""

    def get_token(self, *scopes: str, **options: object) -> AccessToken:  # noqa: ARG002 - the interface's
        return AccessToken("none", int(time.time()) + 3600)


def instrument() -> None:
    os.environ["AZURE_EXPERIMENTAL_ENABLE_GENAI_TRACING"] = "true"
    settings.tracing_implementation = "opentelemetry"
    AIProjectInstrumentor().instrument(enable_content_recording=True)


def ask(run: Run) -> str:
    project = AIProjectClient(endpoint=os.environ["MODEL_ENDPOINT"], credential=NoCredential())
    client = project.get_openai_client()
    given: object = run.question
    while True:
        response = client.responses.create(
            conversation=run.conversation,
            input=given,
            extra_body={"agent_reference": {"name": AGENT, "type": "agent_reference"}},
        )
        calls = [item for item in response.output if item.type == "function_call"]
        if not calls:
            return str(response.output_text)
        given = [
            {
                "type": "function_call_output",
                "call_id": call.call_id,
                "output": get_shipment_status(**json.loads(call.arguments)),
            }
            for call in calls
        ]


play(instrument, ask)
