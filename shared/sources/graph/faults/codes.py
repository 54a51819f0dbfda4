"""The error codes that a mailbox's reader meets over Graph, sorted by what they mean to us.

Spelled as documented or as seen; they are compared without regard to letter case. What each group leads to is in
errors.py. Sources: https://learn.microsoft.com/graph/errors and /graph/resolve-auth-errors; the EWS codes that the
Outlook service passes on; issues and the code of other clients for those that no page names.
"""

THROTTLED = (
    "ApplicationThrottled",
    "TooManyRequests",
    "activityLimitReached",
    "throttledRequest",
    "ErrorServerBusy",
    "ErrorExceededConnectionCount",
    "ErrorTooManyObjectsOpened",
    "ErrorInsufficientResources",
    "ErrorBandwidthLimitExceeded",
)
"""The service asks us to slow down."""

UNAVAILABLE = (
    "ServiceUnavailable",
    "serviceNotAvailable",
    "ServiceNotAvailable_Temporary",
    "BackendUnavailable",
    "ErrorMailboxStoreUnavailable",
    "ErrorMailboxMoveInProgress",
    "ErrorMailboxFailover",
    "ErrorInternalServerTransientError",
    "ErrorConnectionFailed",
    "ErrorConnectionFailedTransientError",
    "ErrorADUnavailable",
    "ErrorIrresolvableConflict",
    "ErrorStaleObject",
    "UnknownError",
)
"""Something behind the service is not there for the moment. UnknownError with a 503 is throttling by another name."""

UNAVAILABLE_OR_ITEM = (
    "InternalServerError",
    "ErrorInternalServerError",
    "generalException",
)
"""Of a whole request an outage; of one item usually a damaged one, so that it must not stop the others."""

TIMED_OUT = (
    "ErrorTimeoutExpired",
    "timeout",
    "GatewayTimeout",
    "RequestTimeout",
)
"""The service gave up in time."""

TOKEN_REJECTED = (
    "InvalidAuthenticationToken",
    "CompactToken",
    "unauthenticated",
    "Unauthorized",
    "TokenNotFound",
    "Authentication_ExpiredToken",
    "Authentication_MissingOrMalformed",
    "insufficient_claims",
    "InsufficientClaims",
    "ErrorPasswordChangeRequired",
    "ErrorPasswordExpired",
)
"""The service does not take the token, whatever Entra ID thinks of it."""

ACCOUNT_DISABLED = (
    "ErrorAccountDisabled",
    "ErrorAccountSuspend",
    "AccountDisabled",
)
"""The person's account is switched off."""

NO_MAILBOX = (
    "MailboxNotEnabledForRESTAPI",
    "MailboxNotSupportedForRESTAPI",
    "ErrorInvalidUser",
    "ErrorInvalidMailbox",
    "ErrorNonExistentMailbox",
    "ErrorMissingExchangePrincipal",
    "ResourceNotFound",
    "Request_ResourceNotFound",
    "ErrorMailboxNotFound",
    "ErrorUserNotFound",
)
"""There is no such mailbox here: no license, inactive, or on premises."""

ON_PREMISES = (
    "MailboxNotHostedInExchangeOnline",
    "extensionError",
)
"""The mailbox is on an Exchange Server: EWS reads it."""

NO_LICENSE = (
    "ErrorInvalidLicense",
    "InvalidLicense",
)
"""The mailbox's license does not include this."""

ACCESS_DENIED = (
    "ErrorAccessDenied",
    "accessDenied",
    "Authorization_RequestDenied",
    "Forbidden",
    "notAllowed",
    "ErrorUserNotAllowedByPolicy",
    "ErrorOrganizationAccessBlocked",
)
"""A permission, a consent or a role is missing, or a policy refuses; of one item, just that one."""

MAILBOX_FULL = ("ErrorQuotaExceeded",)
"""The mailbox is over its quota: delta, which stores its state there, is refused, and plain reads are not."""

STATE_LOST = (
    "resyncRequired",
    "syncStateNotFound",
    "syncStateInvalid",
    "ErrorInvalidSyncStateData",
    "resyncChangesApplyDifferences",
    "resyncChangesUploadDifferences",
)
"""The service does not know this delta token (any more)."""

GONE = (
    "ErrorItemNotFound",
    "itemNotFound",
    "notFound",
    "ErrorFolderNotFound",
    "ErrorSyncFolderNotFound",
    "ErrorParentFolderNotFound",
    "ErrorEventNotFound",
    "ErrorCalendarOccurrenceIsDeletedFromRecurrence",
)
"""What was named is not there any more: an item that moved, or a folder."""

MALFORMED_ID = (
    "ErrorInvalidIdMalformed",
    "ErrorInvalidIdNotAnItemAttachmentId",
    "ErrorInvalidId",
    "ErrorInvalidIdEmpty",
)
"""Our id is of another format; after a delta token it is the token that is meant."""

ITEM_TOO_LARGE = (
    "ErrorMessageSizeExceeded",
    "ErrorAttachmentSizeLimitExceeded",
    "ErrorDataSizeLimitExceeded",
    "ResponseSizeLimitExceeded",
)
"""The item is larger than the service gives out."""

ITEM_CORRUPT = (
    "ErrorMimeContentConversionFailed",
    "ErrorContentConversionFailed",
    "ErrorUnsupportedMimeConversion",
    "ErrorMimeContentInvalid",
    "ErrorCorruptData",
    "ErrorItemCorrupt",
    "ErrorInvalidRecipients",
    "ErrorCannotOpenFileAttachment",
    "ErrorPropertyValidationFailure",
    "ErrorItemPropertyRequestFailed",
    "ErrorObjectTypeChanged",
    "ErrorInvalidValueForProperty",
)
"""The item is damaged in the mailbox, or cannot be written in this form. They come with HTTP 500."""

ITEM_REFUSED = (
    "ErrorVirusDetected",
    "ErrorInvalidPropertyRequest",
)
"""The service will not give this item out."""

BAD_REQUEST = (
    "BadRequest",
    "invalidRequest",
    "ErrorInvalidRequest",
    "ErrorInvalidUrlQuery",
    "ErrorInvalidUrlQueryFilter",
    "ErrorInvalidProperty",
    "ErrorUnsupportedPathForQuery",
    "RequestBroker--ParseUri",
    "Request_BadRequest",
    "Request_UnsupportedQuery",
    "ErrorInvalidOperation",
)
"""A request that we made wrongly; after a delta token it is the token that is meant."""

NOT_AS_MIME = frozenset(
    code.lower()
    for code in (
        "ErrorMimeContentConversionFailed",
        "ErrorContentConversionFailed",
        "ErrorUnsupportedMimeConversion",
        "ErrorMimeContentInvalid",
    )
)
"""Exchange cannot write the item as MIME: opaque S/MIME and reports about signed mail; the rest of it can be had."""
