"""Measurements of our own cost, run by hand; `make bench`."""
