"""Blobs in Azure Blob Storage: packs, feed pages, and cursors.

Put Blob takes up to 5,000 MiB in one request, more than any page of ours.
https://learn.microsoft.com/rest/api/storageservices/put-blob
"""

from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode
from xml.etree.ElementTree import Element, ParseError, fromstring

from shared.errors import Conflict, OperatorMustAct, Reason, RetryLater
from shared.replica.storage_port import Blob, BlobInfo
from shared.storage.azure_errors import NOT_FOUND_CODES, OURS
from shared.storage.https_connection import StorageResponse
from shared.storage.storage_rest import StorageRestClient, etag_of

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

_VERSION = {"x-ms-version": "2023-11-03"}
_YES = "yes"
_BLOB_TYPE = "x-ms-blob-type"
"""A header of every blob's response. Bytes without it may be a page of a proxy, which compaction must not take for a
pack. https://learn.microsoft.com/rest/api/storageservices/get-blob"""


class AzureBlobs:
    """Implements Blobs. The deployment has created the containers."""

    def __init__(self, url: str, credential: "TokenCredential") -> None:
        self._client = StorageRestClient(url, credential, _VERSION)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def get(self, container: str, name: str) -> Blob | None:
        """Return the whole blob."""
        response = self._client.send("GET", _path(container, name), expect=(200, 404), headers={})
        if not _exists(response):
            return None
        if _BLOB_TYPE not in response.headers:
            raise RetryLater(Reason.UNAVAILABLE, "Azure's response is no blob")
        return Blob(response.content, etag_of(response))

    def get_range(self, container: str, name: str, offset: int, length: int) -> bytes | None:
        """Return a part of the blob. HTTP has no empty range, so that case sends no request."""
        if length == 0:
            return b""
        wanted = {"x-ms-range": f"bytes={offset}-{offset + length - 1}"}
        response = self._client.send("GET", _path(container, name), expect=(206, 404, 416), headers=wanted)
        if response.status_code == 416:
            return b""
        return response.content if _exists(response) else None

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
        """Write the whole blob under a condition."""
        headers = {_BLOB_TYPE: "BlockBlob", "Content-Type": "application/octet-stream"}
        if absent:
            headers["If-None-Match"] = "*"
        if etag:
            headers["If-Match"] = etag
        if members:
            headers["x-ms-meta-members"] = str(members)
        if deletes is not None:
            headers["x-ms-meta-deletes"] = _YES if deletes else "no"
        response = self._client.send(
            "PUT", _path(container, name), expect=(201, 409, 412), headers=headers, content=data
        )
        if response.status_code == 201:
            return etag_of(response)
        if (code := response.headers.get("x-ms-error-code")) in OURS:
            raise OperatorMustAct(
                Reason.OUR_STORAGE, "the storage is disabled, protected or being deleted", support=code
            )
        raise Conflict("another writer has changed the blob")

    def delete(self, container: str, name: str) -> None:
        """Delete the blob and the snapshots that would keep it; a blob that does not exist is no error."""
        whole = {"x-ms-delete-snapshots": "include"}
        _exists(self._client.send("DELETE", _path(container, name), expect=(202, 404), headers=whole))

    def list(self, container: str, prefix: str) -> Iterator[BlobInfo]:
        """List the blobs with their metadata, up to 5,000 in a response.

        https://learn.microsoft.com/rest/api/storageservices/list-blobs
        """
        query = {"restype": "container", "comp": "list", "include": "metadata", "prefix": prefix}
        marker = ""
        while True:
            path = f"{container}?{urlencode(query | ({'marker': marker} if marker else {}), quote_via=quote)}"
            listed = _parsed(self._client.send("GET", path, expect=(200,), headers={}))
            yield from map(_info, listed.iterfind("Blobs/Blob"))
            marker = listed.findtext("NextMarker") or ""
            if not marker:
                return


def _parsed(response: StorageResponse) -> Element:
    """The XML of a listing. An XHTML page that a proxy sends in its place is no empty listing."""
    try:
        listed = fromstring(response.content)  # noqa: S314 -- from our own Storage, over TLS
    except ParseError as error:
        raise RetryLater(Reason.UNAVAILABLE, "Azure's response is not XML") from error
    if listed.tag != "EnumerationResults":
        raise RetryLater(Reason.UNAVAILABLE, "Azure's response is no listing")
    return listed


def _info(blob: Element) -> BlobInfo:
    """One listed blob. Storage of older versions does not tell when a blob was created."""
    created = blob.findtext("Properties/Creation-Time") or blob.findtext("Properties/Last-Modified") or ""
    deletes = blob.findtext("Metadata/deletes")
    return BlobInfo(
        blob.findtext("Name") or "",
        int(blob.findtext("Properties/Content-Length") or 0),
        parsedate_to_datetime(created),
        int(blob.findtext("Metadata/members") or 0),
        None if deletes is None else deletes == _YES,
    )


def _path(container: str, name: str) -> str:
    return f"{container}/{quote(name)}"


def _exists(response: StorageResponse) -> bool:
    """Whether the blob exists. Only a 404 with a code of `NOT_FOUND_CODES` means that it does not."""
    if response.status_code != 404:
        return True
    code = response.headers.get("x-ms-error-code", "404")
    if code not in NOT_FOUND_CODES:
        raise OperatorMustAct(Reason.OUR_STORAGE, "a container is missing, or the address is wrong", support=code)
    return False
