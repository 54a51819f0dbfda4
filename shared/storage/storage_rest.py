"""Requests to Azure Storage over azure-core's pipeline: its credentials, its transport, its retry of broken lines.

The storage SDKs on top of it cost a multiple in processor time where a sync spends it: a transaction of 100 entities
65 ms instead of 6, a small blob twice as much (docs/decisions/0006). azure.core is imported on use.
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
"""Bytes sent at a time."""


class ChunkedBody:
    """A request's body, sent piece by piece, and from its beginning as often as it is asked for.

    A socket gives each write the time that the connection had for being made. In one piece a body that takes longer
    than CONNECT_SECONDS to send, however steadily, would be broken off and never arrive.
    """

    def __init__(self, content: bytes) -> None:
        self._content = content

    def __len__(self) -> int:
        """All of it: what the header Content-Length says."""
        return len(self._content)

    def __iter__(self) -> Iterator[bytes]:
        """The pieces in order, anew each time: a request that is tried again sends all of them again."""
        return (self._content[start : start + CHUNK_BYTES] for start in range(0, len(self), CHUNK_BYTES))


class StorageRestClient:
    """One service endpoint and the credential for it. Safe to use from several threads."""

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
        """Send one request; an answer that is not among those expected is raised as this program's error."""
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
        """Give the connections back."""
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
        """The pipeline. Broken connections are retried at once; answers are not: the queue is what waits."""
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


def etag_of(answer: "HttpResponse") -> str:
    """The ETag of an answer; one that has lost its headers on the way is no answer."""
    etag = answer.headers.get("etag")
    if not etag:
        raise RetryLater(Reason.UNAVAILABLE, "Azure's answer has no ETag")
    return str(etag)


def json_of(answer: "HttpResponse") -> Any:
    """The JSON of an answer."""
    try:
        return json.loads(answer.content)
    except ValueError as error:
        raise RetryLater(Reason.UNAVAILABLE, "Azure's answer is not JSON") from error
