"""Writes the card that each piece of news becomes in Teams. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from functions.alerts.alert import Notice
from functions.alerts.cards.notice import card_message
from functions.alerts.outbox import Telling
from functions.alerts.rules import Mention
from functions.alerts.told_as import ToldAs
from functions.errors import TracekeeperError


class CardWriter:
    """Writes messages for a Workflows webhook; see Writer.

    Args:
        base_url: Where the HTTP API is, for example "https://example.azurewebsites.net".
        told_as: By which definition an alert is told.
        mentions: Whom a card calls, by owner.
    """

    def __init__(self, base_url: str, told_as: ToldAs, mentions: Mapping[str, Mention]) -> None:
        self._base_url = base_url
        self._told_as = told_as
        self._mentions = mentions

    def one(self, telling: Telling) -> Mapping[str, Any]:
        """Return the message with the card of one piece of news."""
        if isinstance(telling.news, Notice) and telling.check is not None:
            return card_message(
                telling.news, self._told_as(telling.news.alert, telling.check), self._base_url
            )
        raise TracekeeperError("There is no card for it.", next_step="Deploy a later version.")

    def digest(self, key: str, tellings: Sequence[Telling]) -> Mapping[str, Any]:  # noqa: ARG002 - the interface's
        """Return the message with the card that tells of many at once."""
        raise TracekeeperError("There is no card for it.", next_step="Deploy a later version.")
