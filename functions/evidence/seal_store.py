"""Where seals lie: `seals/<day>/…` in the store of evidence, written once; and what can be asked of them."""

from dataclasses import dataclass
from datetime import date

from functions.evidence.seals import DaySeal, SealedTrace
from functions.storage.documents import Documents
from functions.storage.objects import Objects


@dataclass(frozen=True, slots=True)
class Seals:
    """All seals. Safe to call from several threads.

    Attributes:
        objects: The store of evidence.
        documents: Holds `seals`: from which day to which there are any.
    """

    objects: Objects
    documents: Documents

    def day(self, day: date) -> DaySeal | None:
        """Return a day's statement, or None where it has not been sealed (which is not zero).

        Raises:
            StorageError: It could not be read, or is not what was written.
        """
        raise NotImplementedError

    def find_seal(self, trace_id: str) -> date | None:
        """Return the newest day whose seal holds this trace, or None where no seal does.

        It costs two reads a sealed day that this process has not asked about yet, one after that, eight at a
        time, of at most `MOST_DAYS` days: about 100 KB and 10 ms a day.

        Raises:
            StorageError: A seal could not be read, or is not what was written.
        """
        found = self.find(trace_id)
        return found[0] if found else None

    def find(self, trace_id: str) -> tuple[date, SealedTrace] | None:
        """Return the same with what the seal says of the trace. Raises as `find_seal` does."""
        raise NotImplementedError
