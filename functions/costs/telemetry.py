"""Says how much telemetry each agent sends that the workspace is billed for."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from functions.costs.question import Period
from functions.spreadsheet import encode_csv

_GIGABYTE = 1_000_000_000
"""Azure Monitor bills gigabytes of 10^9 bytes (https://learn.microsoft.com/azure/azure-monitor/logs/cost-logs)."""


@dataclass(frozen=True, slots=True)
class Volume:
    """What one agent sent: rows in the App* tables, and how many of their bytes are billed, by table."""

    rows: int
    bytes_of_table: Mapping[str, float]

    @property
    def gigabytes(self) -> float:
        """All tables together."""
        return sum(self.bytes_of_table.values()) / _GIGABYTE


@dataclass(frozen=True, slots=True)
class TelemetryVolume:
    """What was received within a period.

    Attributes:
        period: By the time of ingestion, which is when it is billed.
        agents: Each agent's, the largest first; None stands for rows of traces without an agent.
    """

    period: Period
    agents: tuple[tuple[str | None, Volume], ...]

    def body(self) -> dict[str, Any]:
        """Return it as a JSON value."""
        return {
            "start": self.period.start,
            "end": self.period.end,
            "gigabytes": sum(volume.gigabytes for _, volume in self.agents),
            "agents": [
                {
                    "agent": agent,
                    "rows": volume.rows,
                    "gigabytes": volume.gigabytes,
                    "tables": {
                        table: size / _GIGABYTE for table, size in sorted(volume.bytes_of_table.items())
                    },
                }
                for agent, volume in self.agents
            ],
        }

    def csv(self) -> bytes:
        """Return a line for each agent and table, as CSV that is safe to open in a spreadsheet."""
        return encode_csv(
            ("agent", "table", "gigabytes"),
            [
                (agent, table, size / _GIGABYTE)
                for agent, volume in self.agents
                for table, size in sorted(volume.bytes_of_table.items())
            ],
        )


def telemetry_volume(records: Sequence[Mapping[str, Any]], period: Period) -> TelemetryVolume:
    """Read the answer to telemetry.kql."""
    rows: defaultdict[str, int] = defaultdict(int)
    sizes: defaultdict[str, dict[str, float]] = defaultdict(dict)
    for record in records:
        rows[record["Agent"]] += record["Rows"]
        sizes[record["Agent"]][record["Table"]] = float(record["Bytes"])
    volumes = [(agent or None, Volume(rows[agent], of_table)) for agent, of_table in sizes.items()]
    return TelemetryVolume(period, tuple(sorted(volumes, key=lambda one: (-one[1].gigabytes, one[0] or ""))))
