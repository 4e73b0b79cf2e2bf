"""Checks the templates with checkov, in an environment of its own."""
