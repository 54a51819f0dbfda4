"""Requests to Azure Storage over azure-core's pipeline: its credentials, its transport, its connection retries.

The storage SDKs on top of it cost a multiple of the processor time in a sync: 65 ms instead of 6 for a transaction of
100 entities, twice as much for a small blob (docs/decisions/0006-storage-over-azure-core.md). azure.core is imported on
use.
"""

import json
import threading
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

from shared.errors import Reason, RetryLater
from shared.storage.azure_errors import translate_errors

if TYPE_CHECKING:
    from azure.core import PipelineClient
    from azure.core.credentials import TokenCredential
    from azure.core.rest import HttpResponse

SCOPE = "https://storage.azure.com/.default"
CONNECT_SECONDS = 5
READ_SECONDS = 60
CHUNK_BYTES = 65_536
"""Bytes per write."""


class ChunkedBody:
    """A request body that is sent in chunks and can be read again from its beginning.

    A socket applies the connection timeout to each write. If the body were one write, it would be cut off whenever
    sending takes longer than CONNECT_SECONDS, however steady the progress.
    """

    def __init__(self, content: bytes) -> None:
        self._content = content

    def __len__(self) -> int:
        """The total size, which becomes the header Content-Length."""
        return len(self._content)

    def __iter__(self) -> Iterator[bytes]:
        """Iterate over the chunks from the beginning: a retried request sends all of them again."""
        return (self._content[start : start + CHUNK_BYTES] for start in range(0, len(self), CHUNK_BYTES))


class StorageRestClient:
    """A client for one service endpoint and its credential. Safe to use from several threads."""

    def __init__(self, url: str, credential: "TokenCredential", headers: Mapping[str, str]) -> None:
        self.url = url.rstrip("/")
        self._credential = credential
        self._headers = headers
        self._lock = threading.Lock()
        self._client: PipelineClient[Any, Any] | None = None

    def send(
        self,
        method: str,
        path: str,
        *,
        expect: Collection[int],
        headers: Mapping[str, str],
        content: bytes | None = None,
    ) -> "HttpResponse":
        """Send one request; raise an unexpected status as this program's error."""
        with translate_errors():
            from azure.core.exceptions import HttpResponseError
            from azure.core.rest import HttpRequest

            sent = {"x-ms-date": format_datetime(datetime.now(UTC), usegmt=True), **headers}
            body = ChunkedBody(content) if content else content
            request = HttpRequest(method, f"{self.url}/{path}", headers=sent, content=body)
            response: HttpResponse = self._pipeline().send_request(request)
            if response.status_code not in expect:
                error = HttpResponseError(message=f"{method} answered {response.status_code}", response=response)
                error.error_code = response.headers.get("x-ms-error-code", "")  # type: ignore[attr-defined]
                raise error
            return response

    def close(self) -> None:
        """Close the connections."""
        with self._lock:
            if self._client is not None:
                self._client.close()
                self._client = None

    def _pipeline(self) -> "PipelineClient[Any, Any]":
        with self._lock:
            if self._client is None:
                self._client = self._connect()
            return self._client

    def _connect(self) -> "PipelineClient[Any, Any]":
        """Create the pipeline. It retries broken connections at once, but no error responses: only the queue waits."""
        from azure.core import PipelineClient
        from azure.core.pipeline import policies

        return PipelineClient(
            self.url,
            policies=[
                policies.HeadersPolicy(dict(self._headers)),
                policies.RetryPolicy(retry_connect=2, retry_read=2, retry_status=0, retry_backoff_factor=0.2),
                policies.BearerTokenCredentialPolicy(self._credential, SCOPE),
            ],
            connection_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
        )


def etag_of(response: "HttpResponse") -> str:
    """The ETag of a response. A response that lost its headers on the way is treated as an outage."""
    etag = response.headers.get("etag")
    if not etag:
        raise RetryLater(Reason.UNAVAILABLE, "Azure's response has no ETag")
    return str(etag)


def json_of(response: "HttpResponse") -> Any:
    """The JSON of a response."""
    try:
        return json.loads(response.content)
    except ValueError as error:
        raise RetryLater(Reason.UNAVAILABLE, "Azure's response is not JSON") from error
