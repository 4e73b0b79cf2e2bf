"""An agent under the decorators of Traceloop's SDK of 2025, with its old names of tokens and prompts."""

import os

from opentelemetry.sdk.trace import SpanProcessor
from traceloop.sdk import Traceloop
from traceloop.sdk.decorators import agent, tool
from traceloop.sdk.instruments import Instruments

from tests.dialects.app import get_shipment_status, play
from tests.dialects.openai_loop import answer
from tests.dialects.scenario import AGENT, TOOL, Run


def instrument() -> None:
    os.environ["TRACELOOP_METRICS_ENABLED"] = "false"
    # The spans are exported already: the SDK only has to add its attributes to them.
    Traceloop.init(
        app_name="dialects",
        processor=SpanProcessor(),
        telemetry_enabled=False,
        instruments={Instruments.OPENAI},
    )


@agent(name=AGENT)
def ask(run: Run) -> str:
    return answer(run, tool(name=TOOL)(get_shipment_status))


def ask_in_session(run: Run) -> str:
    Traceloop.set_association_properties({"session_id": run.conversation})
    return ask(run)


play(instrument, ask_in_session)
