"""Tracekeeper: alerts and evidence from the traces that AI agents send to Azure Monitor."""
