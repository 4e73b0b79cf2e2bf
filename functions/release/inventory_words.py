"""Makes names and tags fit to be shown: people become pseudonyms, secrets are masked, all is printable."""

from functions.evidence.detectors import Detectors
from functions.evidence.redaction.pseudonyms import Pseudonyms

WITHHELD = "<withheld>"
_LONGEST = 2_048
_MOST_PASSES = 6
_ADDRESS = "email"


class Words:
    """Cleans what people and Azure wrote.

    Args:
        pseudonyms: Stand for people.
        detectors: Find addresses, secrets and numbers.
    """

    def __init__(self, pseudonyms: Pseudonyms, detectors: Detectors) -> None:
        self._pseudonyms = pseudonyms
        self._detectors = detectors

    @property
    def key_id(self) -> str:
        """Under which key people have pseudonyms."""
        return self._pseudonyms.key_id

    def clean(self, text: str) -> str:
        """Return the text, printable, with a pseudonym for each mail address and other hits masked."""
        shown = "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text[:_LONGEST])
        for _ in range(_MOST_PASSES):
            hits = self._detectors.find(shown)
            if not hits:
                return shown
            for hit in reversed(hits):
                found = shown[hit.start : hit.end]
                instead = (
                    f"<person {self._pseudonyms.of('user', found.lower())}>"
                    if hit.type == _ADDRESS
                    else f"<{hit.type}>"
                )
                shown = shown[: hit.start] + instead + shown[hit.end :]
        return WITHHELD

    def principal(self, object_id: str, kind: str) -> str:
        """Return who has a role: the object id, for people a pseudonym."""
        if kind in {"Group", "ServicePrincipal"}:
            return self.clean(object_id)
        return f"person {self._pseudonyms.of('user', object_id.lower())}"
