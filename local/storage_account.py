"""Makes the containers and queues of the local storage account, as infra/ makes them on Azure."""

from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from azure.core.credentials import AccessToken
from azure.core.exceptions import ResourceExistsError
from azure.storage.blob import BlobServiceClient

from local.azurite import Azurite
from local.identity import Tokens
from local.queues import Queues

CONTAINERS = ("state", "evidence", "work", "ledger", "config")
QUEUES = ("exports",)
_AUDIENCE = "https://storage.azure.com"


class StorageAccount:
    """The local storage account, seen with full rights. A context manager that closes its connections.

    Attributes:
        blobs: Its blob service.
        queues: Its queues.
    """

    def __init__(self, azurite: Azurite, tokens: Tokens, authority: Path) -> None:
        self._tokens = tokens
        self.blobs = BlobServiceClient(
            azurite.blob_endpoint, credential=self, connection_verify=str(authority)
        )
        self.queues = Queues(azurite.queue_endpoint, lambda: self.get_token().token, authority)

    def __enter__(self) -> Self:
        """Nothing is opened before its first use."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        self.blobs.close()
        self.queues.close()

    def get_token(self, *_scopes: str, **_options: object) -> AccessToken:
        """A token, in the form in which the Azure SDK asks a credential for it."""
        token, expires = self._tokens.issue(_AUDIENCE)
        return AccessToken(token, int(expires.timestamp()))

    def prepare(self) -> None:
        """Make what the app needs, unless it is there."""
        for container in CONTAINERS:
            with suppress(ResourceExistsError):
                self.blobs.create_container(container)
        for queue in QUEUES:
            self.queues.create(queue)
