"""Writes the card that each piece of news becomes in Teams. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from functions.alerts.announcement import Announcement
from functions.alerts.outbox import Telling
from functions.alerts.rules import Mention
from functions.alerts.told_as import ToldAs, told_of
from functions.delivery.cards.announcements import announcement_card
from functions.delivery.cards.digest import digest_card
from functions.delivery.cards.notice import CardRules, notice_card


class CardWriter:
    """Writes messages for a Workflows webhook; see Writer.

    Args:
        base_url: Where the HTTP API is, for example "https://example.azurewebsites.net".
        told_as: By which definition an alert is told.
        mentions: Whom a card calls, by owner.
    """

    def __init__(self, base_url: str, told_as: ToldAs, mentions: Mapping[str, Mention]) -> None:
        self._told_as = told_as
        self._rules = CardRules(base_url, mentions)

    def one(self, telling: Telling) -> Mapping[str, Any]:
        """Return the message with the card of one piece of news."""
        if isinstance(telling.news, Announcement):
            return announcement_card(telling.news, self._rules.base_url)
        return notice_card(*told_of(telling, self._told_as), self._rules)

    def digest(self, key: str, tellings: Sequence[Telling]) -> Mapping[str, Any]:  # noqa: ARG002 - no card shows it
        """Return the message with the card that tells of many notices at once."""
        return digest_card([told_of(one, self._told_as) for one in tellings], self._rules.base_url)
