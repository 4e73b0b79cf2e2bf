"""How late telemetry may be and still be found."""

from datetime import timedelta

TIME_MARGIN = timedelta(days=2, hours=6)
"""How far TimeGenerated may lie from ingestion time. A row more than two days old when received gets the
received time instead (https://learn.microsoft.com/azure/azure-monitor/logs/log-standard-columns#timegenerated);
the hours are for a slow pipeline behind that."""
