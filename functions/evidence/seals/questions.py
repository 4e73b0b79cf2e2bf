"""Writes the questions of sealing: which runs were received in some time, and how many spans in each hour."""

from datetime import datetime, timedelta

from functions.traces.agents import Agents
from functions.traces.kql import compose, instant

ROOM = timedelta(hours=1)
"""How far from its run the other spans of a trace may be received and still say whose it was; as in costs."""

_ONE = timedelta(days=1)


def runs_kql(agents: Agents, since: datetime, until: datetime) -> str:
    """Return the question for the runs whose own span was received in [since, until), UTC.

    The view takes every request for a run, where no agent ran below it: what has neither an agent's name nor
    a call of a model or tool is somebody's website.
    """
    query = (
        f"runs\n| where Received >= {instant(since)} and Received < {instant(until)}\n"
        "| where isnotempty(Agent) or ModelCalls > 0 or ToolCalls > 0\n"
        "| project TraceId, Time, Agent, Tenant, Conversation"
    )
    return compose(
        query,
        attributes=agents.attributes,
        tables=(),
        received_from=since,
        received_to=until,
        every=_ONE,
        lookback=ROOM,
        settle=ROOM,
    )


def spans_kql(since: datetime, until: datetime) -> str:
    """Return the question for how many spans were received in each hour of [since, until), UTC."""
    legs = ",\n".join(
        f"  ({table} | extend Received = ingestion_time() | where Received >= {instant(since)} "
        f"and Received < {instant(until)} | project Received)"
        for table in ("AppRequests", "AppDependencies")
    )
    return f"union\n{legs}\n| summarize Spans = count() by Hour = bin(Received, 1h)"
