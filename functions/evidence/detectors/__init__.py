"""Detectors: what patterns can find in a text.

They are the second barrier and the policy's default deny is the first: names and addresses of people are
most of the personal data in real text, and no pattern finds them.
"""

from functions.evidence.detectors.contacts import CONTACT_DETECTORS
from functions.evidence.detectors.credentials import CREDENTIAL_DETECTORS
from functions.evidence.detectors.engine import Detector, Detectors, Hit
from functions.evidence.detectors.identity import IDENTITY_DETECTORS
from functions.evidence.detectors.national_ids import NATIONAL_ID_DETECTORS
from functions.evidence.detectors.payments import PAYMENT_DETECTORS

__all__ = ["Detector", "Detectors", "Hit", "standard_detectors"]


def standard_detectors() -> Detectors:
    """Return all detectors of the product, each proven on its sample.

    Raises:
        RedactionFailure: The engine does not find a sample.
    """
    return Detectors(
        (
            *CREDENTIAL_DETECTORS,
            *PAYMENT_DETECTORS,
            *IDENTITY_DETECTORS,
            *NATIONAL_ID_DETECTORS,
            *CONTACT_DETECTORS,
        )
    )
