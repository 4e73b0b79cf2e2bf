"""Opens what the watch keeps in storage, for the commands that a person reads it with."""

import argparse
from collections.abc import Mapping, Sequence

from functions.alerts.reading import check_state
from functions.alerts.state import PREFIX, CheckState
from functions.checks.coverage import KEPT
from functions.checks.definition import CheckDefinition
from functions.configuration import SHIPPED, Configuration, load_configuration
from functions.errors import StorageError
from functions.settings import read_record_settings
from functions.storage.documents import Documents

Held = CheckState | StorageError | None
"""What is remembered of a check: None where it never ran, the error where its document can't be read."""


def open_record() -> tuple[Documents, Configuration]:
    """Return the documents that the settings name, and the configuration.

    Raises:
        SettingsError: A setting is missing or unusable.
        ConfigurationError: A config file is.
    """
    from functions.clients import record_documents  # noqa: PLC0415 - other commands need none of Azure's packages

    settings = read_record_settings()
    configuration = load_configuration(
        SHIPPED,
        *([settings.config_directory] if settings.config_directory else []),
        environment=settings.environment_name,
    )
    return record_documents(settings), configuration


def read_states(documents: Documents, checks: Sequence[CheckDefinition]) -> Mapping[str, Held]:
    """Return what is remembered of each check, by its id.

    Raises:
        StorageError: Nothing can be read at all.
    """
    try:
        kept = set(documents.names(PREFIX))
    except StorageError as error:
        raise StorageError(
            error.message,
            next_step=(
                "Sign in with `az login` as someone with the role Storage Blob Data Reader on the storage "
                "account, and check STORAGE_BLOB_ENDPOINT."
            ),
        ) from error
    return {check.id: _held(documents, check.id) if PREFIX + check.id in kept else None for check in checks}


def kept_days(text: str) -> int:
    """Read a number of days for which the record can answer."""
    if not (text.isdecimal() and 1 <= int(text) <= KEPT.days):
        raise argparse.ArgumentTypeError(f"must be 1 to {KEPT.days}")
    return int(text)


def _held(documents: Documents, check_id: str) -> Held:
    try:
        return check_state(documents, check_id)
    except StorageError as error:
        return error
