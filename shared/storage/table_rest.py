"""Rows of Azure Table Storage over its REST interface: what is read and written at every pass.

Rows are as azure-data-tables reads and writes them; the contract tests compare both.
https://learn.microsoft.com/rest/api/storageservices/payload-format-for-table-service-operations
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from shared.errors import Conflict, NotFound
from shared.storage.azure_errors import NOT_FOUND_CODES, OURS, error_of
from shared.storage.storage_rest import StorageRestClient, error_code, etag_of, row_of, rows_of

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

    from shared.storage.https_connection import StorageResponse
    from shared.storage.storage_rest import StorageEndpoint

type StoredRow = Mapping[str, Any]
"""A row's keys and properties."""

ETAG = "odata.etag"
"""The name under which a row that was read carries its ETag."""

_HEADERS = {
    "x-ms-version": "2020-12-06",
    "DataServiceVersion": "3.0",
    "MaxDataServiceVersion": "3.0;NetFx",
    "Accept": "application/json;odata=minimalmetadata",
}
_CONTENT = {"Content-Type": "application/json"}
_TYPE = "@odata.type"


class TableRest:
    """The tables of one account. Safe to use from several threads."""

    def __init__(self, url: str, credential: "TokenCredential") -> None:
        self._client = StorageRestClient(url, credential, _HEADERS)

    @classmethod
    def beside(cls, service: "StorageEndpoint") -> "TableRest":
        """Create one for the account and the identity of an SDK's client."""
        return cls(service.url, service.credential)

    def get(self, table: str, partition: str, key: str) -> StoredRow:
        """Return one row.

        Raises:
            NotFound: it does not exist.
        """
        response = self._client.send("GET", _address(table, partition, key), expect=(200, 404), headers={})
        if response.status_code == 404:
            raise _not_found(response)
        return _decoded(row_of(response)) | {ETAG: etag_of(response)}

    def replace(self, table: str, row: StoredRow, etag: str) -> str:
        """Replace a row if it still has this ETag; return the new one.

        Raises:
            Conflict: it has changed since, or no longer exists.
        """
        response = self._put(table, row, (204, 404, 409, 412), {"If-Match": etag})
        if response.status_code == 204:
            return etag_of(response)
        code = error_code(response)
        if code in OURS or (response.status_code == 404 and code not in NOT_FOUND_CODES):
            raise error_of(response.status_code, code)
        raise Conflict("changed since it was read")

    def upsert(self, table: str, row: StoredRow) -> None:
        """Create the row or replace the existing one."""
        self._put(table, row, (204,), {})

    def query(self, table: str, condition: str, only: Sequence[str] = (), most: int = 1000) -> Iterator[StoredRow]:
        """Iterate over the rows that an OData filter selects, `most` (up to a thousand) per request.

        `only` limits the properties; `quoted` writes a value into a filter.
        """
        parameters = {"$filter": condition} | ({"$select": ",".join(only)} if only else {})
        if most < 1000:
            parameters["$top"] = str(most)
        following: dict[str, str] | None = {}
        while following is not None:
            path = f"{table}()?{urlencode(parameters | following, quote_via=quote)}"
            response = self._client.send("GET", path, expect=(200,), headers={})
            yield from map(_decoded, rows_of(response))
            following = _following(response)

    def close(self) -> None:
        """Close the idle connections."""
        self._client.close()

    def _put(
        self, table: str, row: StoredRow, expect: Sequence[int], condition: Mapping[str, str]
    ) -> "StorageResponse":
        path = _address(table, str(row["PartitionKey"]), str(row["RowKey"]))
        content = json.dumps(_encoded(row), separators=(",", ":")).encode()
        return self._client.send("PUT", path, expect=expect, headers={**_CONTENT, **condition}, content=content)


def quoted(text: str) -> str:
    """A string in an OData filter. Quotes are doubled, so that a quote in the value cannot end the string."""
    return "'" + text.replace("'", "''") + "'"


def _address(table: str, partition: str, key: str) -> str:
    """A row's path in the URL."""
    return f"{table}(PartitionKey={quote(quoted(partition), safe="'")},RowKey={quote(quoted(key), safe="'")})"


def _not_found(response: "StorageResponse") -> Exception:
    """Only a 404 with a code of `NOT_FOUND_CODES` means that the row does not exist."""
    code = error_code(response)
    return NotFound("Azure found no such row") if code in NOT_FOUND_CODES else error_of(404, code)


def _following(response: "StorageResponse") -> dict[str, str] | None:
    """Where the next response of a query begins; None after the last."""
    partition = response.headers.get("x-ms-continuation-nextpartitionkey")
    if partition is None:
        return None
    row = response.headers.get("x-ms-continuation-nextrowkey")
    return {"NextPartitionKey": partition} | ({"NextRowKey": row} if row else {})


def _encoded(row: StoredRow) -> dict[str, Any]:
    """The row as JSON, with the types that JSON does not have. An int beyond 32 bits is a pair of value and type."""
    encoded: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, datetime):
            encoded[name + _TYPE] = "Edm.DateTime"
            encoded[name] = f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"
        elif isinstance(value, tuple):
            encoded[name + _TYPE] = value[1]
            encoded[name] = str(value[0])
        elif name != ETAG:
            encoded[name] = value
    return encoded


def _decoded(values: Mapping[str, Any]) -> dict[str, Any]:
    """The row with aware datetimes and whole ints. A property without a value is left out."""
    row = {name: value for name, value in values.items() if value is not None}
    for annotation in [name for name in row if name.endswith(_TYPE)]:
        kind, name = row.pop(annotation), annotation.removesuffix(_TYPE)
        if name in row:
            row[name] = _typed(kind, row[name])
    return row


def _typed(kind: str, value: Any) -> Any:
    """A value of a type that JSON does not have."""
    if kind == "Edm.DateTime":
        return datetime.fromisoformat(value)
    return int(value) if kind == "Edm.Int64" else value
