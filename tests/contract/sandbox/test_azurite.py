"""Azure Storage's own clients, unmodified, against the sandbox, without a key or a connection string."""

from collections.abc import Mapping
from typing import Any

import pytest
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ResourceExistsError
from azure.data.tables import TableServiceClient
from azure.identity import DefaultAzureCredential
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient


@pytest.fixture
def credential(azure_environment: Mapping[str, str]) -> DefaultAzureCredential:
    return DefaultAzureCredential()


def test_a_blob_is_written_once_and_read_back_in_part(azurite: Any, credential: DefaultAzureCredential) -> None:
    with BlobServiceClient(azurite.blob, credential=credential) as service:
        blob = service.create_container("sandbox-test").get_blob_client("a/b.txt")
        blob.upload_blob(b"hello world")
        with pytest.raises(ResourceExistsError):
            blob.upload_blob(b"again", overwrite=False)
        assert blob.download_blob(offset=6, length=5).readall() == b"world"


def test_a_message_goes_through_a_queue(azurite: Any, credential: DefaultAzureCredential) -> None:
    with QueueServiceClient(azurite.queue, credential=credential) as service:
        queue = service.create_queue("sandbox-test")
        queue.send_message("mailbox")
        received = queue.receive_message()
        assert received is not None
        assert received.content == "mailbox"
        assert received.dequeue_count == 1


def test_an_entity_goes_into_a_table_and_comes_back(azurite: Any, credential: DefaultAzureCredential) -> None:
    with TableServiceClient(azurite.table, credential=credential) as service:
        table = service.create_table("SandboxTest")
        table.upsert_entity({"PartitionKey": "shard", "RowKey": "mailbox", "Items": 3})
        assert table.get_entity("shard", "mailbox")["Items"] == 3


def test_who_has_no_token_is_refused(azurite: Any, azure_environment: Mapping[str, str]) -> None:
    with BlobServiceClient(azurite.blob) as service, pytest.raises((ClientAuthenticationError, HttpResponseError)):
        service.create_container("nobodys")
