"""Says in KQL which of the names that are sent stand for an agent, by the mapping of agents.yaml."""

from collections.abc import Mapping

from functions.traces.kql import text

SENT_NAME = 'tostring(Properties["gen_ai.agent.name"])'
"""The expression of the name that a row was sent with."""


def stands_for(column: str, agent: str, names: Mapping[str, str]) -> str:
    """Return the condition that a column's name stands for `agent`; a name always stands for itself, too.

    As in the views a whole name goes before a beginning, and a longer beginning before a shorter one.

    Args:
        column: The KQL expression of the name that was sent.
        agent: The agent's name, or one that was sent.
        names: See `Attributes.names`.
    """
    wholes = {sent: owner for sent, owner in names.items() if not sent.endswith("*")}
    beginnings = {sent.removesuffix("*"): owner for sent, owner in names.items() if sent.endswith("*")}
    own = sorted({agent} | {sent for sent, owner in wholes.items() if owner == agent})
    conditions = [_among(column, own)]
    for beginning in sorted(start for start, owner in beginnings.items() if owner == agent):
        taken = sorted(sent for sent in wholes if sent.startswith(beginning) and sent not in own)
        nearer = sorted(start for start in beginnings if start != beginning and start.startswith(beginning))
        parts = [
            _begins(column, beginning),
            *([f"not({_among(column, taken)})"] if taken else []),
            *(f"not({_begins(column, start)})" for start in nearer),
        ]
        conditions.append(f"({' and '.join(parts)})")
    return " or ".join(conditions)


def _among(column: str, names: list[str]) -> str:
    return f"{column} in ({', '.join(map(text, names))})"


def _begins(column: str, beginning: str) -> str:
    return f"{column} startswith_cs {text(beginning)}"
