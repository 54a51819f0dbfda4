"""Fixtures of the contract tests, besides the sandbox."""

from collections.abc import Iterator, Mapping

import pytest
from azure.identity import DefaultAzureCredential

from sandbox.local.sandbox_process import Sandbox
from sandbox.storage.provision import provision
from shared.app import app
from tests.conftest import Azurite
from tests.contract.api_server import ApiServer


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


@pytest.fixture(scope="module")
def api(sandbox: Sandbox, storage: Azurite, azure_environment: Mapping[str, str]) -> Iterator[ApiServer]:
    """The API of this process on the sandbox's storage, with tokens of the sandbox's Entra ID.

    The process has an app of its own for the length of a module alone: unit tests may run in it too.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("APP_URL", "https://mailbox-sync.example")
        app.cache_clear()
        yield ApiServer(app(), sandbox)
        app.cache_clear()
