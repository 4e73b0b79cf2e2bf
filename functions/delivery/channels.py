"""Builds, from alerts.yaml and the app settings, what speaks to each destination."""

import logging
from collections.abc import Mapping

from functions.alerts.rules import DestinationRule
from functions.canary.telling import Reader
from functions.configuration import Configuration
from functions.delivery.cards.writer import CardWriter
from functions.delivery.destinations.unaddressed import UnaddressedDestination
from functions.delivery.destinations.webhook import WebhookDestination
from functions.delivery.events import EventWriter
from functions.delivery.interface import Channel, Destination, Writer
from functions.errors import SettingsError
from functions.settings import Settings

_log = logging.getLogger(__name__)


def channels(settings: Settings, configuration: Configuration) -> Mapping[str, Channel]:
    """Return by name what speaks to each destination, and what writes for it. Sends nothing.

    A destination without an address refuses what it is given, and so is told of by the others.

    Raises:
        SettingsError: None has an address, so that nobody could be told.
    """
    reader = Reader(settings.azure_client_id, settings.logs_workspace_id, settings.logs_resource_id)
    base_url = f"https://{settings.hostname}"
    writers: Mapping[str, Writer] = {
        "teams": CardWriter(base_url, reader.told_as, configuration.alerts.mentions),
        "webhook": EventWriter(base_url, reader.told_as),
    }
    rules = configuration.alerts.destinations
    destinations = {rule.name: _destination(settings, rule) for rule in rules}
    if rules and all(isinstance(one, UnaddressedDestination) for one in destinations.values()):
        settings.webhook_url(rules[0].setting)  # raises
    return {rule.name: Channel(destinations[rule.name], writers[rule.kind]) for rule in rules}


def _destination(settings: Settings, rule: DestinationRule) -> Destination:
    try:
        return WebhookDestination(settings.webhook_url(rule.setting))
    except SettingsError as error:
        _log.error("The destination %s has no address: %s", rule.name, error)
        return UnaddressedDestination(error.message)
