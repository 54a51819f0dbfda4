"""Deleting what has ended from a table: by transactions of one partition, and bounded in time."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import batched, groupby
from typing import TYPE_CHECKING, Any

from shared.storage.azure_errors import translate_errors

if TYPE_CHECKING:
    from azure.data.tables import TableClient

TRANSACTION = 100
"""Rows that a transaction may have, all of one partition.
https://learn.microsoft.com/rest/api/storageservices/performing-entity-group-transactions
"""


def delete_ended(table: "TableClient", before: datetime, is_over: Callable[[], bool], counted: str = "") -> int:
    """Delete the rows whose `expires_at` lies before, as many as there is time for.

    Gives how many of them had the property `counted`.
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
    """The rows of a table come in the order of their keys, so that those of a partition come together."""
    for _, neighbors in groupby(rows, lambda row: row["PartitionKey"]):
        yield from batched(neighbors, TRANSACTION, strict=False)


def _delete(table: "TableClient", rows: tuple[Any, ...]) -> None:
    from azure.data.tables import TableTransactionError

    keys = [{name: row[name] for name in ("PartitionKey", "RowKey")} for row in rows]
    try:
        table.submit_transaction([("delete", key) for key in keys])
    except TableTransactionError:
        # One that is gone already spoils a transaction; by itself it is harmless, and any other error comes again.
        for key in keys:
            table.delete_entity(key)
