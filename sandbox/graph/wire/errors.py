"""The errors of Graph: an HTTP status, a code that programs read, a message that people read."""

from collections.abc import Mapping


class GraphError(Exception):
    """One request is refused. `empty`: the answer has no body, as some of the service's 503 have none."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str = "",
        headers: Mapping[str, str] | None = None,
        *,
        empty: bool = False,
    ) -> None:
        self.status = status
        self.code = code
        self.message = message or TEXTS.get(code, code)
        self.headers = dict(headers or {})
        self.empty = empty
        super().__init__(f"{status} {code}: {self.message}")


TEXTS = {
    "ErrorAccessDenied": "Access is denied. Check credentials and try again.",
    "ErrorCorruptData": "The item is corrupt and can't be read.",
    "ErrorContentConversionFailed": "Content conversion failed.",
    "ErrorInternalServerError": "An internal server error occurred. The operation failed.",
    "ErrorInvalidIdMalformed": "Id is malformed.",
    "ErrorItemNotFound": "The specified object was not found in the store.",
    "ErrorMailboxMoveInProgress": "Mailbox move in progress. Try again later.",
    "ErrorMimeContentConversionFailed": "MIME conversion failed.",
    "ErrorQuotaExceeded": "The mailbox has exceeded its quota.",
    "ErrorSyncFolderNotFound": "The folder to synchronize could not be found.",
    "MailboxNotEnabledForRESTAPI": "The mailbox is either inactive, soft-deleted, or is hosted on-premise.",
    "resyncRequired": "Resync required. Replace any local items with the server's version.",
    "syncStateInvalid": "The sync state generation is invalid.",
    "syncStateNotFound": "The sync state generation is not found.",
    "TooManyRequests": "Too many requests.",
}
"""What codes say to people; partly ours where Microsoft's wording is not public."""


def not_found() -> GraphError:
    """The item or folder is not there (any more)."""
    return GraphError(404, "ErrorItemNotFound")


def malformed_id() -> GraphError:
    """The id is of no format that the service knows."""
    return GraphError(400, "ErrorInvalidIdMalformed")


def parse_error(message: str) -> GraphError:
    """The URL asks for what the service does not know."""
    return GraphError(400, "RequestBroker--ParseUri", message)


def no_property(name: str, entity: str) -> GraphError:
    """A property that the type does not have."""
    return parse_error(f"Could not find a property named '{name}' on type 'microsoft.graph.{entity}'.")
