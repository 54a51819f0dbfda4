"""Maps mailboxes to table entities. An entity is a dict of str, int, bool, and aware datetimes.

An int beyond 32 bits is a pair of its value and a type name, because Table Storage keeps it as a different type.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.mailboxes.model import Mailbox
from shared.storage.row_mapping import to_row

BUCKETS = 256
"""Number of partitions of the registry. It never changes; a shard is a range of adjacent partitions, so that the number
of shards can change at any time."""

_END_OF_TIME_MS = 10**14


def bucket_of(mailbox_id: str) -> int:
    """A mailbox's bucket, 0 to 255, computed from its id alone."""
    return hashlib.sha256(mailbox_id.encode()).digest()[0]


def partition(mailbox_id: str) -> str:
    """A mailbox's partition key in the registry."""
    return f"{bucket_of(mailbox_id):02x}"


def shard_bounds(shard: int, shards: int) -> tuple[str, str]:
    """The first partition key of a shard and the first one past it (`g` sorts after every hexadecimal key)."""
    first, past = shard * BUCKETS // shards, (shard + 1) * BUCKETS // shards
    return f"{first:02x}", f"{past:02x}" if past < BUCKETS else "g"


def newest_first(moment: datetime) -> str:
    """A row key that sorts later times before earlier ones."""
    return f"{_END_OF_TIME_MS - int(moment.timestamp() * 1000):015d}"


def row_digest(text: str) -> str:
    """A key that is safe in a table, for a text that may be personal or contain any character."""
    return hashlib.sha256(text.encode()).hexdigest()[:40]


def owner_partition(tenant_id: str, owner_id: str) -> str:
    """An owner's partition key in the registry's index."""
    return f"{tenant_id}_{owner_id}"


def owner_keys(mailbox: Mailbox) -> dict[str, Any]:
    """The keys of a mailbox's entry in the index of its owner."""
    return {"PartitionKey": owner_partition(mailbox.tenant_id, mailbox.owner_id), "RowKey": f"mailbox-{mailbox.id}"}


def early_owner_keys(mailbox: Mailbox) -> dict[str, Any]:
    """The keys of that entry as version 0.1.0 wrote it: one an owner and address."""
    return {
        "PartitionKey": owner_partition(mailbox.tenant_id, mailbox.owner_id),
        "RowKey": row_digest(mailbox.address.lower()),
    }


def address_partition(tenant_id: str) -> str:
    """The partition key of a tenant's addresses in the registry's index. No owner is called so."""
    return f"{tenant_id}_addresses"


def address_keys(mailbox: Mailbox) -> dict[str, Any]:
    """The keys of an address's claim: one an address and tenant."""
    return {"PartitionKey": address_partition(mailbox.tenant_id), "RowKey": row_digest(mailbox.address.lower())}


@dataclass(frozen=True, slots=True)
class IndexPlace:
    """Where the index has a mailbox: the partition of its owner, and the claim of its address (empty: not known)."""

    owner: str
    address: str = ""


def index_place(mailbox: Mailbox) -> IndexPlace:
    """Where the index has this mailbox."""
    return IndexPlace(owner_partition(mailbox.tenant_id, mailbox.owner_id), address_keys(mailbox)["RowKey"])


def mailbox_row(mailbox: Mailbox) -> dict[str, Any]:
    """A mailbox as the registry stores it."""
    keys = {"PartitionKey": partition(mailbox.id), "RowKey": mailbox.id}
    return keys | to_row(mailbox, without=frozenset({"version"}))
