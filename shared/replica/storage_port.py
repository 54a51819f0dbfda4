"""What the replica asks of storage: blobs under conditions, and rows in transactions. No vendor in here.

Two small ports, so that the order of writes can be proven against a crash at each of them without a network.
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

type Row = Mapping[str, str | int]
"""A row's own properties, without its keys."""


class RowExists(Conflict):
    """A row to be inserted is there already; nothing of the transaction has taken effect."""


class RowMissing(Conflict):
    """A row to be deleted, or replaced under its ETag, is not there; nothing of the transaction has taken effect."""


class Verb(StrEnum):
    """What a transaction does to one row."""

    INSERT = "insert"
    """Make it; RowExists when it is there. Much the cheapest."""
    REPLACE = "replace"
    """Make it or put it in the place of what is there; with an ETag, only in the place of that one."""
    MERGE = "merge"
    """Make it or change the given properties, leaving the others."""
    DELETE = "delete"
    """Remove it; RowMissing when it is not there."""


@dataclass(frozen=True, slots=True)
class RowChange:
    """One row's part in a transaction."""

    verb: Verb
    key: str
    values: Row = field(default_factory=dict)
    etag: str = ""


@dataclass(frozen=True, slots=True)
class Blob:
    """A blob as read."""

    data: bytes
    etag: str


@dataclass(frozen=True, slots=True)
class BlobInfo:
    """A blob as listed. `members` is what the writer said of its parts (0: nothing)."""

    name: str
    size: int
    created_at: datetime
    members: int = 0


class Blobs(Protocol):
    """Named bytes in containers that exist. Throttling and outages raise RetryLater, refusal OperatorMustAct."""

    def get(self, container: str, name: str) -> Blob | None:
        """The whole blob, or None when there is none."""
        ...

    def get_range(self, container: str, name: str, offset: int, length: int) -> bytes | None:
        """`length` bytes from `offset`, or None when there is no such blob."""
        ...

    def put(
        self, container: str, name: str, data: bytes, *, absent: bool = False, etag: str = "", members: int = 0
    ) -> str:
        """Write the whole blob and give its ETag; `absent`: only if there is none, `etag`: only over that one.

        Raises:
            Conflict: the condition does not hold.
        """
        ...

    def delete(self, container: str, name: str) -> None:
        """Remove it; harmless when it is gone."""
        ...

    def list(self, container: str, prefix: str) -> Iterator[BlobInfo]:
        """The blobs whose name begins so, in the order of names."""
        ...

    def close(self) -> None:
        """Give the connections back."""
        ...


class Rows(Protocol):
    """The table `items`: one partition a mailbox."""

    def transact(self, mailbox_id: str, changes: Sequence[RowChange]) -> list[str]:
        """Do all of it or nothing; at most 100 rows, each once. Gives their new ETags (empty where there is none).

        Raises:
            RowExists, RowMissing: see Verb.
            Conflict: a row's ETag is not the one given.
        """
        ...

    def get(self, mailbox_id: str, key: str) -> tuple[Row, str] | None:
        """One row and its ETag, or None."""
        ...

    def query(self, mailbox_id: str, *, folder: str | None = None, only: Sequence[str] = ()) -> Iterator[Row]:
        """The mailbox's rows in the order of keys, each with its `RowKey`; of one folder; of them only these."""
        ...

    def close(self) -> None:
        """Give the connections back."""
        ...
