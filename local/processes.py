"""Child processes of the laptop's Azure: started with a log file, waited for with a deadline, then ended."""

import os
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

_TAIL_BYTES = 6_000
_POLL_SECONDS = 0.05
_GRACE_SECONDS = 10.0


class ChildError(Exception):
    """A child process ended or did not get ready; the message has the end of its log."""


class Child:
    """One child process whose output goes to the end of a log file.

    It leads a process group of its own, so that Ctrl-C reaches the parent alone, which then ends its
    children in order. Its standard input stays open as long as the parent lives: a child that watches it
    ends even when the parent was killed.

    Attributes:
        log: The log file.
    """

    def __init__(
        self, command: Sequence[str | Path], *, log: Path, environment: Mapping[str, str], folder: Path
    ) -> None:
        self.log = log
        self._name = Path(command[0]).name
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                command,
                cwd=folder,
                env={**os.environ, **environment},
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_until(self, ready: Callable[[], bool], *, seconds: float) -> None:
        """Return as soon as `ready()` is true.

        Raises:
            ChildError: The process ended, or the time is up.
        """
        deadline = time.monotonic() + seconds
        while not ready():
            if self._process.poll() is not None:
                raise ChildError(f"{self._name} ended with {self._process.returncode}:\n{self.tail()}")
            if time.monotonic() > deadline:
                raise ChildError(f"{self._name} was not ready after {seconds:.0f} s:\n{self.tail()}")
            time.sleep(_POLL_SECONDS)

    def tail(self) -> str:
        """The end of the log."""
        return self.log.read_bytes()[-_TAIL_BYTES:].decode(errors="replace")

    def stop(self) -> None:
        """Ask it to end, and make it after ten seconds."""
        self._process.terminate()
        try:
            # With its input open: one that loses its parent meanwhile would not finish writing.
            self._process.wait(_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._process.communicate()

    def kill(self) -> None:
        """End it at once, as `kill -9` does."""
        self._process.kill()
        self._process.communicate()


def free_ports(count: int) -> list[int]:
    """Different loopback ports that nobody listens on now; someone else may take one before it is used."""
    with ExitStack() as held:
        probes = [held.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


def answers(port: int) -> bool:
    """Whether something accepts connections on a loopback port."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False
