"""What people have to be told that is not about one alert."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypedDict

AnnouncementKind = Literal["silence_report", "weekly_summary", "scheduled_export", "test"]


@dataclass(frozen=True, slots=True)
class Announcement:
    """Something to tell that is not about one alert.

    Attributes:
        key: What names it for ever: its idempotency key.
        kind: What it is; the destinations' writers know each kind.
        at: When it was made.
        destinations: Who has to hear it.
        body: What it tells, a JSON object of the form that its kind has. Texts in it are hostile.
    """

    key: str
    kind: AnnouncementKind
    at: datetime
    destinations: tuple[str, ...]
    body: Mapping[str, Any]

    @property
    def about(self) -> str:
        """What it is about: itself."""
        return self.key


class DeliveryTest(TypedDict):
    """The body of a test, whose card asks a person to confirm that they see it.

    Attributes:
        code: Four letters and digits that the command has printed too: this is the card that was asked for.
        asked_by: Who asked for it, as they are signed in.
    """

    code: str
    asked_by: str
