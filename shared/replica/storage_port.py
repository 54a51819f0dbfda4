"""The storage ports that the replica is written against: conditional blob writes and row transactions, vendor-free.

The two ports are small, so that tests can prove the order of writes against a crash at each write without a network.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from shared.errors import Conflict

PACKS = "packs"
FEED = "feed"
CURSORS = "cursors"
ITEMS = "items"

MOST_FOLDERS = 12
"""Folders that a query may name. Table Storage allows fifteen comparisons in a filter.
https://learn.microsoft.com/rest/api/storageservices/querying-tables-and-entities"""

type Row = Mapping[str, str | int]
"""A row's own properties, without its keys."""


class RowExists(Conflict):
    """A row to insert already exists; nothing of the transaction has taken effect."""


class RowMissing(Conflict):
    """A row to delete, or to replace under its ETag, does not exist; nothing of the transaction has taken effect."""


class Verb(StrEnum):
    """What a transaction does to one row."""

    INSERT = "insert"
    """Create the row; RowExists if it exists. By far the cheapest."""
    REPLACE = "replace"
    """Create the row or replace the existing one; with an ETag, replace only that version."""
    MERGE = "merge"
    """Create the row, or change the given properties and leave the others."""
    DELETE = "delete"
    """Delete the row; RowMissing if it does not exist."""


@dataclass(frozen=True, slots=True)
class RowChange:
    """The change that a transaction makes to one row."""

    verb: Verb
    key: str
    values: Row = field(default_factory=dict)
    etag: str = ""


@dataclass(frozen=True, slots=True)
class Blob:
    """A blob as it was read."""

    data: bytes
    etag: str


@dataclass(frozen=True, slots=True)
class BlobInfo:
    """A blob as it is listed.

    `members` is the number of parts that its writer recorded (0: not recorded), `deletes` whether it recorded that the
    blob is a feed page with deletions (None: not recorded).
    """

    name: str
    size: int
    created_at: datetime
    members: int = 0
    deletes: bool | None = None


@dataclass(frozen=True, slots=True)
class RowsFilter:
    """Which rows a scan returns; empty fields do not limit. Times are texts that compare like the stored ones."""

    folder: str = ""
    kind: str = ""
    at_from: str = ""
    at_until: str = ""
    left: bool = False
    """Only items that left the mailbox; `folder` is then the one that they were in."""


class Blobs(Protocol):
    """Named blobs in existing containers. Throttling and outages raise RetryLater, a refusal OperatorMustAct."""

    def get(self, container: str, name: str) -> Blob | None:
        """Return the whole blob, or None if it does not exist."""
        ...

    def get_range(self, container: str, name: str, offset: int, length: int) -> bytes | None:
        """Return `length` bytes from `offset`, or None if the blob does not exist."""
        ...

    def put(
        self,
        container: str,
        name: str,
        data: bytes,
        *,
        absent: bool = False,
        etag: str = "",
        members: int = 0,
        deletes: bool | None = None,
    ) -> str:
        """Write the whole blob and return its ETag. `absent`: only if none exists; `etag`: only over that version.

        `members` and `deletes` are recorded with it: see BlobInfo.

        Raises:
            Conflict: the condition does not hold.
        """
        ...

    def delete(self, container: str, name: str) -> None:
        """Delete the blob; no error if it does not exist."""
        ...

    def list(self, container: str, prefix: str) -> Iterator[BlobInfo]:
        """Iterate over the blobs whose names start with `prefix`, in the order of names."""
        ...

    def close(self) -> None:
        """Close the connections."""
        ...


class Rows(Protocol):
    """The table `items`, with one partition per mailbox."""

    def transact(self, mailbox_id: str, changes: Sequence[RowChange]) -> list[str]:
        """Apply all changes or none: at most 100 rows, each once. Returns their new ETags (empty for a deleted row).

        Raises:
            RowExists, RowMissing: see Verb.
            Conflict: a row's ETag is not the given one.
        """
        ...

    def get(self, mailbox_id: str, key: str) -> tuple[Row, str] | None:
        """Return one row and its ETag, or None."""
        ...

    def query(
        self, mailbox_id: str, *, folders: Sequence[str] = (), only: Sequence[str] = (), left: bool = False
    ) -> Iterator[Row]:
        """Iterate over the mailbox's rows except the fence in the order of keys, each with its `RowKey`.

        `folders` (at most MOST_FOLDERS) limit the rows, `left` limits them to items that left, `only` limits the
        properties that are returned.
        """
        ...

    def scan(self, mailbox_id: str, *, after: str, limit: int, wanted: RowsFilter) -> Sequence[Row]:
        """Return the first `limit` (up to 1,000) of the mailbox's rows with keys after `after`, in the order of keys.

        Fewer than `limit` rows mean that there are no further ones.
        """
        ...

    def close(self) -> None:
        """Close the connections."""
        ...
