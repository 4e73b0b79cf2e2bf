"""Says of the ledger's chain what was checked before its entries were given. Pure."""

from typing import Any

from functions.access.heads import NewestHead, Signed
from functions.access.ledger import Latest


def chain_body(latest: Latest, newest: NewestHead | None) -> dict[str, Any]:
    """Return it as the JSON object that is shown.

    Where a line does not follow from the one before, there is no `Latest`. Here `broken` means that the
    signature of the newest head names our key and is not of it.
    """
    broken = newest is not None and newest.signed is Signed.BROKEN
    return {
        "state": "broken" if broken else "holds",
        "lines": latest.end.lines,
        "checked": latest.end.lines - latest.since.lines,
        "hash": latest.end.hash,
        "head": newest
        and {
            "day": newest.head.day.isoformat(),
            "lines": newest.head.mark.lines,
            "signature": newest.signed.value,
        },
    }
