"""Services whose answer has the right status and another content: a proxy's page, or JSON that was not asked for."""

import gc
from collections.abc import Callable, Iterator

import pytest
from azure.data.tables import TableServiceClient
from azure.keyvault.secrets import SecretClient
from urllib3 import HTTPResponse

from sandbox.tls.authority import Authority
from shared.authorization.tokens.key_vault import VaultKeyRing, VaultTokenStore, read_secret, secret_client
from shared.errors import MailboxSyncError, RetryLater
from shared.mailboxes.directory.model import DirectoryQuery
from shared.mailboxes.directory.table import TableDirectory
from shared.mailboxes.groups.table import TableGroups
from shared.replica.blob import AzureBlobs
from shared.replica.storage_port import CURSORS, PACKS, RowsFilter
from shared.replica.table import AzureRows
from shared.storage.azure_clients import table_client
from shared.storage.azure_errors import translate_errors
from shared.storage.table_rest import TableRest
from shared.webhooks.key_vault import VaultWebhookSecrets
from shared.webhooks.table import TableDeliveries
from tests.contract.rogue_server import RogueServer, http, rogue_server
from tests.contract.test_storage_rest import CountingCredential
from tests.fakes.registry import FakeRegistry

PAGE = b"<!DOCTYPE html><html><body>Sign in to the network</body></html>"
BODIES = {
    "page": PAGE,
    "nothing": b"",
    "object": b"{}",
    "error": b'{"error": "no"}',
    "list": b"[]",
    "null": b"null",
    "no_list": b'{"value": null}',
}


@pytest.fixture(scope="module")
def server(authority: Authority, azure_environment: object) -> Iterator[RogueServer]:
    with rogue_server(authority) as running:
        yield running


def _tables(url: str) -> TableServiceClient:
    return table_client(url, CountingCredential())


def _vault(url: str) -> SecretClient:
    return secret_client(url, CountingCredential())


LISTS: dict[str, Callable[[str], object]] = {
    "rows": lambda url: list(AzureRows(url, CountingCredential()).query("m")),
    "scan": lambda url: AzureRows(url, CountingCredential()).scan("m", after="", limit=5, wanted=RowsFilter()),
    "table rows": lambda url: list(TableRest(url, CountingCredential()).query("mailboxes", "")),
    "blobs": lambda url: list(AzureBlobs(url, CountingCredential()).list(CURSORS, "m")),
    "directory": lambda url: TableDirectory(_tables(url).get_table_client("directory"), FakeRegistry().get).page(
        DirectoryQuery()
    ),
    "groups": lambda url: TableGroups(_tables(url)).all(),
    "deliveries": lambda url: TableDeliveries(_tables(url)).recent("e", 5),
    "keys": lambda url: VaultKeyRing(_vault(url), "k", lambda: 0.0).valid(),
}

SINGLE: dict[str, Callable[[str], object]] = {
    "blob": lambda url: AzureBlobs(url, CountingCredential()).get(PACKS, "m/0000000001-a.zip"),
    "row": lambda url: AzureRows(url, CountingCredential()).get("m", "k"),
    "table row": lambda url: TableRest(url, CountingCredential()).get("mailboxes", "p", "k"),
    "token": lambda url: VaultTokenStore(_vault(url)).read("a"),
    "certificate": lambda url: read_secret(_vault(url), "c"),
    "secrets": lambda url: VaultWebhookSecrets(_vault(url), lambda: 0.0).read("e"),
}


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("name", [*LISTS, *SINGLE])
def test_answer_of_another_kind_is_an_outage(server: RogueServer, name: str, body: str) -> None:
    kind = "text/html" if body == "page" else "application/json"
    server.answers(http(BODIES[body], 200, kind, ETag='"1"'))
    with pytest.raises(RetryLater):
        (LISTS | SINGLE)[name](server.url.rpartition("/EWS")[0])


@pytest.mark.parametrize("name", LISTS)
def test_list_of_anything_else_is_an_outage(server: RogueServer, name: str) -> None:
    server.answers(http(b'{"value": [1]}', 200, "application/json"))
    with pytest.raises(RetryLater):
        LISTS[name](server.url.rpartition("/EWS")[0])


@pytest.mark.parametrize("status", [200, 202, 403])
def test_page_in_place_of_a_transaction_is_read_to_its_end(server: RogueServer, status: int) -> None:
    """Otherwise its connection would stay open until the response is collected."""
    server.answers(http(PAGE, status, "text/html"))
    rows = _tables(server.url).get_table_client("rows")

    with pytest.raises(MailboxSyncError) as refusal, translate_errors():
        rows.submit_transaction([("delete", {"PartitionKey": "p", "RowKey": "r"})])

    assert refusal.tb is not None  # which keeps the response
    responses = [each for each in gc.get_objects() if isinstance(each, HTTPResponse)]
    assert [each for each in responses if not each.closed] == []
