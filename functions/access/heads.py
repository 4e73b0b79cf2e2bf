"""Notes the ledger's end once a day, signed, where it can't be rewritten: what is cut off later is missed."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Head:
    """How far the ledger reached.

    Attributes:
        day: UTC day on which it was noted; the object is `heads/<day>.json`, its signature lies beside it.
        entries: Lines so far, closing lines of blobs included.
        hash: Of the last line, hex; covers all before it.
        blob: The append blob that holds the line.
        offset: Bytes of the blob up to the end of that line.
    """

    day: date
    entries: int
    hash: str
    blob: str
    offset: int
