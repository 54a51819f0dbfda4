"""The error codes that a program which reads mailboxes over Graph receives, grouped by what they mean to it.

They are spelled as documented or observed, and compared without regard to letter case. What each group leads to is in
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
"""A part of the service is temporarily unavailable. UnknownError with status 503 is a form of throttling."""

UNAVAILABLE_OR_ITEM = (
    "InternalServerError",
    "ErrorInternalServerError",
    "generalException",
)
"""For a whole request, an outage. For one item, usually a damaged item, which must not stop the others."""

TIMED_OUT = (
    "ErrorTimeoutExpired",
    "timeout",
    "GatewayTimeout",
    "RequestTimeout",
)
"""The service did not finish the request in time."""

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
"""The service rejects the token, although it may be valid according to Entra ID."""

ACCOUNT_DISABLED = (
    "ErrorAccountDisabled",
    "ErrorAccountSuspend",
    "AccountDisabled",
)
"""The person's account is disabled."""

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
"""The service has no such mailbox: no license, inactive, or on premises."""

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
"""A permission, a consent, or a role is missing, or a policy denies access. For one item, access to it is denied."""

MAILBOX_FULL = ("ErrorQuotaExceeded",)
"""The mailbox is over its quota. Delta is refused, because it stores its state there; other reads are not."""

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
"""The item or folder does not exist any more, or has moved."""

MALFORMED_ID = (
    "ErrorInvalidIdMalformed",
    "ErrorInvalidIdNotAnItemAttachmentId",
    "ErrorInvalidId",
    "ErrorInvalidIdEmpty",
)
"""The id has another format. For a request with a delta token, the token is invalid."""

ITEM_TOO_LARGE = (
    "ErrorMessageSizeExceeded",
    "ErrorAttachmentSizeLimitExceeded",
    "ErrorDataSizeLimitExceeded",
    "ResponseSizeLimitExceeded",
)
"""The item is larger than the service returns."""

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
"""The item is damaged, or cannot be converted to this format. These codes come with status 500."""

ITEM_REFUSED = (
    "ErrorVirusDetected",
    "ErrorInvalidPropertyRequest",
)
"""The service refuses to return this item."""

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
"""The request is wrong. For a request with a delta token, the token is invalid."""

NOT_AS_MIME = frozenset(
    code.lower()
    for code in (
        "ErrorMimeContentConversionFailed",
        "ErrorContentConversionFailed",
        "ErrorUnsupportedMimeConversion",
        "ErrorMimeContentInvalid",
    )
)
"""Exchange cannot convert the item to MIME (opaque S/MIME, reports about signed mail). Its properties are available."""
