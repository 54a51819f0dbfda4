"""Fixtures of the contract tests, besides the sandbox."""

from collections.abc import Iterator, Mapping

import pytest
from azure.identity import DefaultAzureCredential

from sandbox.storage.provision import provision
from tests.conftest import Azurite


@pytest.fixture(scope="session")
def credential(azure_environment: Mapping[str, str]) -> Iterator[DefaultAzureCredential]:
    identity = DefaultAzureCredential(managed_identity_client_id=azure_environment["AZURE_CLIENT_ID"])
    with identity:
        yield identity


@pytest.fixture(scope="session")
def storage(azurite: Azurite, credential: DefaultAzureCredential) -> Azurite:
    """Storage with all containers, queues and tables that the deployment creates."""
    provision(azurite.blob, azurite.queue, azurite.table, credential)
    return azurite
