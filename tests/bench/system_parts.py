"""The engine over a canned mail server and Azurite, with the adapters that the app uses, and what counts requests."""

import http.client
import logging
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import urlsplit

from azure.data.tables import TableServiceClient

from sandbox.storage.provision import provision
from shared import logs
from shared.mailboxes.blob import BlobLeases
from shared.mailboxes.entities import mailbox_row
from shared.mailboxes.model import Mailbox
from shared.mailboxes.queue import StorageSyncQueue
from shared.mailboxes.summary.table import TableSummaries
from shared.mailboxes.table import TableRegistry
from shared.replica.store import BlobTableReplica
from shared.sources.ews.sources import EwsSources
from shared.storage.https_connection import HttpsConnection
from shared.storage.storage_rest import ServiceAddress
from shared.sync.back_off.table import TableTenantBackOff
from shared.sync.engine import SyncEngine
from shared.sync.limits import Limits
from shared.sync.scope import Scope
from tests.bench.many_mailboxes import row_line
from tests.bench.storage import LocalCredential
from tests.fakes.clock import FakeClock
from tests.fakes.queue import FakeQueue
from tests.fakes.sync_harness import a_mailbox
from tests.fakes.tokens import FakeAccessTokens


def utc_now() -> datetime:
    """The clock."""
    return datetime.now(UTC)


class System:
    """The engine as a worker has it. The access token is cached; the messages that follow a pass stay in memory."""

    def __init__(self, url: str, urls: dict[str, str]) -> None:
        import time

        credential = LocalCredential()
        provision(urls["blob"], urls["queue"], urls["table"], credential)
        tables = TableServiceClient(urls["table"], credential=credential)
        self.registry = TableRegistry(tables, 16, utc_now)
        self.summaries = TableSummaries(tables, 16)
        self.queue = StorageSyncQueue(ServiceAddress(urls["queue"], credential))
        self.storage_ports = frozenset(urlsplit(each).port for each in urls.values())
        self.all_ports = self.storage_ports | {urlsplit(url).port}
        self._sources = EwsSources(url)
        self._tokens = FakeAccessTokens()
        self._messages = FakeQueue()
        self._replica = BlobTableReplica.at(urls["blob"], urls["table"], credential)
        self._engine = SyncEngine(
            sources=self._sources,
            replica=self._replica,
            registry=self.registry,
            leases=BlobLeases(ServiceAddress(urls["blob"], credential)),
            queue=self._messages,
            access_tokens=self._tokens,
            scope_of=lambda _: Scope(),
            limits=Limits(),
            back_off=TableTenantBackOff(tables, time.monotonic),
        )
        _log_as_in_the_worker()

    def connect(self, name: str) -> str:
        """Connect a mailbox of this name; returns its id."""
        unique = f"{name}-{uuid.uuid4().hex[:12]}"
        address = f"{unique}@contoso.example"
        self.registry.add(a_mailbox(FakeClock(), id=unique, owner_id=unique, address=address, created_at=utc_now()))
        return unique

    def age(self, mailbox_id: str) -> None:
        """Have the last pass that may have broken off be long ago."""
        before = timedelta(hours=2)
        self.registry.change(mailbox_id, lambda row: row.with_changes(unsettled_since=utc_now() - before))

    def sync(self, mailbox_id: str) -> None:
        """A pass and its continuations."""
        with logs.log_context(mailbox_id=mailbox_id, invocation_id=mailbox_id):
            self._engine.sync(mailbox_id)
            self._go_on()

    def sweep(self, mailbox_id: str) -> None:
        """The daily sweep and its continuations."""
        with logs.log_context(mailbox_id=mailbox_id, invocation_id=mailbox_id):
            self._engine.sync(mailbox_id, sweep=True)
            self._go_on()

    def read_folders(self, mailbox_id: str) -> None:
        """The one mail request of an idle pass, by itself: the source is opened, lists the folders, and is closed."""
        source = self._sources.open(self._tokens.access("a1", f"{mailbox_id}@contoso.example"))
        try:
            source.folders()
        finally:
            source.close()

    def close(self) -> None:
        """Close the replica's connections."""
        self._replica.close()

    def _go_on(self) -> None:
        while self._messages.mailboxes:
            message = self._messages.mailboxes.popleft()
            self._engine.sync(message.mailbox_id, message.continuation)


def _log_as_in_the_worker() -> None:
    """Write log lines as the app formats them; where the host sends them to is not the app's cost."""
    logs.configure()
    logging.getLogger().addHandler(logging.StreamHandler(StringIO()))


def count_requests(ports: frozenset[int | None], work: Callable[[], object]) -> int:
    """How many HTTP requests go to these ports, of which one is Storage's, while the work runs."""
    counted = 0
    plain, ours = http.client.HTTPConnection.putrequest, HttpsConnection.send

    def counting(self: http.client.HTTPConnection, *args: Any, **more: Any) -> None:
        nonlocal counted
        counted += self.port in ports
        plain(self, *args, **more)

    def counting_ours(self: HttpsConnection, *args: Any) -> None:
        nonlocal counted
        counted += 1
        ours(self, *args)

    with (
        mock.patch.object(http.client.HTTPConnection, "putrequest", counting),
        mock.patch.object(HttpsConnection, "send", counting_ours),
    ):
        work()
    return counted


def write_due_mailboxes(folder: Path, number: int) -> None:
    """Write the registry's rows of mailboxes that are due, for fill_azurite.cjs."""
    with (folder / "mailboxes.ndjson").open("w") as rows:
        rows.writelines(row_line(mailbox_row(_due_mailbox(index))) for index in range(number))


def _due_mailbox(index: int) -> Mailbox:
    unique = f"{index:08d}-{uuid.uuid4().hex[:12]}"
    return a_mailbox(
        FakeClock(),
        id=unique,
        owner_id=unique,
        tenant_id=f"tenant-{index % 100}",
        address=f"{unique}@contoso.example",
        last_pass_at=utc_now(),
        last_success_at=utc_now(),
        first_sync_done=True,
        items=index,
    )
