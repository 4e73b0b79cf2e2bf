"""Calls a function in a process of its own, and gives what it returned."""

import multiprocessing
from collections.abc import Callable
from typing import Any


class Apart:
    """A call that goes on beside what this process does; its arguments and outcome are pickled.

    Args:
        function: What to call.
        arguments: Of the call.
    """

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self._outcome, send = multiprocessing.Pipe(duplex=False)
        self._process = multiprocessing.Process(target=_call, args=(send, function, arguments), daemon=True)
        self._process.start()
        send.close()  # so that nothing is waited for once the other process has ended

    def result(self) -> Any:
        """Wait for what the function returned.

        Raises:
            EOFError: The process ended without it; or OSError.
        """
        return self._outcome.recv()

    def end(self) -> None:
        """End the process, whatever it does."""
        self._process.kill()
        self._process.join()
        self._outcome.close()


def _call(send: Any, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    send.send(function(*arguments))
