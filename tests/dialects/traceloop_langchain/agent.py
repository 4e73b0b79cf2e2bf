"""A LangGraph agent under Traceloop's opentelemetry-instrumentation-langchain."""

import os

from langchain.agents import create_agent
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import InMemorySaver
from opentelemetry.instrumentation.langchain import LangchainInstrumentor

from tests.dialects.app import get_shipment_status, play
from tests.dialects.scenario import AGENT, INSTRUCTIONS, MODEL, Run


def instrument() -> None:
    LangchainInstrumentor().instrument()


def ask(run: Run) -> str:
    model = ChatOpenAI(model=MODEL, base_url=os.environ["MODEL_ENDPOINT"], api_key="none")
    agent = create_agent(
        model,
        [tool(get_shipment_status)],
        system_prompt=INSTRUCTIONS,
        name=AGENT,
        checkpointer=InMemorySaver(),
    )
    config = {"configurable": {"thread_id": run.conversation}}
    answer = agent.invoke({"messages": [{"role": "user", "content": run.question}]}, config)
    return str(answer["messages"][-1].content)


play(instrument, ask)
