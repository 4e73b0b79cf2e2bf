"""Holds a run to what was agreed: each control passes, fails or is not evaluable, and says why. Pure."""
