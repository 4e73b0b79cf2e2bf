"""Settings of every test."""

from hypothesis import settings

# Two shared cores: how long an example takes says nothing about the code.
settings.register_profile("tracekeeper", deadline=None)
settings.load_profile("tracekeeper")
