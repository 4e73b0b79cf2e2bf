"""What an auditor gets: selected, sanitized, packed and verifiable."""
