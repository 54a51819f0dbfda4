"""Reads one mailbox's replica."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from shared.errors import ItemUnusable, NotFound
from shared.replica.port import Replica, ReplicaItem


@dataclass(frozen=True, slots=True)
class SurveyedReplica:
    """What a survey reads of a replica."""

    replica: Replica
    mailbox_id: str

    def items(self, folder_id: str | None = None) -> Iterator[ReplicaItem]:
        """Return the items of a folder, or all."""
        return self.replica.items(self.mailbox_id, *([folder_id] if folder_id is not None else ()))

    def left_items(self) -> Iterator[ReplicaItem]:
        """Return the items that left the mailbox and are kept."""
        return self.replica.left_items(self.mailbox_id)

    def find(self, source_ids: Sequence[str]) -> dict[str, ReplicaItem]:
        """Return the items with these source ids that have not left the mailbox."""
        found = self.replica.find(self.mailbox_id, source_ids) if source_ids else {}
        return {source_id: item for source_id, item in found.items() if item.left_at is None}

    def item(self, key: str) -> ReplicaItem | None:
        """Return one item, or None."""
        try:
            return self.replica.item(self.mailbox_id, key)
        except NotFound:
            return None

    def content(self, item: ReplicaItem) -> bytes | None:
        """Return an item's bytes, or None if they cannot be read."""
        try:
            return self.replica.content(self.mailbox_id, item)
        except (NotFound, ItemUnusable):
            return None

    def document(self, name: str) -> bytes:
        """Return a derived document; empty if there is none."""
        try:
            return self.replica.derived(self.mailbox_id, name)
        except NotFound:
            return b""
