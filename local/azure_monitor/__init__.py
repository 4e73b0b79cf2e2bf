"""Stand-in for Azure Monitor: Application Insights ingestion and the Log Analytics query API."""
