"""The limits of readers and the answers to idempotency keys, in Table Storage."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import batched, groupby
from typing import TYPE_CHECKING, Any

from shared.api.errors import Refused
from shared.api.port import ReaderLimits, StoredAnswer
from shared.errors import Conflict, NotFound
from shared.storage.azure_errors import already_exists, raise_not_found, translate_errors
from shared.storage.table import replace_row

if TYPE_CHECKING:
    from azure.data.tables import TableServiceClient

_READERS = "readers"
LIMITS_CACHED = 60.0
"""Seconds for which an instance remembers a reader's limits."""
MAX_CACHED = 1_000
TAKEN_OVER_AFTER = timedelta(minutes=31)
"""When a key whose request has not ended is free again: no function runs longer (functionTimeout in host.json)."""
LARGEST_ANSWER = 60_000
"""Bytes of an answer that is kept. A property holds 64 KiB."""
TRANSACTION = 100


class TableReaders:
    """Implements ReaderStore: one row a reader. `monotonic` is a clock in seconds."""

    def __init__(self, tables: "TableServiceClient", monotonic: Callable[[], float]) -> None:
        self._table = tables.get_table_client(_READERS)
        self._monotonic = monotonic
        self._cached: OrderedDict[str, tuple[float, ReaderLimits | None]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, object_id: str) -> ReaderLimits | None:
        """Read one row, at most once a minute."""
        now = self._monotonic()
        with self._lock:
            at, limits = self._cached.get(object_id, (-LIMITS_CACHED, None))
        if now - at < LIMITS_CACHED:
            return limits
        limits = self._read(object_id)
        self._remember(object_id, limits)
        return limits

    def _read(self, object_id: str) -> ReaderLimits | None:
        with translate_errors():
            try:
                return _limits(raise_not_found(lambda: self._table.get_entity("reader", object_id)))
            except NotFound:
                return None

    def all(self) -> list[ReaderLimits]:
        """Read all rows; few readers have limits."""
        with translate_errors():
            rows = self._table.query_entities("PartitionKey eq 'reader'")
            return [_limits(row) for row in rows]

    def put(self, limits: ReaderLimits) -> None:
        """Replace the row."""
        row = {
            "PartitionKey": "reader",
            "RowKey": limits.object_id,
            "tenants": ",".join(sorted(limits.tenants)),
            "mailboxes": ",".join(sorted(limits.mailboxes)),
        }
        with translate_errors():
            self._table.upsert_entity(row)
        self._remember(limits.object_id, limits)

    def delete(self, object_id: str) -> None:
        """Delete the row."""
        with translate_errors():
            self._table.delete_entity("reader", object_id)
        self._remember(object_id, None)

    def _remember(self, object_id: str, limits: ReaderLimits | None) -> None:
        with self._lock:
            self._cached[object_id] = (self._monotonic(), limits)
            self._cached.move_to_end(object_id)
            while len(self._cached) > MAX_CACHED:
                self._cached.popitem(last=False)


def _limits(row: Any) -> ReaderLimits:
    def ids(name: str) -> frozenset[str]:
        return frozenset(filter(None, str(row.get(name, "")).split(",")))

    return ReaderLimits(str(row["RowKey"]), ids("tenants"), ids("mailboxes"))


class TableIdempotency:
    """Implements IdempotencyStore: one row a key, in a partition for each caller. Keys are stored as digests."""

    def __init__(self, tables: "TableServiceClient", clock: Callable[[], datetime]) -> None:
        self._table = tables.get_table_client("idempotency")
        self._clock = clock

    def begin(self, caller: str, key: str, request: str) -> StoredAnswer | None:
        """Create the row; if it exists, return its answer, or take it over if its request must have died."""
        row: dict[str, Any] = {"PartitionKey": caller, "RowKey": _digest(key), "request": request}
        row |= {"at": self._clock(), "status": 0}
        with translate_errors():
            if not already_exists(lambda: self._table.create_entity(row)):
                return None
            try:
                found = raise_not_found(lambda: self._table.get_entity(caller, _digest(key)))
            except NotFound:
                raise Refused("idempotency_key_in_use") from None
        if found["request"] != request:
            raise Refused("idempotency_key_reused")
        if found["status"]:
            return StoredAnswer(int(found["status"]), bytes(found["body"]), str(found["media_type"]))
        if self._clock() - found["at"] < TAKEN_OVER_AFTER:
            raise Refused("idempotency_key_in_use")
        try:
            with translate_errors():
                replace_row(self._table, row, str(found.metadata["etag"]))
        except Conflict:
            raise Refused("idempotency_key_in_use") from None
        return None

    def finish(self, caller: str, key: str, answer: StoredAnswer) -> None:
        """Add the answer to the row. One that is too large is replaced by an empty object."""
        body = answer.body if len(answer.body) <= LARGEST_ANSWER else b"{}"
        row = {
            "PartitionKey": caller,
            "RowKey": _digest(key),
            "status": answer.status,
            "body": body,
            "media_type": answer.media_type,
        }
        with translate_errors():
            self._table.upsert_entity(row)

    def abandon(self, caller: str, key: str) -> None:
        """Delete the row."""
        with translate_errors():
            self._table.delete_entity(caller, _digest(key))

    def forget(self, before: datetime) -> int:
        """Delete old rows, in transactions of one partition each."""
        deleted = 0
        rows = self._table.query_entities(
            "at lt @before", parameters={"before": before}, select=["PartitionKey", "RowKey"]
        )
        with translate_errors():
            for _, of_caller in groupby(rows, key=lambda row: row["PartitionKey"]):
                for batch in batched(of_caller, TRANSACTION, strict=False):
                    self._table.submit_transaction([("delete", dict(row)) for row in batch])
                    deleted += len(batch)
        return deleted


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
