"""Gives the portal's files. They are the same for everybody: what may be seen is the API's to say."""

from dataclasses import dataclass
from functools import cache
from hashlib import sha256
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
    """One file as it is sent.

    Attributes:
        content: Its bytes.
        media_type: With the charset.
        tag: Its entity tag (RFC 9110), in quotes: another content, another tag.
    """

    content: bytes
    media_type: str
    tag: str

    def held_by(self, tags: str) -> bool:
        """Return whether who sends these tags (the header If-None-Match) has this content already."""
        held = {tag.strip().removeprefix("W/") for tag in tags.split(",")}
        return not held.isdisjoint({self.tag, "*"})


@cache
def portal_files() -> dict[str, PortalFile]:
    """Return the files by their names."""
    return {path.name: _read(path) for path in sorted(_FOLDER.iterdir()) if path.suffix in _TYPES}


def _read(path: Path) -> PortalFile:
    content = path.read_bytes()
    return PortalFile(content, _TYPES[path.suffix], f'"{sha256(content).hexdigest()[:32]}"')
