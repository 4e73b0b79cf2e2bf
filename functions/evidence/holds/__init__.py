"""Traces of severe alerts, kept as they open."""
