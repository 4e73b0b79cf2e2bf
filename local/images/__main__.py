"""`make images`: makes every picture of the documentation anew, and says what it wrote.

    python -m local.images [documents|stage]

Fails where a page shows an error, and where docs and makers don't name the same pictures.
"""

import argparse
import struct
import sys
from collections.abc import Sequence

from local.images import documents, stage
from local.images.camera import PictureError
from local.images.linked import IMAGES, linked
from local.render_card import browser

MAKERS = {"documents": documents, "stage": stage}
"""What a picture is taken of: what is written by code alone, or the service at work."""


def main(arguments: Sequence[str]) -> int:
    """Make the pictures; 0 when all is as it has to be."""
    parser = argparse.ArgumentParser(prog="python -m local.images", description=__doc__.splitlines()[0])
    parser.add_argument("only", nargs="?", choices=sorted(MAKERS), help="these pictures alone")
    only: str | None = parser.parse_args(arguments).only
    try:
        with browser() as opened:
            for maker in [MAKERS[only]] if only else MAKERS.values():
                for name, png in maker.pictures(opened):
                    _write(name, png)
    except (FileNotFoundError, PictureError) as error:
        print(error, file=sys.stderr)
        return 1
    faults = find_faults()
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


def find_faults() -> list[str]:
    """Return where docs and makers differ, as sentences."""
    made = {name for maker in MAKERS.values() for name in maker.NAMES}
    kept = {str(path.relative_to(IMAGES)) for path in IMAGES.rglob("*.png")}
    shown = linked()
    return [
        *(f"docs/images/{name} is linked, and nothing makes it." for name in sorted(shown - made)),
        *(f"docs/images/{name} is made, and no page links it." for name in sorted(made - shown)),
        *(f"docs/images/{name} is kept, and nothing makes it." for name in sorted(kept - made)),
        *(f"docs/images/{name} is missing: run `make images`." for name in sorted(made - kept)),
    ]


def _write(name: str, png: bytes) -> None:
    path = IMAGES / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(png)
    width, height = struct.unpack(">II", png[16:24])
    print(f"docs/images/{name}: {width} x {height}, {len(png) / 1000:.0f} kB", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
