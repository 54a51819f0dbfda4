"""The HTTP client for the identity provider: with timeouts, without redirects, and with outages as our own errors."""

from typing import TYPE_CHECKING, Any

from shared.errors import MailboxSyncError, Reason, RetryLater
from shared.http_headers import retry_after_of

if TYPE_CHECKING:
    import requests

TIMEOUT_SECONDS = (5.0, 20.0)
"""The timeouts in seconds: to connect, and to wait for a response."""


class HttpClient:
    """The HTTP client that msal and the fetch of the published keys use; it has the two methods that msal needs."""

    def __init__(self) -> None:
        import requests

        self._session = requests.Session()
        self.refusal: dict[str, object] = {}
        """The JSON of the last GET's 400 response, else empty. msal keeps only the text of such a response."""

    def get(self, url: str, **options: Any) -> "requests.Response":
        """Send a GET. Raises RetryLater when the server is busy, fails, or cannot be reached."""
        answer = self._ask("GET", url, options)
        self.refusal = _error_in(answer)
        return answer

    def post(self, url: str, **options: Any) -> "requests.Response":
        """Send a POST. Raises RetryLater when the server is busy, fails, or cannot be reached."""
        return self._ask("POST", url, options)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _ask(self, method: str, url: str, options: dict[str, Any]) -> "requests.Response":
        import requests

        try:
            # Following a redirect could send the client assertion or a refresh token to another server.
            answer = self._session.request(
                method, url, **options | {"timeout": TIMEOUT_SECONDS, "allow_redirects": False}
            )
        except requests.Timeout as exc:
            raise RetryLater(Reason.TIMED_OUT, "the identity provider did not answer in time") from exc
        except requests.RequestException as exc:
            raise RetryLater(Reason.UNAVAILABLE, "the identity provider cannot be reached") from exc
        if answer.status_code == 429 or answer.status_code >= 500:
            raise _retry_later(answer)
        return answer


def _error_in(answer: "requests.Response") -> dict[str, object]:
    if answer.status_code != 400:
        return {}
    try:
        body = answer.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _retry_later(answer: "requests.Response") -> MailboxSyncError:
    throttled = answer.status_code == 429
    return RetryLater(
        Reason.THROTTLED if throttled else Reason.UNAVAILABLE,
        "the identity provider asks to wait",
        support=str(answer.status_code),
        retry_after=retry_after_of(answer.headers),
        tenant_wide=throttled,
    )
