"""Compares our clock with the storage service's, which none of us sets; an hour off is told and recorded."""

from datetime import timedelta

MOST = timedelta(minutes=5)
"""By more than this the clock is off. Dates of the ledger are ours, and days are sealed by them."""
