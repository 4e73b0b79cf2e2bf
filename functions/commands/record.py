"""Opens what the watch keeps in storage, for the commands that a person reads it with."""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from functions.access.principal import Principal
from functions.alerts.reading import check_state
from functions.alerts.state import PREFIX, CheckState
from functions.checks.coverage import KEPT
from functions.checks.definition import CheckDefinition
from functions.configuration import SHIPPED, Configuration, load_configuration
from functions.errors import DocumentConflict, StorageError
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


def person() -> Principal:
    """Return who is signed in at this terminal.

    Raises:
        StorageError: Nobody is.
    """
    from functions.clients import signed_in_person  # noqa: PLC0415 - as above

    return signed_in_person()


@contextmanager
def advised_to_write() -> Iterator[None]:
    """Give a failure to write the next step of someone at a terminal.

    Raises:
        StorageError: As storage raised it.
    """
    try:
        yield
    except DocumentConflict:
        raise
    except StorageError as error:
        raise StorageError(
            error.message,
            next_step="Sign in as someone with Storage Blob Data Contributor on the container 'state'.",
        ) from error


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
