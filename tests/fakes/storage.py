"""In-memory blobs and rows, as strict as Azure Storage, with a crash or a failure at any write.

Both share one `Plan`, which counts the writes of both:

    plan = Plan()
    replica = BlobTableReplica(MemoryBlobs(plan), MemoryRows(plan))
    plan.at(3, Crash())                # the third write from now does not happen
    plan.after(3, RetryLater(...))     # the third write happens, and its response is lost
    plan.before(3, other_writer)       # another writer acts just before the third write
"""

import copy
import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

from shared.errors import Conflict
from shared.replica.encoding.item_rows import FENCE
from shared.replica.storage_port import Blob, BlobInfo, Row, RowChange, RowExists, RowMissing, RowsFilter, Verb
from tests.fakes.replica import Crash

__all__ = ["Crash", "MemoryBlobs", "MemoryRows", "Plan"]


class Plan:
    """The planned failures, by number of the write."""

    def __init__(self) -> None:
        self.writes = 0
        self._errors: dict[int, tuple[BaseException, bool]] = {}
        self._others: dict[int, Callable[[], object]] = {}

    def at(self, write: int, error: BaseException) -> None:
        """Raise instead of the given write; 1 is the next write."""
        self._errors[self.writes + write] = (error, False)

    def after(self, write: int, error: BaseException) -> None:
        """Perform the given write, then raise."""
        self._errors[self.writes + write] = (error, True)

    def before(self, write: int, other: Callable[[], object]) -> None:
        """Call `other` just before the given write."""
        self._others[self.writes + write] = other

    def calm(self) -> None:
        """Cancel everything that is still planned."""
        self._errors.clear()
        self._others.clear()

    def write[T](self, act: Callable[[], T]) -> T:
        """Perform one write as planned."""
        number = self.writes + 1
        if other := self._others.pop(number, None):
            other()
        error, happens = self._errors.pop(number, (None, True))
        self.writes = max(self.writes + 1, number)
        result = act() if happens else None
        if error is not None:
            raise error
        return result  # type: ignore[return-value]


class MemoryBlobs:
    """Implements Blobs."""

    def __init__(self, plan: Plan | None = None, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.blobs: dict[tuple[str, str], tuple[bytes, str, BlobInfo]] = {}
        self._plan = plan or Plan()
        self._clock = clock
        self._etags = 0

    def get(self, container: str, name: str) -> Blob | None:
        """The whole blob."""
        found = self.blobs.get((container, name))
        return Blob(found[0], found[1]) if found else None

    def get_range(self, container: str, name: str, offset: int, length: int) -> bytes | None:
        """A part of the blob."""
        found = self.blobs.get((container, name))
        return found[0][offset : offset + length] if found else None

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
        """Write the blob if the condition holds. Raises Conflict otherwise."""

        def act() -> str:
            found = self.blobs.get((container, name))
            if (absent and found) or (etag and (found is None or found[1] != etag)):
                raise Conflict("the condition does not hold")
            self._etags += 1
            created = found[2].created_at if found else self._clock()
            info = BlobInfo(name, len(data), created, members, deletes)
            self.blobs[container, name] = (bytes(data), f'"{self._etags}"', info)
            return f'"{self._etags}"'

        return self._plan.write(act)

    def delete(self, container: str, name: str) -> None:
        """Delete the blob."""
        self._plan.write(lambda: self.blobs.pop((container, name), None))

    def list(self, container: str, prefix: str) -> Iterator[BlobInfo]:
        """List blobs in name order, as of the beginning of the listing."""
        yield from [
            info for (where, name), (_, _, info) in sorted(self.blobs.items()) if where == container
            and name.startswith(prefix)
        ]  # fmt: skip

    def close(self) -> None:
        """Do nothing."""


class MemoryRows:
    """Implements Rows. Rejects what Azure rejects: over 100 rows, a row twice, oversized properties and payloads."""

    def __init__(self, plan: Plan | None = None) -> None:
        self.rows: dict[str, dict[str, tuple[dict[str, str | int], str]]] = {}
        self._plan = plan or Plan()
        self._etags = 0

    def transact(self, mailbox_id: str, changes: Sequence[RowChange]) -> list[str]:
        """Apply all changes or none."""
        assert len(changes) <= 100
        assert len({change.key for change in changes}) == len(changes)
        assert sum(len(json.dumps(dict(change.values))) + 600 for change in changes) < 4 * 2**20
        for change in changes:
            for value in change.values.values():
                assert isinstance(value, int) or len(value.encode("utf-16-le")) <= 65_536
        return self._plan.write(lambda: self._transact(mailbox_id, changes))

    def _transact(self, mailbox_id: str, changes: Sequence[RowChange]) -> list[str]:
        rows = dict(self.rows.get(mailbox_id, {}))
        etags = [self._change(rows, change) for change in changes]
        self.rows[mailbox_id] = rows
        return etags

    def _change(self, rows: dict[str, tuple[dict[str, str | int], str]], change: RowChange) -> str:
        found = rows.get(change.key)
        if change.verb is Verb.INSERT and found:
            raise RowExists("there already")
        if found is None and (change.verb is Verb.DELETE or change.etag):
            raise RowMissing("not there")
        if found and change.etag and found[1] != change.etag:
            raise Conflict("changed since")
        if change.verb is Verb.DELETE:
            del rows[change.key]
            return ""
        kept = found[0] if found and change.verb is Verb.MERGE else {}
        self._etags += 1
        rows[change.key] = ({**kept, **change.values}, f"W/{self._etags}")
        return f"W/{self._etags}"

    def get(self, mailbox_id: str, key: str) -> tuple[Row, str] | None:
        """Read one row with its ETag."""
        found = self.rows.get(mailbox_id, {}).get(key)
        return ({"RowKey": key, **copy.copy(found[0])}, found[1]) if found else None

    def query(
        self, mailbox_id: str, *, folders: Sequence[str] = (), only: Sequence[str] = (), left: bool = False
    ) -> Iterator[Row]:
        """Query rows in key order, as of the beginning of the query. Requested properties that are missing are None."""
        for key, (values, _) in sorted(self.rows.get(mailbox_id, {}).items()):
            if key > FENCE and (not folders or values.get("folder") in folders) and (not left or values.get("left_at")):
                chosen = {name: values.get(name) for name in only} if only else values
                yield {"RowKey": key, **chosen}  # type: ignore[dict-item]

    def scan(self, mailbox_id: str, *, after: str, limit: int, wanted: RowsFilter) -> list[Row]:
        """The first rows after a key."""
        rows = [row for row in self.query(mailbox_id, left=wanted.left) if str(row["RowKey"]) > after]
        folder = "left_folder" if wanted.left else "folder"
        rows = [row for row in rows if not wanted.folder or row.get(folder) == wanted.folder]
        rows = [row for row in rows if not wanted.kind or row.get("kind") == wanted.kind]
        if wanted.at_from or wanted.at_until:
            end = wanted.at_until or "~"
            rows = [row for row in rows if (at := str(row.get("at", ""))) and wanted.at_from <= at < end]
        return rows[:limit]

    def close(self) -> None:
        """Do nothing."""
