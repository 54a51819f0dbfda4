"""The summaries in Table Storage: the table `summaries`, one row a shard, all in one partition.

A partition belongs to one number of shards. When that number changes, the counts of the former shards are not added up
with those of the new ones.
"""

from typing import TYPE_CHECKING, Any

import msgspec

from shared.errors import NotFound
from shared.mailboxes.summary.model import ShardSummary
from shared.storage.azure_errors import raise_not_found, translate_errors

if TYPE_CHECKING:
    from collections.abc import Mapping

    from azure.data.tables import TableServiceClient

LARGEST_PROPERTY = 60 * 1024
"""Bytes of one property: a binary one may have 64 KiB, a row 1 MiB."""


class TableSummaries:
    """Implements SummaryStore. The deployment has created the table."""

    def __init__(self, tables: "TableServiceClient", shards: int) -> None:
        self._table = tables.get_table_client("summaries")
        self._partition = f"of-{shards}"

    def put(self, summary: ShardSummary) -> None:
        """Write the summary as JSON, in as many properties as it needs."""
        from azure.data.tables import UpdateMode

        content = msgspec.json.encode(summary)
        starts = range(0, len(content), LARGEST_PROPERTY)
        parts = {f"part{n:02}": content[start : start + LARGEST_PROPERTY] for n, start in enumerate(starts)}
        keys = {"PartitionKey": self._partition, "RowKey": f"{summary.shard:03}"}
        with translate_errors():
            self._table.upsert_entity(keys | parts, mode=UpdateMode.REPLACE)

    def get(self, shard: int) -> ShardSummary | None:
        """Read one row."""
        try:
            with translate_errors():
                row = raise_not_found(lambda: self._table.get_entity(self._partition, f"{shard:03}"))
        except NotFound:
            return None
        return _summary_from(row)

    def all(self) -> list[ShardSummary]:
        """Read the partition, in one request for the usual number of shards."""
        with translate_errors():
            rows: list[Any] = list(
                self._table.query_entities("PartitionKey eq @shards", parameters={"shards": self._partition})
            )
        return [summary for row in rows if (summary := _summary_from(row)) is not None]


def _summary_from(row: "Mapping[str, Any]") -> ShardSummary | None:
    """Decode a row; None if only another version can read it: the next dispatch replaces it."""
    try:
        content = b"".join(row[name] for name in sorted(row) if name.startswith("part"))
        return msgspec.json.decode(content, type=ShardSummary)
    except (msgspec.MsgspecError, TypeError):
        return None
