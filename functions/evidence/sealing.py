"""The daily job: seals each UTC day of ingestion time once it has ended and settled, each day once."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class SealReport:
    """What one tick did: the days sealed, and why the next could not be ("" where nothing stands in the way)."""

    sealed: tuple[date, ...]
    held_up: str


class Sealing:
    """Seals what is due; two hosts may tick at the same time, and any tick may be the last."""

    def tick(self) -> SealReport:
        """Seal the days that are due, oldest first, at most `MOST_DAYS_A_TICK`.

        Raises:
            StorageError: Storage failed; nothing half done counts.
        """
        raise NotImplementedError
