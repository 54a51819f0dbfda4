"""Translates Azure's errors to this program's: one translation for Storage and Key Vault, used where an SDK is called.

azure.core is imported inside the functions, because loading the app does not need it and importing it is slow.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from shared.errors import Conflict, MailboxSyncError, NotFound, OperatorMustAct, Reason, RetryLater
from shared.http_headers import retry_after_of

if TYPE_CHECKING:
    from azure.core.exceptions import HttpResponseError

CLIENT_OPTIONS: dict[str, Any] = {
    "connection_timeout": 5,
    "read_timeout": 30,
    "retry_total": 2,
    "retry_status": 0,
    "retry_backoff_factor": 0.2,
    "initial_backoff": 0.2,
    "increment_base": 0.5,
    "random_jitter_range": 0.1,
}
"""Options of every SDK client, in seconds. A broken connection is retried twice at once; an error response never is.

By default the SDKs sleep: Key Vault's and Table Storage's for the time in Retry-After, Blob's and Queue Storage's for
fifteen seconds and more. Inside a function that time costs money, and a person who waits for a page waits too. Only the
queue waits here. The first two SDKs read the back-off from one setting, the other two from the three settings below it.
"""

NOT_FOUND_CODES = frozenset({"ResourceNotFound", "EntityNotFound", "BlobNotFound", "SecretNotFound"})
"""Codes that mean that the service has looked and found nothing.

Any other 404 proves nothing: a table or container that was never created, a proxy, a wrong address. Treating it as not
found would make every person sign in again.
"""

POLICY_CODES = frozenset({"BlobImmutableDueToPolicy", "BlobArchived"})
"""Codes for blobs that a retention policy or a tiering rule protects; waiting does not help.
https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes"""

BEING_DELETED = frozenset(
    {
        "AccountIsDisabled",
        "ContainerBeingDeleted",
        "ContainerBeingDisabled",
        "QueueBeingDeleted",
        "QueueDisabled",
        "TableBeingDeleted",
    }
)
"""Codes of 409 responses that no concurrent write causes: somebody is deleting or disabling our storage."""

OURS = POLICY_CODES | BEING_DELETED
"""Codes that are the operator's to handle, whatever their HTTP status."""

OF_ONE_SECRET = frozenset({"SecretDisabled", "SecretNotInValidTimeRange"})
"""Inner codes of Key Vault's 403 that are about the secret, not about the identity that requests it."""


@contextmanager
def translate_errors() -> Iterator[None]:
    """Raise this program's errors in place of Azure's: a refusal is the operator's, busy or unreachable is retried.

    Raises:
        RetryLater: throttled, unavailable, timed out or disconnected.
        OperatorMustAct: the app's identity was refused, or something the deployment should have created is missing.
    """
    from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError

    try:
        yield
    except MailboxSyncError:
        raise
    except ClientAuthenticationError as error:
        raise OperatorMustAct(Reason.OUR_CREDENTIAL, "Azure refused the app's identity") from error
    except HttpResponseError as error:
        raise _error_of_status(error) from error
    except AzureError as error:
        raise RetryLater(Reason.UNAVAILABLE, f"Azure could not be reached ({type(error).__name__})") from error
    except (ValueError, TypeError, AttributeError, LookupError) as error:
        # The SDKs raise these if a proxy answers in Azure's place with a page or with JSON of its own.
        raise RetryLater(Reason.UNAVAILABLE, f"the response is not Azure's ({type(error).__name__})") from error


def _error_of_status(error: "HttpResponseError") -> MailboxSyncError:
    wait = retry_after_of(getattr(error.response, "headers", None) or {})
    return error_of(error.status_code or 0, error_code(error), _inner_code(error), wait)


def error_of(status: int, code: str, inner: str = "", wait: float | None = None) -> MailboxSyncError:
    """This program's error for an error response of Azure.

    `code` is Azure's error code if there is one, `inner` Key Vault's inner code, `wait` Retry-After in seconds.
    """
    support = code or str(status)
    if support in OURS:
        return OperatorMustAct(
            Reason.OUR_STORAGE, "the storage is disabled, protected or being deleted", support=support
        )
    if status == 403 and inner in OF_ONE_SECRET:
        return OperatorMustAct(Reason.OUR_STORAGE, "a secret is disabled", support=inner, of_one=True)
    if status in (401, 403):
        return OperatorMustAct(Reason.OUR_STORAGE, "the app's identity may not do this", support=support)
    if status in (400, 404, 405, 411, 413, 415):
        return OperatorMustAct(Reason.OUR_STORAGE, "Azure does not accept the request", support=support)
    if status in (409, 412):
        return RetryLater(Reason.CONFLICT, "a concurrent change is in progress", support=support)
    reason = Reason.THROTTLED if status == 429 or "Busy" in support else Reason.UNAVAILABLE
    return RetryLater(reason, "Azure asks to wait", support=support, retry_after=wait)


def raise_not_found[R](call: Callable[[], R]) -> R:
    """Run the call; raise NotFound if the service says that the resource does not exist."""
    from azure.core.exceptions import ResourceNotFoundError

    try:
        return call()
    except ResourceNotFoundError as error:
        if error_code(error) not in NOT_FOUND_CODES:
            raise
        raise NotFound("Azure found no such resource") from error


def error_code(error: "HttpResponseError") -> str:
    """Azure's error code: Storage's SDKs keep it on the error, Key Vault's in the response."""
    code = getattr(error, "error_code", None) or getattr(error.error, "code", None) or ""
    return str(getattr(code, "value", code))


def _inner_code(error: "HttpResponseError") -> str:
    """The inner code of Key Vault's Forbidden, which says why."""
    inner = getattr(error.error, "innererror", None)
    return str(inner.get("code", "")) if isinstance(inner, dict) else ""


def is_ours(error: "HttpResponseError") -> bool:
    """Whether an error that looks like a concurrent write is the operator's to handle: see `OURS`."""
    return error_code(error) in OURS


def already_exists(call: Callable[[], object]) -> bool:
    """Run the call; return True if what it creates already exists, False if it was created."""
    from azure.core.exceptions import ResourceExistsError

    try:
        call()
    except ResourceExistsError as error:
        if is_ours(error):
            raise
        return True
    return False


def raise_conflict[R](call: Callable[[], R]) -> R:
    """Run the conditional call; raise Conflict if the condition fails or the target no longer exists."""
    from azure.core.exceptions import (
        ResourceExistsError,
        ResourceModifiedError,
        ResourceNotFoundError,
    )

    try:
        return call()
    except (ResourceModifiedError, ResourceExistsError, ResourceNotFoundError) as error:
        if is_ours(error):
            raise
        raise Conflict("changed since it was read") from error
