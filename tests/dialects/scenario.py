"""What every dialect's fixture plays: three runs of one agent.

An agent is asked about a shipment, its model asks for a tool, the tool answers or raises, the model answers.
All that the tests expect of a fixture is planted here. Every dialect's environment imports it: it needs the
standard library only.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

AGENT = "dispatcher"
TOOL = "get_shipment_status"
TOOL_DESCRIPTION = "Say where a shipment is."
INSTRUCTIONS = "You answer questions about shipments."
MODEL = "gpt-4o"
ANSWERING_MODEL = "gpt-4o-2024-11-20"
"""The snapshot that the model server says has answered."""

INTENT = "shipment_status"
TENANT = "acme"
USER = "user-0001"
DATA_AGE = timedelta(minutes=120)
"""How old the tool says its data is."""

RUN_ATTRIBUTE = "scenario.run"
"""On each request span: the name of its run, so that a test finds the run's trace."""


@dataclass(frozen=True)
class Usage:
    """What the model server reports for one call, in tokens."""

    input: int
    output: int
    cached: int


@dataclass(frozen=True)
class Run:
    """One question to the agent.

    Attributes:
        name: What the run is about.
        shipment: What the user asks about; the tool knows by it whether to raise.
        conversation: Its id.
        usages: Of its model calls, in order; all figures of the scenario differ.
        tool: What becomes of the tool call: "answers", "raises", or "" where the model asks for none.
    """

    name: str
    shipment: str
    conversation: str
    usages: tuple[Usage, ...]
    tool: str

    @property
    def question(self) -> str:
        """What the user asks."""
        return f"Where is shipment {self.shipment}?"

    @property
    def answer(self) -> str:
        """What the model answers at last."""
        return f"About {self.shipment}: see the depot."


RUNS: Mapping[str, Run] = {
    run.name: run
    for run in (
        Run(
            "answered",
            "S-1001",
            "conv-00000000-0000-4000-8000-000000000001",
            (Usage(101, 11, 31), Usage(211, 23, 64)),
            "answers",
        ),
        Run(
            "failed",
            "S-2002",
            "conv-00000000-0000-4000-8000-000000000002",
            (Usage(103, 13, 37), Usage(223, 29, 67)),
            "raises",
        ),
        Run("skipped", "S-3003", "conv-00000000-0000-4000-8000-000000000003", (Usage(107, 17, 41),), ""),
    )
}


class ShipmentsUnavailableError(Exception):
    """What the tool raises."""


def look_up(shipment: str) -> str:
    """Do what the tool does, apart from telemetry.

    Raises:
        ShipmentsUnavailableError: It is the shipment of the run in which the tool fails.
    """
    if shipment == RUNS["failed"].shipment:
        raise ShipmentsUnavailableError("the carrier does not answer")
    return f"{shipment} left the depot"
