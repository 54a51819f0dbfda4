"""The change log in Table Storage: a partition for each hour, so that no partition grows without bound."""

from collections.abc import Callable
from datetime import datetime
from itertools import batched, groupby, islice
from typing import TYPE_CHECKING

from shared.replica.change_log.port import SETTLED_AFTER, WRITTEN_WITHIN, LogEntry, entry_key, time_of
from shared.storage.azure_errors import translate_errors
from shared.storage.table_rest import StoredRow, TableRest, quoted

if TYPE_CHECKING:
    from azure.data.tables import TableServiceClient

TABLE = "changes"
TRANSACTION = 100
"""Rows that one transaction deletes."""


class TableChangeLog:
    """Implements ChangeLog. The deployment has created the table."""

    def __init__(self, tables: "TableServiceClient", clock: Callable[[], datetime]) -> None:
        self._rest = TableRest.beside(tables)
        self._table = tables.get_table_client(TABLE)
        self._clock = clock

    def append(self, mailbox_id: str, tenant_id: str, known: int, sequence: int) -> None:
        """Insert a row, and another one as long as inserting takes too long. Duplicates do no harm."""
        is_in_time = False
        while not is_in_time:
            now = self._clock()
            row = {
                "PartitionKey": _partition(now),
                "RowKey": entry_key(now, mailbox_id, sequence),
                "mailbox_id": mailbox_id,
                "tenant_id": tenant_id,
                "known": known,
                "sequence": sequence,
            }
            self._rest.upsert(TABLE, row)
            is_in_time = self._clock() - now < WRITTEN_WITHIN

    def read(self, after: str, limit: int) -> list[LogEntry]:
        """Query from the hour of `after` to that of the last settled entry."""
        until = self._clock() - SETTLED_AFTER
        bounds = {
            "PartitionKey ge": _partition(time_of(after)),
            "PartitionKey le": _partition(until),
            "RowKey gt": after,
            "RowKey lt": entry_key(until),
        }
        condition = " and ".join(f"{name} {quoted(value)}" for name, value in bounds.items())
        return [_entry(row) for row in islice(self._rest.query(TABLE, condition, most=limit), limit)]

    def forget(self, before: datetime) -> int:
        """Delete whole hours, in transactions of one partition each."""
        deleted = 0
        rows = self._table.query_entities(
            "PartitionKey lt @hour", parameters={"hour": _partition(before)}, select=["PartitionKey", "RowKey"]
        )
        with translate_errors():
            for _, hour in groupby(rows, key=lambda row: row["PartitionKey"]):
                for batch in batched(hour, TRANSACTION, strict=False):
                    self._table.submit_transaction([("delete", dict(row)) for row in batch])
                    deleted += len(batch)
        return deleted


def _entry(row: StoredRow) -> LogEntry:
    numbers = int(row["known"]), int(row["sequence"])
    return LogEntry(str(row["RowKey"]), str(row["mailbox_id"]), str(row["tenant_id"]), *numbers)


def _partition(at: datetime) -> str:
    """The hour of a time, UTC."""
    return at.strftime("%Y%m%d%H")
