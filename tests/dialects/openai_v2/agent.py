"""OpenAI's client under opentelemetry-instrumentation-openai-v2, with the current conventions.

Only the model calls are instrumented: the loop around them is the application's own.
"""

import os

from opentelemetry.instrumentation.openai_v2 import OpenAIInstrumentor

from tests.dialects.app import get_shipment_status, play
from tests.dialects.openai_loop import answer


def instrument() -> None:
    os.environ["OTEL_SEMCONV_STABILITY_OPT_IN"] = "gen_ai_latest_experimental"
    os.environ["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"] = "SPAN_ONLY"
    OpenAIInstrumentor().instrument()


play(instrument, lambda run: answer(run, get_shipment_status))
