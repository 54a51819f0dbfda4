"""Exchange's refusals: the response message of one element, or an error for the whole request."""

TEXTS = {
    "ErrorAccessDenied": "Access is denied. Check credentials and try again.",
    "ErrorAffectedTaskOccurrencesRequired": "AffectedTaskOccurrences attribute is required for Task objects.",
    "ErrorCannotDeleteObject": "Object cannot be deleted.",
    "ErrorCalendarCannotMoveOrCopyOccurrence": "You can't move or copy an occurrence of a recurring calendar item.",
    "ErrorCalendarInvalidRecurrence": "The recurrence pattern is invalid.",
    "ErrorCalendarOccurrenceIndexIsOutOfRecurrenceRange": "Occurrence index is out of recurrence range.",
    "ErrorCalendarOccurrenceIsDeletedFromRecurrence": "Occurrence with this index was previously deleted.",
    "ErrorChangeKeyRequired": "Change key is required for this operation.",
    "ErrorContentConversionFailed": "Content conversion failed.",
    "ErrorDeleteDistinguishedFolder": "Distinguished folders cannot be deleted.",
    "ErrorFolderExists": "A folder with the specified name already exists.",
    "ErrorFolderNotFound": "The specified folder could not be found in the store.",
    "ErrorImpersonateUserDenied": "The account does not have permission to impersonate the requested user.",
    "ErrorImpersonationFailed": "Exchange Web Services could not impersonate the user named in the header.",
    "ErrorImpersonationRequired": ("ExchangeImpersonation SOAP header must be present for this type of OAuth token."),
    "ErrorInternalServerError": "An internal server error occurred. The operation failed.",
    "ErrorInvalidIdMalformed": "Id is malformed.",
    "ErrorInvalidPropertySet": "Set action is invalid for property.",
    "ErrorInvalidPropertyDelete": "Delete action is not supported for this property.",
    "ErrorInvalidSyncStateData": "The synchronization state data is corrupt or otherwise invalid.",
    "ErrorIrresolvableConflict": (
        "The send or update operation could not be performed because the change key passed in the request "
        "does not match the current change key for the item."
    ),
    "ErrorItemCorrupt": "The item is corrupt and can't be read.",
    "ErrorItemNotFound": "The specified object was not found in the store.",
    "ErrorInvalidFreeBusyViewType": "A free/busy view was requested without its options.",
    "ErrorInvalidItemForOperationExpandDL": "Only a distribution list can be expanded.",
    "ErrorMailRecipientNotFound": "The recipient has no mailbox here.",
    "ErrorMailboxMoveInProgress": "The mailbox is being moved. Try again later.",
    "ErrorMessageDispositionRequired": "The MessageDisposition attribute is required for Message objects.",
    "ErrorMimeContentInvalid": "The MIME content is invalid.",
    "ErrorMimeContentInvalidBase64String": "The MIME content is not valid base64.",
    "ErrorMoveCopyFailed": "Move or copy operation failed.",
    "ErrorNameResolutionMultipleResults": "Multiple results were found.",
    "ErrorNameResolutionNoResults": "No results were found.",
    "ErrorNonExistentMailbox": "The SMTP address has no mailbox associated with it.",
    "ErrorSchemaValidation": "The request failed schema validation",
    "ErrorSendMeetingCancellationsRequired": "SendMeetingCancellations is required for calendar items.",
    "ErrorSendMeetingInvitationsRequired": "SendMeetingInvitations attribute is required for calendar items.",
    "ErrorSendMeetingInvitationsOrCancellationsRequired": (
        "SendMeetingInvitationsOrCancellations attribute is required for calendar items."
    ),
    "ErrorSyncFolderNotFound": "The folder to synchronize could not be found.",
}
"""The message text of each code; our own words where Microsoft's wording is not public."""


class Refused(Exception):
    """One element is refused with an Error response message; the batch's other elements continue."""

    def __init__(self, code: str, text: str = "", xml: str = "") -> None:
        self.code = code
        self.text = text or TEXTS.get(code, code)
        self.xml = xml
        super().__init__(f"{code}: {self.text}")


class Fault(Exception):
    """The whole request is refused, as a SOAP fault with HTTP status 500."""

    def __init__(self, code: str, text: str = "", xml: str = "") -> None:
        self.code = code
        self.text = text or TEXTS.get(code, code)
        self.xml = xml
        super().__init__(f"{code}: {self.text}")


class Unauthorized(Exception):
    """The token is missing or invalid: 401 with a challenge."""

    def __init__(self, error: str = "invalid_token", reason: str = "") -> None:
        self.error = error
        self.reason = reason
        super().__init__(error)


class Forbidden(Exception):
    """Exchange refuses this app or this mailbox: 403 before any SOAP processing."""

    def __init__(self, text: str, headers: dict[str, str] | None = None, status: int = 403) -> None:
        self.text = text
        self.headers = headers or {}
        self.status = status
        super().__init__("forbidden")
