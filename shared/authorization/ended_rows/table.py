"""Deletes expired rows from a table: one transaction per partition batch, with a time limit."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import batched, groupby
from typing import TYPE_CHECKING, Any

from shared.storage.azure_errors import translate_errors

if TYPE_CHECKING:
    from azure.data.tables import TableClient

TRANSACTION = 100
"""The most rows that one transaction may hold; all must be of one partition.
https://learn.microsoft.com/rest/api/storageservices/performing-entity-group-transactions
"""


def delete_ended(table: "TableClient", before: datetime, is_over: Callable[[], bool], counted: str = "") -> int:
    """Delete the rows whose `expires_at` is earlier than `before`, until `is_over` says that the time is up.

    Returns how many of the deleted rows had the property `counted`.
    """
    found = table.query_entities(
        "expires_at lt @before",
        parameters={"before": before},
        select=[*("PartitionKey", "RowKey"), *([counted] if counted else [])],
    )
    deleted = 0
    with translate_errors():
        for rows in _transactions(found):
            if is_over():
                break
            _delete(table, rows)
            deleted += sum(counted in row for row in rows)
    return deleted


def _transactions(rows: Iterable[Any]) -> Iterator[tuple[Any, ...]]:
    """Group the rows into batches of one partition. A table returns rows in key order, so partitions are contiguous."""
    for _, neighbors in groupby(rows, lambda row: row["PartitionKey"]):
        yield from batched(neighbors, TRANSACTION, strict=False)


def _delete(table: "TableClient", rows: tuple[Any, ...]) -> None:
    from azure.data.tables import TableTransactionError

    keys = [{name: row[name] for name in ("PartitionKey", "RowKey")} for row in rows]
    try:
        table.submit_transaction([("delete", key) for key in keys])
    except TableTransactionError:
        # One row that is already gone fails the whole transaction. Deleting row by row ignores missing rows, and any
        # other error is raised again.
        for key in keys:
            table.delete_entity(key)
