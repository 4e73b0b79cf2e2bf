"""One cold start in a process of its own: indexes an app, calls one HTTP function, says when each was done.

    python -m bench.start APP FUNCTION PATH

Prints JSON: `loaded`, when the worker's library was there; `indexed`; `answered`; in seconds of the machine's
monotonic clock, which the process that started this one reads as well. It imports no more than the host does.
"""

import json
import sys
import time
from pathlib import Path

from local.host.functions_runtime import FunctionsRuntime
from local.host.invocations import HttpCall, Succeeded


def main(folder: str, function: str, path: str) -> int:
    """Start the app; 1 where the function did not answer with success."""
    loaded = time.monotonic()
    runtime = FunctionsRuntime(Path(folder))
    indexed = time.monotonic()
    call = HttpCall("GET", f"https://app.example.com/{path}", {}, {}, {}, b"")
    outcome = runtime.invoke(runtime.functions[function], call)
    answered = time.monotonic()
    if not isinstance(outcome, Succeeded) or outcome.answer is None or outcome.answer.status != 200:
        sys.stderr.write(f"{folder}: {path} answered {outcome}\n")
        return 1
    sys.stdout.write(json.dumps({"loaded": loaded, "indexed": indexed, "answered": answered}))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
