"""Every response code that EWS documents, dealt out by what it means to us (without the leading "Error").

The names are Microsoft's (https://learn.microsoft.com/exchange/client-developer/web-service-reference/responsecode);
a test compares them with exchangelib's list. What each group leads to is in errors.py.
"""


def _codes(names: str) -> frozenset[str]:
    return frozenset(f"Error{name}" for name in names.split())


THROTTLED = _codes(
    """
    ExceededConnectionCount ExceededFindCountLimit ExceededSubscriptionCount InsufficientResources
    MailboxDataArrayTooBig NotEnoughMemory ServerBusy TooManyObjectsOpened
    """
)
"""The server asks us to slow down; BackOffMilliseconds says for how long."""

UNAVAILABLE = _codes(
    """
    ADOperation ADSessionFilter ADUnavailable ClientDisconnected ConnectionFailed ConnectionFailedTransientError
    CrossSiteRequest DataSourceOperation GetServerSecurityDescriptorFailed InternalServerTransientError
    InvalidClientSecurityContext InvalidNetworkServiceContext InvalidProxySecurityContext IrresolvableConflict
    LogonAsNetworkServiceFailed MailboxConfiguration MailboxFailover MailboxLogonFailed MailboxMoveInProgress
    MailboxStoreUnavailable NoApplicableProxyCASServersAvailable NoDestinationCASDueToKerberosRequirements
    NoDestinationCASDueToSSLRequirements NoDestinationCASDueToVersionMismatch NoPublicFolderReplicaAvailable
    NoPublicFolderServerAvailable NoRespondingCASInDestinationSite ProxyCallFailed ProxyGroupSidLimitExceeded
    ProxyRequestNotAllowed ProxyRequestProcessingFailed ProxyServiceDiscoveryFailed ProxyTokenExpired
    PublicFolderRequestProcessingFailed PublicFolderServerNotFound ReadEventsFailed RequestAborted
    SearchFolderNotInitialized ServiceDiscoveryFailed StaleObject WebRequestInInvalidState Win32InteropError
    """
)
"""A store, a domain controller or a proxy behind the endpoint is not there for the moment."""

UNAVAILABLE_OR_ITEM = _codes(
    """
    InternalServerError ResponseSchemaValidation
    """
)
"""Of a whole request an outage; of one item usually a damaged one, so that it must not stop the others."""

TIMED_OUT = _codes(
    """
    TimeoutExpired
    """
)
"""The server gave up in time."""

SMALLER = _codes(
    """
    BatchProcessingStopped RequestStreamTooBig ResultSetTooBig
    """
)
"""The request was too much at once: it is asked again in smaller parts."""

TOKEN_REJECTED = _codes(
    """
    InvalidAuthorizationContext InvalidSerializedAccessToken PasswordChangeRequired PasswordExpired
    TokenSerializationDenied
    """
)
"""The mail server does not take the token, whatever Entra ID thinks of it."""

ACCOUNT_DISABLED = _codes(
    """
    AccountDisabled
    """
)
"""The person's account is switched off."""

NO_MAILBOX = _codes(
    """
    AddressSpaceNotFound AutoDiscoverFailed DelegateNoUser DistinguishedUserNotSupported EmailAddressMismatch
    InvalidMailbox InvalidSmtpAddress InvalidUserPrincipalName LocalServerObjectNotFound MailRecipientNotFound
    MissingEmailAddress NonExistentMailbox NonPrimarySmtpAddress
    """
)
"""There is no such mailbox here."""

NO_LICENCE = _codes(
    """
    InvalidLicense
    """
)
"""The mailbox's licence does not include this."""

IMPERSONATION_DENIED = _codes(
    """
    CallerIsInvalidADAccount ImpersonateUserDenied ImpersonationDenied ImpersonationFailed
    InvalidCrossForestCredentials InvalidExchangeImpersonationHeaderData InvalidLogonType InvalidSid
    InvalidUserInfo InvalidUserSid InvalidUserSidMissingUPN
    """
)
"""We may not act for this mailbox."""

ACCESS_DENIED = _codes(
    """
    AccessDenied DelegateMissingConfiguration DelegateValidationFailed NotDelegate PermissionNotAllowedByPolicy
    RecoverableItemsAccessDenied UserNotAllowedByPolicy UserWithoutFederatedProxyAddress
    """
)
"""The mailbox exists but is not open to us; of one item, just that one."""

STATE_INVALID = _codes(
    """
    InvalidSyncStateData
    """
)
"""This folder has to be read from the beginning."""

FOLDER_GONE = _codes(
    """
    CalendarFolderIsInvalidForCalendarView FolderCorrupt FolderNotFound InvalidFolderId
    InvalidFolderTypeForOperation ManagedFolderNotFound NoCalendar ParentFolderNotFound SavedItemFolderNotFound
    SyncFolderNotFound ToFolderNotFound
    """
)
"""The folder is not there any more, or cannot be read as a folder."""

ITEM_GONE = _codes(
    """
    CalendarOccurrenceIsDeletedFromRecurrence EventNotFound ItemNotFound
    """
)
"""The item is not there any more (its deletion follows in the changes), or is so new that it is not found yet."""

ITEM_TOO_LARGE = _codes(
    """
    AttachmentSizeLimitExceeded DataSizeLimitExceeded MessageSizeExceeded
    """
)
"""The item is larger than the server gives out."""

ITEM_CORRUPT = _codes(
    """
    CalendarDurationIsTooLong CalendarEndDateIsEarlierThanStartDate CalendarInvalidAttributeValue
    CalendarInvalidDayForTimeChangePattern CalendarInvalidDayForWeeklyRecurrence CalendarInvalidPropertyState
    CalendarInvalidPropertyValue CalendarInvalidRecurrence CalendarInvalidTimeZone
    CalendarOccurrenceIndexIsOutOfRecurrenceRange CalendarOutOfRange CannotOpenFileAttachment
    ContentConversionFailed CorruptData DistributionListMemberNotExist InvalidRecipients InvalidValueForProperty
    ItemCorrupt ItemPropertyRequestFailed MimeContentConversionFailed MimeContentInvalid
    MimeContentInvalidBase64String ObjectTypeChanged OccurrenceCrossingBoundary OccurrenceTimeSpanTooBig
    PropertyValidationFailure RecurrenceHasNoOccurrence TimeZone UnsupportedCulture UnsupportedMapiPropertyType
    UnsupportedMimeConversion UnsupportedRecurrence UnsupportedTypeForConversion ValueOutOfRange
    """
)
"""The item is damaged in the mailbox."""

ITEM_REFUSED = _codes(
    """
    CalendarCannotUseIdForOccurrenceId CalendarCannotUseIdForRecurringMasterId CannotUseFolderIdForItemId
    InvalidChangeKey InvalidId InvalidIdEmpty InvalidIdMalformed InvalidIdMalformedEwsLegacyIdFormat
    InvalidIdMonikerTooLong InvalidIdNotAnItemAttachmentId InvalidIdStoreObjectIdTooLong
    InvalidIdTooManyAttachmentLevels InvalidIdXml InvalidPropertyForOperation InvalidPropertyRequest
    VirusDetected VirusMessageDeleted
    """
)
"""The server will not give this item out, or not in this shape."""

NEVER_ASKED = _codes(
    """
    AccessModeSpecified AddDelegatesFailed AffectedTaskOccurrencesRequired ApplyConversationActionFailed
    AvailabilityConfigNotFound CalendarCannotMoveOrCopyOccurrence CalendarCannotUpdateDeletedItem
    CalendarIsCancelledForAccept CalendarIsCancelledForDecline CalendarIsCancelledForRemove
    CalendarIsCancelledForTentative CalendarIsDelegatedForAccept CalendarIsDelegatedForDecline
    CalendarIsDelegatedForRemove CalendarIsDelegatedForTentative CalendarIsNotOrganizer
    CalendarIsOrganizerForAccept CalendarIsOrganizerForDecline CalendarIsOrganizerForRemove
    CalendarIsOrganizerForTentative CalendarMeetingRequestIsOutOfDate CalendarViewRangeTooBig
    CannotCreateCalendarItemInNonCalendarFolder CannotCreateContactInNonContactFolder
    CannotCreatePostItemInNonMailFolder CannotCreateTaskInNonTaskFolder CannotDeleteObject
    CannotDeleteTaskOccurrence CannotEmptyFolder CannotSetCalendarPermissionOnNonCalendarFolder
    CannotSetNonCalendarPermissionOnCalendarFolder CannotSetPermissionUnknownEntries CannotUseItemIdForFolderId
    ChangeKeyRequired ChangeKeyRequiredForWriteOperations ContainsFilterWrongType CreateItemAccessDenied
    CreateManagedFolderPartialCompletion CreateSubfolderAccessDenied CrossMailboxMoveCopy DelegateAlreadyExists
    DelegateCannotAddOwner DeleteDistinguishedFolder DeleteItemsFailed DuplicateInputFolderNames
    DuplicateSOAPHeader DuplicateUserIdsSpecified ExpiredSubscription FolderExists FolderPropertyRequestFailed
    FolderSave FolderSaveFailed FolderSavePropertyError FreeBusyDLLimitReached FreeBusyGenerationFailed
    IPGatewayNotFound InboxRulesValidationError IncorrectSchemaVersion IncorrectUpdatePropertyCount
    IndividualMailboxLimitReached InvalidAccessLevel InvalidArgument InvalidAttachmentId
    InvalidAttachmentSubfilter InvalidAttachmentSubfilterTextFilter InvalidCompleteDate
    InvalidContactEmailAddress InvalidContactEmailIndex InvalidDelegatePermission InvalidDelegateUserId
    InvalidExcludesRestriction InvalidExpressionTypeForSubFilter InvalidExtendedProperty
    InvalidExtendedPropertyValue InvalidExternalSharingInitiator InvalidExternalSharingSubscriber
    InvalidFederatedOrganizationId InvalidFractionalPagingParameters InvalidFreeBusyViewType
    InvalidGetSharingFolderRequest InvalidIdReturnedByResolveNames InvalidIndexedPagingParameters
    InvalidInternetHeaderChildNodes InvalidItemForOperationAcceptItem InvalidItemForOperationCancelItem
    InvalidItemForOperationCreateItem InvalidItemForOperationCreateItemAttachment
    InvalidItemForOperationDeclineItem InvalidItemForOperationExpandDL InvalidItemForOperationRemoveItem
    InvalidItemForOperationSendItem InvalidItemForOperationTentative InvalidManagedFolderProperty
    InvalidManagedFolderQuota InvalidManagedFolderSize InvalidMergedFreeBusyInterval
    InvalidNameForNameResolution InvalidOofParameter InvalidOperation InvalidOrganizationRelationshipForFreeBusy
    InvalidPagingMaxRows InvalidParentFolder InvalidPercentCompleteValue InvalidPermissionSettings
    InvalidPhoneCallId InvalidPhoneNumber InvalidPropertyAppend InvalidPropertyDelete InvalidPropertyForExists
    InvalidPropertySet InvalidPropertyUpdateSentMessage InvalidPullSubscriptionId InvalidPushSubscriptionUrl
    InvalidRecipientSubfilter InvalidRecipientSubfilterComparison InvalidRecipientSubfilterOrder
    InvalidRecipientSubfilterTextFilter InvalidReferenceItem InvalidRequest InvalidRestriction
    InvalidRoutingType InvalidSIPUri InvalidScheduledOofDuration InvalidSchemaVersionForMailboxVersion
    InvalidSecurityDescriptor InvalidSendItemSaveSettings InvalidServerVersion InvalidSharingData
    InvalidSharingMessage InvalidSubfilterType InvalidSubfilterTypeNotAttendeeType
    InvalidSubfilterTypeNotRecipientType InvalidSubscription InvalidSubscriptionRequest InvalidTimeInterval
    InvalidUserOofSettings InvalidWatermark ItemSave ItemSavePropertyError
    LegacyMailboxFreeBusyViewTypeNotMerged MailTipsDisabled MailboxDataArrayEmpty ManagedFolderAlreadyExists
    ManagedFoldersRootFailure MeetingSuggestionGenerationFailed MessageDispositionRequired
    MessageTrackingNoSuchDomain MessageTrackingPermanentError MessageTrackingTransientError
    MissedNotificationEvents MissingArgument MissingEmailAddressForManagedFolder MissingInformationEmailAddress
    MissingInformationReferenceItemId MissingInformationSharingFolderId MissingItemForCreateItemAttachment
    MissingManagedFolderId MissingRecipients MissingUserIdInformation MoreThanOneAccessModeSpecified
    MoveCopyFailed MoveDistinguishedFolder NameResolutionMultipleResults NameResolutionNoMailbox
    NameResolutionNoResults NewEventStreamConnectionOpened NoFolderClassOverride NoFreeBusyAccess
    NoPropertyTagForCustomProperties NotAllowedExternalSharingByPolicy NotSupportedSharingMessage
    OperationNotAllowedWithPublicFolderRoot OrganizationNotFederated OutlookRuleBlobExists
    ParentFolderIdRequired PhoneNumberNotDialable PropertyUpdate ProxiedSubscriptionCallFailure
    QueryFilterTooLong QuotaExceeded ReadReceiptNotPending RecurrenceEndDateTooBig RemoveDelegatesFailed
    RequiredPropertyMissing ResolveNamesInvalidFolderType ResolveNamesOnlyOneContactsFolderAllowed
    RestrictionTooComplex RestrictionTooLong RulesOverQuota SchemaValidation SendAsDenied
    SendMeetingCancellationsRequired SendMeetingInvitationsOrCancellationsRequired
    SendMeetingInvitationsRequired SentMeetingRequestUpdate SentTaskRequestUpdate SharingNoExternalEwsAvailable
    SharingSynchronizationFailed SubmissionQuotaExceeded SubscriptionAccessDenied
    SubscriptionDelegateAccessNotSupported SubscriptionNotFound SubscriptionUnsubsribed TimeIntervalTooBig
    UnableToGetUserOofSettings UnifiedMessagingDialPlanNotFound UnifiedMessagingRequestFailed
    UnifiedMessagingServerNotFound UnsupportedPathForQuery UnsupportedPathForSortGroup
    UnsupportedPropertyDefinition UnsupportedQueryFilter UnsupportedSubFilter UpdateDelegatesFailed
    UpdatePropertyMismatch UserNotUnifiedMessagingEnabled VoiceMailNotImplemented WorkingHoursSaveFailed
    WorkingHoursXmlMalformed WrongServerVersion WrongServerVersionDelegate
    """
)
"""Codes of requests that we never make (writing, sharing, free/busy, voice...) or of requests that we made wrongly."""
