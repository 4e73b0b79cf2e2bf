"""Verdicts on runs: what was agreed, what is recorded, and what follows."""
