"""Documents, objects and append-only blobs on Azure Blob Storage, with SDK errors mapped into the tree."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from io import SEEK_END
from typing import Any, BinaryIO
from uuid import uuid4

import orjson
from azure.core import MatchConditions
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
    ServiceRequestError,
    ServiceResponseError,
)
from azure.storage.blob import BlobClient, ContainerClient, ContentSettings, ExponentialRetry

from functions.errors import DocumentConflict, StorageError
from functions.storage.documents import Document, encode

_SUFFIX = ".json"
_JSON = ContentSettings(content_type="application/json")
_WRITE_ID = "writeid"
"""Blob metadata naming the call that wrote the blob. The SDK repeats a write whose answer was lost, and the
repetition then meets its own first try: this tells that conflict from a real one."""

_AT_ONCE_BYTES = 4 << 20


def client_options() -> Mapping[str, Any]:
    """Return the keyword options that a BlobServiceClient is made with.

    The SDK's own would keep a caller waiting for minutes while storage is away; these pause for about 17 s in
    all, which an HTTP answer (230 s at most) and a tick can bear.
    """
    return {
        "retry_policy": ExponentialRetry(
            initial_backoff=1, increment_base=2, retry_total=3, random_jitter_range=1
        ),
        "connection_timeout": 5,
        "read_timeout": 30,
        # What is larger travels in blocks of 4 MB: the SDK holds what it sends or gets at once in memory.
        "max_single_put_size": _AT_ONCE_BYTES,
        "max_single_get_size": _AT_ONCE_BYTES,
    }


class BlobDocuments:
    """JSON documents as blobs `<name>.json`; the version is the blob's ETag."""

    def __init__(self, container: ContainerClient) -> None:
        self._container = container

    def read(self, name: str) -> Document | None:
        """Return the document, or None where there is none. Raises StorageError."""
        with storage_errors(self._container.container_name):
            try:
                download = self._container.download_blob(name + _SUFFIX)
            except ResourceNotFoundError as error:
                if error.error_code == "BlobNotFound":  # type: ignore[attr-defined]  # set by the storage SDK
                    return None
                raise
            data = download.readall()
        return Document(name, orjson.loads(data), download.properties.etag)

    def write(self, name: str, body: Mapping[str, Any], *, version: str | None) -> Document:
        """Create (version None) or replace (the version read) it. Raises DocumentConflict, StorageError."""
        blob = self._container.get_blob_client(name + _SUFFIX)
        data, write_id = encode(body), uuid4().hex
        condition: dict[str, Any] = {"overwrite": False}
        if version is not None:
            condition = {"overwrite": True, "etag": version, "match_condition": MatchConditions.IfNotModified}
        with storage_errors(self._container.container_name):
            try:
                etag = blob.upload_blob(
                    data, content_settings=_JSON, metadata={_WRITE_ID: write_id}, **condition
                )["etag"]
            except (ResourceExistsError, ResourceModifiedError) as error:
                found = _written_by(blob, write_id)
                if found is None:
                    raise DocumentConflict(
                        f"The document {name} was changed by someone else.",
                        next_step="Read it and try again.",
                    ) from error
                etag = found
        return Document(name, orjson.loads(data), etag)

    def names(self, prefix: str) -> Iterator[str]:
        """Yield the names that begin with `prefix`, in order. Raises StorageError."""
        with storage_errors(self._container.container_name):
            for name in self._container.list_blob_names(name_starts_with=prefix):
                yield name.removesuffix(_SUFFIX)


class BlobObjects:
    """Write-once objects as block blobs."""

    def __init__(self, container: ContainerClient) -> None:
        self._container = container

    def put(self, name: str, data: BinaryIO) -> int:
        """Store the rest of the seekable `data`; return its bytes. Raises DocumentConflict, StorageError."""
        begin = data.tell()
        size = data.seek(0, SEEK_END) - begin
        data.seek(begin)
        blob, write_id = self._container.get_blob_client(name), uuid4().hex
        with storage_errors(self._container.container_name):
            try:
                blob.upload_blob(data, length=size, overwrite=False, metadata={_WRITE_ID: write_id})
            except ResourceExistsError as error:
                if _written_by(blob, write_id) is None:
                    raise DocumentConflict(
                        f"The object {name} exists already.", next_step="Store it under a new name."
                    ) from error
        return size

    def size(self, name: str) -> int | None:
        """Return the object's bytes, or None where there is none. Raises StorageError."""
        with storage_errors(self._container.container_name):
            try:
                properties = self._container.get_blob_client(name).get_blob_properties()
            except ResourceNotFoundError as error:
                if error.error_code == "BlobNotFound":  # type: ignore[attr-defined]  # set by the storage SDK
                    return None
                raise
            return properties.size

    def read(self, name: str, *, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Yield the bytes from `offset`, `length` of them at most. Raises StorageError."""
        with storage_errors(self._container.container_name):
            try:
                yield from self._container.download_blob(name, offset=offset, length=length).chunks()
            except HttpResponseError as error:
                if error.status_code != 416:  # asked for bytes beyond the end: there are none
                    raise


class BlobListing(BlobObjects):
    """Objects that can be listed too, as block blobs."""

    def names(self, prefix: str) -> Iterator[str]:
        """Yield the names that begin with `prefix`, in order. Raises StorageError."""
        with storage_errors(self._container.container_name):
            yield from self._container.list_blob_names(name_starts_with=prefix)


class BlobWorkObjects(BlobListing):
    """Objects that are removed again, as block blobs."""

    def delete(self, name: str) -> None:
        """Remove the object, unless it is gone. Raises StorageError."""
        with storage_errors(self._container.container_name), suppress(ResourceNotFoundError):
            self._container.delete_blob(name)


class BlobAppendBlobs:
    """What ChainedLog writes to: append blobs."""

    def __init__(self, container: ContainerClient) -> None:
        self._container = container

    def names(self) -> list[str]:
        """Return the names in order."""
        with storage_errors(self._container.container_name):
            return sorted(self._container.list_blob_names())

    def create(self, name: str) -> None:
        """Create an empty blob, unless it exists."""
        blob = self._container.get_blob_client(name)
        with storage_errors(self._container.container_name), suppress(ResourceExistsError):
            blob.create_append_blob(match_condition=MatchConditions.IfMissing)

    def extent(self, name: str) -> tuple[int, int]:
        """Return the blob's bytes and how many appends made them."""
        with storage_errors(self._container.container_name):
            properties = self._container.get_blob_client(name).get_blob_properties()
            return properties.size, properties.append_blob_committed_block_count or 0

    def append(self, name: str, data: bytes, *, at: int) -> bool:
        """Append if the blob is `at` bytes long; False means that it was not, or no longer is."""
        blob = self._container.get_blob_client(name)
        with storage_errors(self._container.container_name):
            try:
                blob.append_block(data, appendpos_condition=at)
            except HttpResponseError as error:
                if error.status_code != 412:
                    raise
                return False
        return True

    def read(self, name: str, *, offset: int, length: int) -> bytes:
        """Return the bytes [offset, offset + length), all of which exist."""
        with storage_errors(self._container.container_name):
            return self._container.download_blob(name, offset=offset, length=length).readall()


def service_time(container: ContainerClient) -> datetime:
    """Ask the storage service what time it is, UTC; whole seconds.

    Raises:
        StorageError: It does not answer, or its answer has no usable Date.
    """
    dates: list[str] = []
    with storage_errors(container.container_name):
        container.get_container_properties(
            raw_response_hook=lambda seen: dates.append(seen.http_response.headers.get("Date", ""))
        )
    try:
        return parsedate_to_datetime(dates[-1]).astimezone(UTC)
    except (ValueError, LookupError):
        raise StorageError(
            "Blob storage does not say what time it is.",
            next_step="Look at what stands between the app and the account.",
        ) from None


def _written_by(blob: BlobClient, write_id: str) -> str | None:
    """Return the blob's ETag where the call `write_id` wrote it."""
    try:
        properties = blob.get_blob_properties()
    except ResourceNotFoundError:
        return None
    return properties.etag if properties.metadata.get(_WRITE_ID) == write_id else None


@contextmanager
def storage_errors(container: str) -> Iterator[None]:
    """Map the SDK's errors in the block; the messages hold no URL, no header and no body."""
    try:
        yield
    except ClientAuthenticationError as error:
        raise StorageError(
            "Blob storage did not accept the app's identity.",
            next_step="Check AZURE_CLIENT_ID and that this identity is assigned to the app.",
        ) from error
    except (ServiceRequestError, ServiceResponseError) as error:
        raise StorageError(
            "Blob storage could not be reached.",
            next_step="Check STORAGE_BLOB_ENDPOINT, the account's network rules and the private endpoint.",
        ) from error
    except HttpResponseError as error:
        code = getattr(error, "error_code", None) or type(error).__name__
        raise StorageError(
            f"Blob storage answered {error.status_code} ({code}) on the container '{container}'.",
            next_step=_next_step(error.status_code, container),
        ) from error
    except AzureError as error:
        raise StorageError(
            f"Blob storage failed ({type(error).__name__}) on the container '{container}'.",
            next_step="Try again; if it goes on, look at the account's health.",
        ) from error


def _next_step(status: int | None, container: str) -> str:
    if status == 403:
        return (
            "Give the app's identity the role Storage Blob Data Owner on the storage account that "
            "STORAGE_BLOB_ENDPOINT names."
        )
    if status == 404:
        return f"Create the container '{container}' (infra/ does)."
    return "Try again; if it goes on, look at the account's health."
