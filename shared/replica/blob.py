"""Blobs in Azure Blob Storage: packs, feed pages, and cursors.

Put Blob takes up to 5,000 MiB in one request, more than any page of ours.
https://learn.microsoft.com/rest/api/storageservices/put-blob
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import quote

from shared.errors import Conflict, OperatorMustAct, Reason
from shared.replica.storage_port import Blob, BlobInfo
from shared.storage.azure_errors import CLIENT_OPTIONS, NOT_FOUND_CODES, OURS, translate_errors
from shared.storage.https_connection import StorageResponse
from shared.storage.storage_rest import StorageRestClient, etag_of

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

_VERSION = {"x-ms-version": "2023-11-03"}


class AzureBlobs:
    """Implements Blobs. The deployment has created the containers."""

    def __init__(self, url: str, credential: "TokenCredential") -> None:
        self._url = url
        self._credential = credential
        self._client = StorageRestClient(url, credential, _VERSION)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def get(self, container: str, name: str) -> Blob | None:
        """Return the whole blob."""
        response = self._client.send("GET", _path(container, name), expect=(200, 404), headers={})
        return Blob(response.content, etag_of(response)) if _exists(response) else None

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
        self, container: str, name: str, data: bytes, *, absent: bool = False, etag: str = "", members: int = 0
    ) -> str:
        """Write the whole blob under a condition."""
        headers = {"x-ms-blob-type": "BlockBlob", "Content-Type": "application/octet-stream"}
        if absent:
            headers["If-None-Match"] = "*"
        if etag:
            headers["If-Match"] = etag
        if members:
            headers["x-ms-meta-members"] = str(members)
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
        """List blobs with the SDK: listing is rare, and the SDK handles its paging."""
        from azure.storage.blob import ContainerClient

        with translate_errors(), ContainerClient(self._url, container, self._credential, **CLIENT_OPTIONS) as client:
            for blob in client.list_blobs(name_starts_with=prefix, include=["metadata"]):
                members = int((blob.metadata or {}).get("members", 0))
                yield BlobInfo(blob.name, blob.size, blob.creation_time or blob.last_modified, members)


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
