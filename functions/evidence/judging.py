"""Reads the facts of some runs and judges each by the configuration that was valid when it happened."""

from datetime import datetime

from functions.evidence.run_facts import RunsPart
from functions.evidence.verdicts import RunVerdicts


class Controls:
    """Judges runs by the configuration that was valid when they happened."""

    def judge(self, part: RunsPart, *, cutoff: datetime) -> list[RunVerdicts]:
        """Return what the controls say about the runs of `part`, in `RunVerdicts.order`.

        Args:
            part: Which runs.
            cutoff: Rows received from then on are left out (UTC): the export's `requested_at`, so that a
                repeated job says the same.

        Raises:
            ResultTooLarge: Ask for half of it.
            SourceError: The source did not answer completely.
            StorageError: It could not be read which configurations were in force.
        """
        raise NotImplementedError
