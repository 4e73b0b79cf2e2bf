"""Indexes an unpacked package as the Functions worker does, and says what it found; run by test_package.

    python index_package.py PACKAGE WORKER

WORKER is a folder with the worker's own library, which the platform brings along.
"""

import json
import sys
import time
from pathlib import Path
from types import ModuleType


def _is_file(module: ModuleType) -> bool:
    return bool(getattr(module, "__file__", None))


package, worker = map(Path, sys.argv[1:])
sys.path[0] = str(worker)  # in place of this script's own folder
began = time.monotonic()

from local.host.functions_runtime import FunctionsRuntime  # noqa: E402 - found from here on

functions = FunctionsRuntime(package).functions
found = {
    "functions": {name: function.trigger.type for name, function in functions.items()},
    "seconds": time.monotonic() - began,
    "loaded": [
        str(Path(module.__file__).resolve()) for module in list(sys.modules.values()) if _is_file(module)
    ],
}
sys.stdout.write(json.dumps(found) + "\n")
