"""Tells a person at a terminal, or in a pipeline's log, what was found; keeps count of what failed."""

FAILED = 1
"""Exit code where something is missing or did not work."""


class Console:
    """One line for each thing that was looked at; what to do stands below what failed.

    Attributes:
        failures: How many failed.
    """

    def __init__(self) -> None:
        self.failures = 0

    def ok(self, what: str) -> None:
        """Say that something is as it should be."""
        _write("ok", what)

    def note(self, what: str) -> None:
        """Say something that is neither."""
        _write("note", what)

    def missing(self, what: str, next_step: str) -> None:
        """Say that something is missing, and how to get it."""
        self.failures += 1
        _write("MISSING", what, next_step)

    def failed(self, what: str, next_step: str) -> None:
        """Say that something did not work, and what to do."""
        self.failures += 1
        _write("FAILED", what, next_step)

    def exit_code(self, name: str) -> int:
        """Say how it ended; 0 where nothing failed, else FAILED."""
        print(f"{name}: {'done' if not self.failures else f'{self.failures} to mend, see above'}", flush=True)
        return FAILED if self.failures else 0


def _write(word: str, what: str, *more: str) -> None:
    print(f"{word:<8} {what}", flush=True)
    for line in "\n".join(more).splitlines():
        print(f"         {line}", flush=True)
