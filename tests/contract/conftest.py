"""Starts Azurite and the identity endpoint, so that the real SDKs meet what they meet on Azure."""

from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest
from azure.identity import ManagedIdentityCredential
from azure.storage.blob import BlobServiceClient, ContainerClient

from local.azurite import Azurite
from local.identity import IdentityEndpoint, Tokens
from local.serving import Certificates, Service, make_certificates

TENANT_ID = "ab1f708d-50f6-404c-a006-d71b2ac7a606"
CLIENT_ID = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory, certificates: Certificates) -> Iterator[Azurite]:
    with Azurite(tmp_path_factory.mktemp("azurite"), certificates) as running:
        yield running


@pytest.fixture(scope="session")
def credential(certificates: Certificates) -> Iterator[ManagedIdentityCredential]:
    endpoint = IdentityEndpoint(Tokens(TENANT_ID, CLIENT_ID))
    with pytest.MonkeyPatch.context() as environment, Service(endpoint, certificates) as service:
        environment.setenv("IDENTITY_ENDPOINT", service.url)
        environment.setenv("IDENTITY_HEADER", endpoint.header)
        with ManagedIdentityCredential(
            client_id=CLIENT_ID, connection_verify=str(certificates.authority)
        ) as found:
            yield found


@pytest.fixture(scope="session")
def blob_service(
    azurite: Azurite, credential: ManagedIdentityCredential, certificates: Certificates
) -> Iterator[BlobServiceClient]:
    with BlobServiceClient(
        azurite.blob_endpoint, credential=credential, connection_verify=str(certificates.authority)
    ) as service:
        yield service


@pytest.fixture
def new_container(blob_service: BlobServiceClient) -> Callable[[], ContainerClient]:
    return lambda: blob_service.create_container(f"c{uuid4().hex}")
