"""The benchmark of the console shows the pages as the app does: it must not fail only when somebody measures."""

from datetime import UTC, datetime

from azure.data.tables import TableServiceClient
from azure.identity import DefaultAzureCredential

from tests.bench.console import LISTS, Console
from tests.bench.many_mailboxes import mailboxes
from tests.conftest import Azurite

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def test_the_benchmark_shows_the_overview_and_every_list(storage: Azurite, credential: DefaultAzureCredential) -> None:
    with TableServiceClient(storage.table, credential=credential) as tables:
        console = Console(tables, NOW)
        for mailbox in mailboxes(3, NOW):
            console.registry.add(mailbox)
        console.show_overview()
        shown = {name: console.show_list(query)[0] for name, query in LISTS.items()}
    assert shown["all, by address"] >= 3
    assert shown["nothing matches"] == 0
