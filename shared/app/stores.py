"""The stores of mailboxes: the registry, the leases, the queue, and the replica."""

from functools import cached_property
from typing import TYPE_CHECKING

from shared.app.base import utc_now
from shared.app.events import EventComponents

if TYPE_CHECKING:
    from shared.mailboxes.blob import BlobLeases
    from shared.mailboxes.directory.listing import MailboxListing
    from shared.mailboxes.groups.model import ScopeSettings
    from shared.mailboxes.groups.table import TableGroups
    from shared.mailboxes.queue import StorageSyncQueue
    from shared.mailboxes.summary.table import TableSummaries
    from shared.mailboxes.table import TableRegistry
    from shared.replica.change_log.table import TableChangeLog
    from shared.replica.reading.reader import BlobTableReader
    from shared.replica.store import BlobTableReplica


class StoreComponents(EventComponents):
    """The adapters of Azure Storage that the registry and the sync use."""

    @cached_property
    def registry(self) -> "TableRegistry":
        """All connected mailboxes."""
        from shared.mailboxes.table import TableRegistry

        return TableRegistry(self.tables, self.settings.sync_shards, utc_now, self.outbox)

    @cached_property
    def listing(self) -> "MailboxListing":
        """Lists of mailboxes by address, filters, and order."""
        from shared.mailboxes.directory.listing import MailboxListing

        return MailboxListing(self.registry.directory, self.registry.get)

    @cached_property
    def summaries(self) -> "TableSummaries":
        """The counts that the dispatch keeps of each shard."""
        from shared.mailboxes.summary.table import TableSummaries

        return TableSummaries(self.tables, self.settings.sync_shards)

    @cached_property
    def group_store(self) -> "TableGroups":
        """The groups of mailboxes."""
        from shared.mailboxes.groups.table import TableGroups

        return TableGroups(self.tables)

    @property
    def scope_settings(self) -> "ScopeSettings":
        """What is synced of a mailbox that has no group."""
        from shared.mailboxes.groups.model import ScopeSettings
        from shared.sources.model import ContentLevel

        settings = self.settings
        return ScopeSettings(
            folders_in=settings.folders_in,
            folders_out=settings.folders_out,
            mail_days=settings.mail_days,
            content=ContentLevel(settings.content),
            largest_item_mb=settings.largest_item_mb,
            private_items=settings.private_items,
            exclude=settings.exclude,
            retention_days=settings.retention_days,
        )

    @cached_property
    def leases(self) -> "BlobLeases":
        """Leases that allow one pass per mailbox at a time."""
        from shared.mailboxes.blob import BlobLeases

        return BlobLeases(self.blob_address)

    @cached_property
    def queue(self) -> "StorageSyncQueue":
        """The dispatch's queues."""
        from shared.mailboxes.queue import StorageSyncQueue

        return StorageSyncQueue(self.queue_address)

    @cached_property
    def replica(self) -> "BlobTableReplica":
        """The copies of mailboxes."""
        from shared.replica.store import BlobTableReplica

        return BlobTableReplica.at(self.settings.blob_url, self.settings.table_url, self.credential)

    @cached_property
    def replica_reader(self) -> "BlobTableReader":
        """The read side of the copies."""
        return self.replica.reader()

    @cached_property
    def change_log(self) -> "TableChangeLog":
        """Which mailboxes have new feed pages, in the order of time."""
        from shared.replica.change_log.table import TableChangeLog

        return TableChangeLog(self.tables, utc_now)
