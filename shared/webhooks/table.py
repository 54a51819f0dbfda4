"""Endpoints and deliveries in Table Storage."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from shared.mailboxes.entities import newest_first
from shared.mailboxes.outbox.events import EventType
from shared.storage.azure_errors import already_exists, raise_not_found, translate_errors
from shared.storage.row_mapping import from_row, readable, to_row
from shared.storage.table import change_row, replace_row
from shared.webhooks.model import Delivery, Endpoint

if TYPE_CHECKING:
    from azure.data.tables import TableClient, TableServiceClient

_PARTITION = "endpoint"
_LISTS = frozenset({"events", "tenants"})
_IN_TRANSACTION = 100


class TableEndpoints:
    """Implements EndpointStore: the table `webhooks`, one partition."""

    def __init__(self, tables: "TableServiceClient") -> None:
        self._table = tables.get_table_client("webhooks")

    def add(self, endpoint: Endpoint) -> Endpoint:
        """Create the row."""
        with translate_errors():
            stored = self._table.create_entity(_endpoint_row(endpoint))
        return endpoint.with_changes(version=stored["etag"])

    def get(self, endpoint_id: str) -> Endpoint:
        """Read one row."""
        with translate_errors():
            return _endpoint(raise_not_found(lambda: self._table.get_entity(_PARTITION, endpoint_id)))

    def all(self) -> list[Endpoint]:
        """Read the partition. An endpoint that this version cannot read is left out."""
        with translate_errors():
            found = list(readable(_endpoint, self._table.query_entities(f"PartitionKey eq '{_PARTITION}'")))
        return sorted(found, key=lambda endpoint: endpoint.created_at)

    def change(self, endpoint_id: str, change: Callable[[Endpoint], Endpoint]) -> Endpoint:
        """Replace the row under its ETag."""

        def replace(before: Endpoint, after: Endpoint) -> Endpoint:
            stored = replace_row(self._table, _endpoint_row(after), before.version)
            return after.with_changes(version=stored["etag"])

        return change_row(lambda: self.get(endpoint_id), change, replace)

    def delete(self, endpoint_id: str) -> None:
        """Delete the row. The SDK does not fail if it does not exist."""
        with translate_errors():
            self._table.delete_entity(_PARTITION, endpoint_id)


def _endpoint_row(endpoint: Endpoint) -> dict[str, Any]:
    lists = {"events": ",".join(endpoint.events), "tenants": ",".join(endpoint.tenants)}
    keys = {"PartitionKey": _PARTITION, "RowKey": endpoint.id}
    return keys | to_row(endpoint, without=_LISTS | {"version"}) | lists


def _endpoint(row: Any) -> Endpoint:
    known = {kind.value for kind in EventType}
    events = tuple(EventType(name) for name in str(row.get("events", "")).split(",") if name in known)
    tenants = tuple(name for name in str(row.get("tenants", "")).split(",") if name)
    return from_row(Endpoint, row, events=events, tenants=tenants, version=row.metadata["etag"])


class TableDeliveries:
    """Implements DeliveryStore: the table `deliveries`, a partition for each endpoint, newest first."""

    def __init__(self, tables: "TableServiceClient") -> None:
        self._table: TableClient = tables.get_table_client("deliveries")

    def id_of(self, event_id: str, at: datetime) -> str:
        """A row key: the time, and a digest that tells events of the same millisecond apart."""
        return f"{newest_first(at)}-{hashlib.sha256(event_id.encode()).hexdigest()[:12]}"

    def add(self, delivery: Delivery) -> None:
        """Create the row; one that exists stays as it is."""
        with translate_errors():
            already_exists(lambda: self._table.create_entity(_delivery_row(delivery)))

    def get(self, endpoint_id: str, delivery_id: str) -> Delivery:
        """Read one row."""
        with translate_errors():
            return _delivery(raise_not_found(lambda: self._table.get_entity(endpoint_id, delivery_id)))

    def replace(self, delivery: Delivery) -> None:
        """Replace the row under its ETag."""
        with translate_errors():
            replace_row(self._table, _delivery_row(delivery), delivery.version)

    def recent(self, endpoint_id: str, limit: int) -> Sequence[Delivery]:
        """Read the first rows of the partition. A delivery that this version cannot read is left out."""
        return list(readable(_delivery, islice(self._rows(endpoint_id, "", limit), limit)))

    def forget(self, endpoint_id: str, before: datetime | None = None) -> int:
        """Delete by row key, a hundred rows in each transaction. The tilde sorts after all keys of one millisecond."""
        after, deleted = f"{newest_first(before)}~" if before else "", 0
        while rows := list(islice(self._rows(endpoint_id, after, _IN_TRANSACTION), _IN_TRANSACTION)):
            with translate_errors():
                self._table.submit_transaction([("delete", dict(row)) for row in rows])
            deleted += len(rows)
        return deleted

    def _rows(self, endpoint_id: str, after: str, page: int) -> Any:
        with translate_errors():
            yield from self._table.query_entities(
                "PartitionKey eq @endpoint and RowKey gt @after",
                parameters={"endpoint": endpoint_id, "after": after},
                results_per_page=min(page, 1000),
            )


def _delivery_row(delivery: Delivery) -> dict[str, Any]:
    keys = {"PartitionKey": delivery.endpoint_id, "RowKey": delivery.id}
    return keys | to_row(delivery, without=frozenset({"version"}))


def _delivery(row: Mapping[str, Any]) -> Delivery:
    return from_row(Delivery, row, version=row.metadata["etag"])  # type: ignore[attr-defined]
