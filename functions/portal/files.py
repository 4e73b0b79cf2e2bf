"""Gives the portal's files. They are the same for everybody: what may be seen is the API's to say."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

PAGE = "index.html"
_FOLDER = Path(__file__).parent
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
}

# The last two let the browser refuse where a text would be put into the page as HTML.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
"""Nothing foreign is loaded, nothing is sent elsewhere, and no text becomes code."""


@dataclass(frozen=True, slots=True)
class PortalFile:
    """One file as it is sent."""

    content: bytes
    media_type: str


@cache
def portal_files() -> dict[str, PortalFile]:
    """Return the files by their names."""
    return {
        path.name: PortalFile(path.read_bytes(), _TYPES[path.suffix])
        for path in sorted(_FOLDER.iterdir())
        if path.suffix in _TYPES
    }
