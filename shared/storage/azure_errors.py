"""Azure's errors in our words: one translation for Storage and Key Vault, used where an SDK is called.

azure.core is imported inside the functions: it is not needed to load the app, and importing it is slow.
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
"""For every SDK client, in seconds: a broken line is tried twice more at once, an answer never is.

By themselves the SDKs sleep: Key Vault's and Table Storage's for as long as Retry-After says, Blob's and Queue
Storage's fifteen seconds and more. In a function that is paid for, and whoever waits for a page waits too; the queue
is what waits. The first two read the back-off from one setting, the last two from the three below it.
"""

NOT_FOUND_CODES = frozenset({"ResourceNotFound", "EntityNotFound", "BlobNotFound", "SecretNotFound"})
"""What a service says when it has looked and found nothing.

Any other 404 is no such verdict: a table or container that was never made, a proxy, a wrong address. Taken for one it
would tell everybody that their sign-in is gone.
"""

POLICY_CODES = frozenset({"BlobImmutableDueToPolicy", "BlobArchived"})
"""What somebody has laid down about blobs, by a policy of retention or a rule of tiering: no waiting changes it.
https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes
"""

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
"""409s of which nobody else's write is the cause: somebody is taking our storage away."""

OURS = POLICY_CODES | BEING_DELETED
"""Codes that are for the operator, whatever status they come with."""

OF_ONE_SECRET = frozenset({"SecretDisabled", "SecretNotInValidTimeRange"})
"""Inner codes of Key Vault's 403 that speak of the secret and not of whoever asks for it."""


@contextmanager
def translate_errors() -> Iterator[None]:
    """Raise this program's errors instead of Azure's: refused is ours to mend, busy and unreachable pass by themselves.

    Raises:
        RetryLater: throttled, unavailable, timed out or cut off.
        OperatorMustAct: the app's identity was refused, or what the deployment should have made is missing.
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
    except ValueError as error:
        # The SDKs let these through when something in between answers in Azure's place, with a page of its own.
        raise RetryLater(Reason.UNAVAILABLE, f"that was no answer of Azure's ({type(error).__name__})") from error


def _error_of_status(error: "HttpResponseError") -> MailboxSyncError:
    status = error.status_code or 0
    support = _error_code(error) or str(status)
    if support in OURS:
        return OperatorMustAct(Reason.OUR_STORAGE, "the storage is withheld or being deleted", support=support)
    if status == 403 and (inner := _inner_code(error)) in OF_ONE_SECRET:
        return OperatorMustAct(Reason.OUR_STORAGE, "a secret is switched off", support=inner, of_one=True)
    if status in (401, 403):
        return OperatorMustAct(Reason.OUR_STORAGE, "the app's identity may not do this", support=support)
    if status in (400, 404, 405, 411, 413, 415):
        return OperatorMustAct(Reason.OUR_STORAGE, "Azure does not accept the request", support=support)
    if status in (409, 412):
        return RetryLater(Reason.CONFLICT, "somebody else is changing the same thing", support=support)
    reason = Reason.THROTTLED if status == 429 or "Busy" in support else Reason.UNAVAILABLE
    return RetryLater(reason, "Azure asks to wait", support=support, retry_after=_retry_after(error))


def _retry_after(error: "HttpResponseError") -> float | None:
    """Seconds that the response asks to wait, when it does."""
    return retry_after_of(getattr(error.response, "headers", None) or {})


def raise_not_found[R](call: Callable[[], R]) -> R:
    """Make the call; what the service says is not there raises NotFound."""
    from azure.core.exceptions import ResourceNotFoundError

    try:
        return call()
    except ResourceNotFoundError as error:
        if _error_code(error) not in NOT_FOUND_CODES:
            raise
        raise NotFound("not there") from error


def _error_code(error: "HttpResponseError") -> str:
    """Azure's own word for it: Storage's SDKs keep it on the error, Key Vault's within the answer."""
    said = getattr(error, "error_code", None) or getattr(error.error, "code", None) or ""
    return str(getattr(said, "value", said))


def _inner_code(error: "HttpResponseError") -> str:
    """What Key Vault's Forbidden means exactly."""
    inner = getattr(error.error, "innererror", None)
    return str(inner.get("code", "")) if isinstance(inner, dict) else ""


def is_ours(error: "HttpResponseError") -> bool:
    """Whether an answer that looks like somebody else's write is for the operator: see `OURS`."""
    return _error_code(error) in OURS


def already_exists(call: Callable[[], object]) -> bool:
    """Make the call; True when what it would create exists already, False when it has been made."""
    from azure.core.exceptions import ResourceExistsError

    try:
        call()
    except ResourceExistsError as error:
        if is_ours(error):
            raise
        return True
    return False


def raise_conflict[R](call: Callable[[], R]) -> R:
    """Make the conditional call; a failed condition, or a target that went away, raises Conflict."""
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
