"""Says which pictures the documentation shows or links to."""

import re
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
IMAGES = REPOSITORY / "docs" / "images"

_TARGET = re.compile(r"""(?:\]\(|src=")([^)"\s]+\.png)[)"]""")


def linked(repository: Path = REPOSITORY) -> set[str]:
    """Return the pictures that README and docs name, as paths below docs/images or out of it."""
    pages = [repository / "README.md", *sorted((repository / "docs").rglob("*.md"))]
    images = (repository / "docs" / "images").resolve()
    return {
        str((page.parent / target).resolve().relative_to(images, walk_up=True))
        for page in pages
        for target in _TARGET.findall(page.read_text(encoding="utf-8"))
    }
