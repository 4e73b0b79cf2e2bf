"""Settings of every test."""

from pathlib import Path

import pytest
from hypothesis import settings

# Two shared cores: how long an example takes says nothing about the code.
settings.register_profile("tracekeeper", deadline=None)
settings.load_profile("tracekeeper")

TESTS = Path(__file__).parent
LONG = ("e2e", "browser")
"""Folders whose files run for a minute or so each."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the long files: the short ones then fill both cores to the end."""
    items.sort(key=lambda item: item.path.relative_to(TESTS).parts[0] not in LONG)
