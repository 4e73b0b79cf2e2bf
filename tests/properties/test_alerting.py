"""The alerts' life in any weather; what must hold is in chronicle.py."""

import os
import sys

import pytest

from tests.properties.exercise import exercise


def test_nothing_is_lost_nothing_said_twice_without_need_and_nothing_ended_without_evidence(
    capsys: pytest.CaptureFixture[str],
) -> None:
    line = exercise(int(os.environ.get("ALERTING_EXAMPLES", "500")), the_same=True)
    with capsys.disabled():
        sys.stdout.write(f"\n{line}\n")
