"""A LangGraph agent under OpenInference's openinference-instrumentation-langchain."""

import os

from langchain.agents import create_agent
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from openinference.instrumentation import using_attributes
from openinference.instrumentation.langchain import LangChainInstrumentor

from tests.dialects.app import get_shipment_status, play
from tests.dialects.scenario import AGENT, INSTRUCTIONS, MODEL, USER, Run


def instrument() -> None:
    LangChainInstrumentor().instrument()


def ask(run: Run) -> str:
    model = ChatOpenAI(model=MODEL, base_url=os.environ["MODEL_ENDPOINT"], api_key="none")
    agent = create_agent(model, [tool(get_shipment_status)], system_prompt=INSTRUCTIONS, name=AGENT)
    with using_attributes(session_id=run.conversation, user_id=USER):
        answer = agent.invoke({"messages": [{"role": "user", "content": run.question}]})
    return str(answer["messages"][-1].content)


play(instrument, ask, signed_in=False)
