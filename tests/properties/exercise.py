"""Runs the state machine and says what was exercised."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.properties.alerting import Alerting

STEPS = 25
"""The most steps of an example; few have fewer."""


def exercise(examples: int, *, the_same: bool = False) -> str:
    """Run so many examples and return what they came to, as a line; raises what one of them shows.

    Args:
        examples: How many stories.
        the_same: Whether they are the same ones each time, so that a gate that fails can be run again.
    """
    began = time.perf_counter()
    Alerting.seen.clear()
    with _unlogged():
        run_state_machine_as_test(
            Alerting,
            settings=settings(
                max_examples=examples,
                stateful_step_count=STEPS,
                deadline=None,
                derandomize=the_same,
                suppress_health_check=list(HealthCheck),
            ),
        )
    counts = ", ".join(f"{count:,} {what}" for what, count in Alerting.seen.items())
    return f"{counts}; {time.perf_counter() - began:.0f} s"


@contextmanager
def _unlogged() -> Iterator[None]:
    """Keep the watch's own words about each failure out of the way: there are tens of thousands."""
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
