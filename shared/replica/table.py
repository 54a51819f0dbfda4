"""The table `items` in Azure Table Storage, over its REST interface.

Entity group transactions: https://learn.microsoft.com/rest/api/storageservices/performing-entity-group-transactions
"""

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from shared.errors import Conflict, OperatorMustAct, Reason, RetryLater
from shared.replica.encoding.item_rows import FENCE
from shared.replica.storage_port import ITEMS, Row, RowChange, RowExists, RowMissing, RowsFilter, Verb
from shared.storage.azure_errors import NOT_FOUND_CODES, OURS
from shared.storage.compact_json import dump
from shared.storage.https_connection import StorageResponse
from shared.storage.storage_rest import StorageRestClient, etag_of, row_of, rows_of
from shared.storage.table_rest import quoted

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

_HEADERS = {
    "x-ms-version": "2020-12-06",
    "DataServiceVersion": "3.0",
    "MaxDataServiceVersion": "3.0;NetFx",
    "Accept": "application/json;odata=nometadata",
}
_METHODS = {Verb.INSERT: "POST", Verb.REPLACE: "PUT", Verb.MERGE: "MERGE", Verb.DELETE: "DELETE"}
_BATCH = {"Content-Type": "multipart/mixed; boundary=batch_1"}
_OPENING = "--batch_1\r\nContent-Type: multipart/mixed; boundary=changeset_1\r\n\r\n"
_PART = "--changeset_1\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n"
_FORMAT = "Accept: application/json;odata=nometadata\r\nDataServiceVersion: 3.0\r\n"
"""Headers of every part, deletions included. A part that names no format asks for Atom, which this version of the
service no longer supports.
https://learn.microsoft.com/rest/api/storageservices/payload-format-for-table-service-operations"""
_CLOSING = "--changeset_1--\r\n--batch_1--\r\n"

_HAS_LEFT = "left_at gt ''"
"""The condition on items that left. A row without the property does not match it."""

_STATUS = re.compile(rb"^HTTP/1\.1 (\d{3})", re.MULTILINE)
_ETAG = re.compile(rb"^ETag: *(.+?)\r?$", re.MULTILINE | re.IGNORECASE)
_CODE = re.compile(rb'"code" *: *"([A-Za-z]+)"')


class AzureRows:
    """Implements Rows. The deployment has created the table."""

    def __init__(self, url: str, credential: "TokenCredential", table: str = ITEMS) -> None:
        self._table = table
        self._client = StorageRestClient(url, credential, _HEADERS)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def transact(self, mailbox_id: str, changes: Sequence[RowChange]) -> list[str]:
        """Send one entity group transaction."""
        parts = "".join(self._part(mailbox_id, change) for change in changes)
        content = f"{_OPENING}{parts}{_CLOSING}".encode()
        response = self._client.send("POST", "$batch", expect=(202,), headers=_BATCH, content=content)
        return _etags(response.content, len(changes))

    def get(self, mailbox_id: str, key: str) -> tuple[Row, str] | None:
        """Read one row by its keys."""
        response = self._client.send("GET", self._address(mailbox_id, key), expect=(200, 404), headers={})
        if response.status_code == 404:
            _require_missing_row(response)
            return None
        return row_of(response), etag_of(response)

    def query(
        self, mailbox_id: str, *, folders: Sequence[str] = (), only: Sequence[str] = (), left: bool = False
    ) -> Iterator[Row]:
        """Scan the mailbox's partition, at most a thousand rows per response. The fence's key is the first of all."""
        condition = f"PartitionKey eq {quoted(mailbox_id)} and RowKey gt {quoted(FENCE)}"
        if folders:
            condition += f" and ({' or '.join(f'folder eq {quoted(folder)}' for folder in folders)})"
        if left:
            condition += f" and {_HAS_LEFT}"
        parameters = {"$filter": condition} | ({"$select": ",".join(("RowKey", *only))} if only else {})
        following: dict[str, str] | None = {}
        while following is not None:
            path = f"{self._table}()?{urlencode(parameters | following, quote_via=quote)}"
            response = self._client.send("GET", path, expect=(200,), headers={})
            yield from rows_of(response)
            following = _following(response)

    def scan(self, mailbox_id: str, *, after: str, limit: int, wanted: RowsFilter) -> Sequence[Row]:
        """Scan from a key on. The service may return fewer rows than asked for, with a continuation.

        https://learn.microsoft.com/rest/api/storageservices/query-timeout-and-pagination
        """
        found: list[Row] = []
        parameters = {"$filter": _scan_filter(mailbox_id, after, wanted)}
        following: dict[str, str] | None = {}
        while following is not None and len(found) < limit:
            top = {"$top": str(limit - len(found))}
            path = f"{self._table}()?{urlencode(parameters | top | following, quote_via=quote)}"
            response = self._client.send("GET", path, expect=(200,), headers={})
            found += rows_of(response)
            following = _following(response)
        return found

    def _part(self, mailbox_id: str, change: RowChange) -> str:
        """One row's request within the transaction."""
        where = self._table if change.verb is Verb.INSERT else self._address(mailbox_id, change.key)
        request = f"{_PART}{_METHODS[change.verb]} {self._client.url}/{where} HTTP/1.1\r\n{_FORMAT}"
        if change.etag or change.verb is Verb.DELETE:
            request += f"If-Match: {change.etag or '*'}\r\n"
        if change.verb is Verb.DELETE:
            return f"{request}\r\n\r\n"
        body = dump({"PartitionKey": mailbox_id, "RowKey": change.key, **change.values})
        return f"{request}Content-Type: application/json\r\nPrefer: return-no-content\r\n\r\n{body}\r\n"

    def _address(self, mailbox_id: str, key: str) -> str:
        """A row's path in the URL."""
        return f"{self._table}(PartitionKey={_escaped(mailbox_id)},RowKey={_escaped(key)})"


def _scan_filter(mailbox_id: str, after: str, wanted: RowsFilter) -> str:
    """The OData filter of a scan. A row without a property does not match a condition on it."""
    conditions = [f"PartitionKey eq {quoted(mailbox_id)}"]
    folder = "left_folder eq" if wanted.left else "folder eq"
    given = [("RowKey gt", after), (folder, wanted.folder), ("kind eq", wanted.kind)]
    given += [("at ge", wanted.at_from), ("at lt", wanted.at_until)]
    conditions += [f"{condition} {quoted(value)}" for condition, value in given if value]
    if wanted.at_until:
        conditions.append("at gt ''")
    if wanted.left:
        conditions.append(_HAS_LEFT)
    return " and ".join(conditions)


def _etags(response: bytes, changes: int) -> list[str]:
    """The ETag of each row in order. The response to a failed transaction holds only the one failure."""
    statuses = _STATUS.findall(response)
    if len(statuses) != changes or any(not status.startswith(b"2") for status in statuses):
        raise _failure(response, int(statuses[0]) if statuses else 0)
    parts = _STATUS.split(response)[2::2]
    return [found.group(1).decode() if (found := _ETAG.search(part)) else "" for part in parts]


def _failure(response: bytes, status: int) -> Exception:
    """Map a failed transaction to an error. Its message is not passed on, because it may quote the request."""
    code = _code(response, status)
    if code in OURS:
        return OperatorMustAct(Reason.OUR_STORAGE, "the storage is disabled, protected or being deleted", support=code)
    if status == 409:
        return RowExists("a row already exists")
    if status == 404 and code != "TableNotFound":
        return RowMissing("a row does not exist")
    if status == 412:
        return Conflict("a row has changed since it was read")
    if status in (0, 408, 429, 500, 503):
        return RetryLater(Reason.THROTTLED if status in (429, 503) else Reason.UNAVAILABLE, support=code)
    return OperatorMustAct(Reason.OUR_STORAGE, "the table does not accept the transaction", support=code)


def _require_missing_row(response: StorageResponse) -> None:
    """Raise unless the 404 has a code of `NOT_FOUND_CODES`: only then does the row not exist."""
    code = _code(response.content, 404)
    if code not in NOT_FOUND_CODES:
        raise OperatorMustAct(Reason.OUR_STORAGE, "the table is missing, or the address is wrong", support=code)


def _code(response: bytes, status: int) -> str:
    """Azure's error code."""
    found = _CODE.search(response)
    return found.group(1).decode() if found else str(status)


def _following(response: StorageResponse) -> dict[str, Any] | None:
    """Where the next response of a scan begins; None after the last."""
    partition = response.headers.get("x-ms-continuation-nextpartitionkey")
    if partition is None:
        return None
    return {"NextPartitionKey": partition, "NextRowKey": response.headers.get("x-ms-continuation-nextrowkey", "")}


def _escaped(text: str) -> str:
    """A string in a URL. Our keys are letters, digits and dashes; a lookup of any other key finds nothing."""
    return quoted(text) if text.isalnum() else quote(quoted(text), safe="'")
