"""The records of erasures in Table Storage, from which the daily work finds what to complete and clean up after."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from shared.errors import NotFound
from shared.mailboxes.entities import IndexPlace, partition
from shared.mailboxes.port import ErasureRecord
from shared.storage.azure_errors import already_exists, raise_not_found, translate_errors
from shared.storage.row_mapping import readable, reading_one_row

if TYPE_CHECKING:
    from azure.data.tables import TableClient


class ErasureRecords:
    """The table `erasures`, with one row per erasure.

    Until it is finished a row says where the registry's index has the mailbox: once the mailbox's own row is gone,
    nothing else tells whose entries in the index are left. Afterward it holds the mailbox's id and a time, and the
    mailbox's last events until they are published.
    """

    def __init__(self, table: "TableClient", clock: Callable[[], datetime]) -> None:
        self._table = table
        self._clock = clock

    def begin(self, mailbox_id: str, place: IndexPlace) -> None:
        """Record that it was begun; one that is recorded stays as it is."""
        told = {"owner": place.owner, "address": place.address}
        with translate_errors():
            already_exists(lambda: self._table.create_entity(_keys(mailbox_id) | told))

    def place(self, mailbox_id: str) -> IndexPlace | None:
        """Where the index has the mailbox of an unfinished one; None for any other."""
        found = self._row(mailbox_id)
        owner = str(found.get("owner", ""))
        return IndexPlace(owner, str(found.get("address", ""))) if owner else None

    def put_outbox(self, mailbox_id: str, outbox: str) -> None:
        """Keep the events of a mailbox whose row is about to be deleted. They are published once it is finished."""
        with translate_errors():
            self._table.upsert_entity(_keys(mailbox_id) | {"outbox": outbox})

    def finish(self, mailbox_id: str) -> ErasureRecord:
        """Record that it is finished now, without the place in the index; returns the record."""
        from azure.data.tables import UpdateMode

        outbox = str(self._row(mailbox_id).get("outbox", ""))
        finished = _keys(mailbox_id) | {"finished_at": self._clock(), "outbox": outbox}
        with translate_errors():
            self._table.upsert_entity(finished, mode=UpdateMode.REPLACE)
        return _record(finished)

    def _row(self, mailbox_id: str) -> Mapping[str, Any]:
        """The row of one erasure; empty if there is none."""
        keys = _keys(mailbox_id)
        with translate_errors():
            try:
                return raise_not_found(lambda: self._table.get_entity(keys["PartitionKey"], keys["RowKey"]))
            except NotFound:
                return {}

    def all(self) -> list[ErasureRecord]:
        """Return all records, except those that this version cannot read."""
        with translate_errors():
            return list(readable(_record, self._table.list_entities()))

    def forget(self, mailbox_id: str) -> None:
        """Delete one record. The SDK does not fail if it does not exist."""
        keys = _keys(mailbox_id)
        with translate_errors():
            self._table.delete_entity(keys["PartitionKey"], keys["RowKey"])


def _keys(mailbox_id: str) -> dict[str, Any]:
    return {"PartitionKey": partition(mailbox_id), "RowKey": mailbox_id}


def _record(entity: Any) -> ErasureRecord:
    with reading_one_row():
        finished = entity.get("finished_at")
        finished_at = datetime.fromtimestamp(finished.timestamp(), UTC) if finished else None
    return ErasureRecord(entity["RowKey"], finished_at, str(entity.get("outbox", "")))
