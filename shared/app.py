"""The composition root: the only place that names concrete classes. Everything is made at its first use.

To add a part: a cached property here that builds it from the parts it needs.
"""

import functools
import time
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from shared import settings as settings_module
from shared.mailboxes.life import Thresholds

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential
    from azure.data.tables import TableServiceClient
    from azure.storage.blob import BlobServiceClient
    from azure.storage.queue import QueueServiceClient

    from shared.mailboxes.blob import BlobLeases
    from shared.mailboxes.queue import StorageSyncQueue
    from shared.mailboxes.table import TableRegistry
    from shared.pages.pages import Pages
    from shared.settings import Settings
    from shared.sync.dispatch import Dispatch
    from shared.sync.poison import Poison

PATIENCE: dict[str, Any] = {"retry_total": 2, "retry_backoff_factor": 0.2, "connection_timeout": 5, "read_timeout": 30}
"""The storage SDKs try twice more for a blip; whatever lasts longer is the queue's to retry. Seconds."""


def utc_now() -> datetime:
    """The clock: aware UTC."""
    return datetime.now(UTC)


class App:
    """One process's parts. Imports of vendors' packages happen where a part is first asked for."""

    monotonic = staticmethod(time.monotonic)

    @cached_property
    def settings(self) -> "Settings":
        """Raises SettingsInvalid, naming everything that is wrong."""
        return settings_module.load()

    @cached_property
    def credential(self) -> "TokenCredential":
        """The app's managed identity."""
        from azure.identity import DefaultAzureCredential

        return DefaultAzureCredential(managed_identity_client_id=self.settings.identity_client_id or None)

    @cached_property
    def blobs(self) -> "BlobServiceClient":
        """Blob Storage."""
        from azure.storage.blob import BlobServiceClient

        return BlobServiceClient(self.settings.blob_url, self.credential, **PATIENCE)

    @cached_property
    def queues(self) -> "QueueServiceClient":
        """Queue Storage."""
        from azure.storage.queue import QueueServiceClient

        return QueueServiceClient(self.settings.queue_url, credential=self.credential, **PATIENCE)

    @cached_property
    def tables(self) -> "TableServiceClient":
        """Table Storage."""
        from azure.data.tables import TableServiceClient

        return TableServiceClient(self.settings.table_url, credential=self.credential, **PATIENCE)

    @cached_property
    def interval(self) -> timedelta:
        """How often a mailbox is due."""
        return timedelta(minutes=self.settings.sync_interval_minutes)

    @cached_property
    def thresholds(self) -> Thresholds:
        """After how many failures somebody is asked."""
        return Thresholds(self.settings.rejections_before_sign_in, self.settings.failures_before_suspension)

    @cached_property
    def registry(self) -> "TableRegistry":
        """Every connected mailbox."""
        from shared.mailboxes.table import TableRegistry

        return TableRegistry(self.tables, self.settings.sync_shards, utc_now)

    @cached_property
    def leases(self) -> "BlobLeases":
        """One pass a mailbox at a time."""
        from shared.mailboxes.blob import BlobLeases

        return BlobLeases(self.blobs)

    @cached_property
    def queue(self) -> "StorageSyncQueue":
        """The dispatch's queues."""
        from shared.mailboxes.queue import StorageSyncQueue

        return StorageSyncQueue(self.queues)

    @cached_property
    def dispatch(self) -> "Dispatch":
        """Who is due."""
        from shared.sync.dispatch import Dispatch

        return Dispatch(self.registry, self.queue, self.settings.sync_shards, self.interval, utc_now)

    @cached_property
    def poison(self) -> "Poison":
        """Messages that failed at every try."""
        from shared.sync.poison import Poison

        return Poison(self.registry, self.thresholds, self.interval, utc_now)

    @cached_property
    def pages(self) -> "Pages":
        """What people see."""
        from shared.pages.pages import Pages

        return Pages(self.settings.organization, self.settings.support_contact)


@functools.cache
def app() -> App:
    """This process's parts."""
    return App()
