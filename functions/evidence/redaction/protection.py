"""What stands between telemetry and whoever reads of it."""

import hashlib
from dataclasses import dataclass, replace

from functions.evidence.detectors import Detectors
from functions.evidence.redaction.policy import Policy, Profile
from functions.evidence.redaction.pseudonyms import Pseudonyms


@dataclass(frozen=True, slots=True)
class Protection:
    """What stands between telemetry and whoever reads an export.

    Attributes:
        policy: As one profile sees it.
        pseudonyms: Those of exports.
        detectors: What nothing that leaves may hold.
        structure_only: Whether the profile `content` shows the structure of messages alone.
    """

    policy: Policy
    pseudonyms: Pseudonyms
    detectors: Detectors
    structure_only: bool = False

    def for_profile(self, name: str) -> "Protection":
        """Return it as another profile, one of `PROFILES`, sees the policy."""
        profile: Profile = "content" if name == "content" else "metadata"
        return replace(self, policy=self.policy.for_profile(profile))

    @property
    def fingerprint(self) -> str:
        """Tells parts of an export apart that another policy, profile or key made: 16 hex digits."""
        previous = self.pseudonyms.previous
        keys = f"{self.pseudonyms.key_id}/{previous.key_id if previous else ''}"
        made_by = f"{self.policy.hash}/{self.policy.profile}/{self.structure_only}/{keys}"
        return hashlib.sha256(made_by.encode()).hexdigest()[:16]
