"""An agent around the client of OpenAI under OpenInference: by its decorators and its instrumentation."""

from openinference.instrumentation import OITracer, TraceConfig, using_attributes
from openinference.instrumentation.openai import OpenAIInstrumentor
from opentelemetry import trace

from tests.dialects.app import get_shipment_status, play
from tests.dialects.openai_loop import answer
from tests.dialects.scenario import AGENT, TOOL, USER, Run


def instrument() -> None:
    OpenAIInstrumentor().instrument()


def ask(run: Run) -> str:
    tracer = OITracer(trace.get_tracer("dialects"), TraceConfig())
    tool = tracer.tool(name=TOOL)(get_shipment_status)
    with using_attributes(session_id=run.conversation, user_id=USER):
        return tracer.agent(name=AGENT)(answer)(run, tool)


play(instrument, ask, signed_in=False)
