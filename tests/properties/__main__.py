"""Runs so many examples as are asked for: `python -m tests.properties 10000`."""

import sys

from tests.properties.exercise import exercise

sys.stdout.write(exercise(int(sys.argv[1])) + "\n")
