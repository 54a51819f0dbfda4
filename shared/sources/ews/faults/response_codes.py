"""Every response code of EWS (without the leading "Error"), grouped by how we handle it.

The names are those of ResponseCodeType in Exchange's schema (messages.xsd), and four more that exchangelib knows, two
of them alternative spellings. A test compares them with both lists. rules.py maps each group to an error.
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
    ADOperation ADSessionFilter ADUnavailable ArchiveMailboxSearchFailed ArchiveMailboxServiceDiscoveryFailed
    ClientDisconnected ConnectionFailed ConnectionFailedTransientError CrossSiteRequest DataSourceOperation
    ExportRemoteArchiveItemsFailed FindRemoteArchiveFolderFailed GetRemoteArchiveFolderFailed
    GetRemoteArchiveItemFailed GetServerSecurityDescriptorFailed InternalServerTransientError
    InvalidClientSecurityContext InvalidNetworkServiceContext InvalidProxySecurityContext IrresolvableConflict
    LogonAsNetworkServiceFailed MailboxConfiguration MailboxFailover MailboxLogonFailed MailboxMoveInProgress
    MailboxStoreUnavailable NoApplicableProxyCASServersAvailable NoDestinationCASDueToKerberosRequirements
    NoDestinationCASDueToSSLRequirements NoDestinationCASDueToVersionMismatch NoOAuthServerAvailableForRequest
    NoPublicFolderReplicaAvailable NoPublicFolderServerAvailable NoRespondingCASInDestinationSite
    ParsingXMLResponse ProxyCallFailed ProxyGroupSidLimitExceeded ProxyRequestNotAllowed
    ProxyRequestProcessingFailed ProxyServiceDiscoveryFailed ProxySoapException ProxyTokenExpired
    PublicFolderMailboxDiscoveryFailed PublicFolderOperationFailed PublicFolderRequestProcessingFailed
    PublicFolderServerNotFound PublicFolderSyncException ReadEventsFailed RequestAborted
    SearchFolderNotInitialized ServiceDiscoveryFailed ServiceUnavailable StaleObject WebRequestInInvalidState
    Win32InteropError
    """
)
"""A mailbox store, a domain controller or a proxy behind the endpoint is temporarily unavailable."""

UNAVAILABLE_OR_ITEM = _codes(
    """
    FolderPropertRequestFailed FolderPropertyRequestFailed InternalServerError ResponseSchemaValidation
    """
)
"""An outage if it concerns a whole request. For one item usually a corrupt item, which must not stop the others."""

TIMED_OUT = _codes(
    """
    TimeoutExpired
    """
)
"""The server gave up because of its own time limit."""

SMALLER_BATCH = _codes(
    """
    BatchProcessingStopped RequestStreamTooBig ResultSetTooBig
    """
)
"""The request was too large and is repeated in smaller parts."""

TOKEN_REJECTED = _codes(
    """
    InvalidAuthorizationContext InvalidSerializedAccessToken PasswordChangeRequired PasswordExpired
    TokenSerializationDenied
    """
)
"""The mail server rejects the token, even if Entra ID considers it valid."""

ACCOUNT_DISABLED = _codes(
    """
    AccountDisabled AccountSuspend AccountSuspendShowTierUpgrade
    """
)
"""The person's account is disabled."""

ORGANIZATION_BLOCKED = _codes(
    """
    OrganizationAccessBlocked
    """
)
"""The organization does not allow access to any of its mailboxes."""

NO_MAILBOX = _codes(
    """
    AddressSpaceNotFound ArchiveMailboxNotEnabled AutoDiscoverFailed CannotFindUser DelegateNoUser
    DistinguishedUserNotSupported DuplicateLegacyDistinguishedName EmailAddressMismatch InvalidMailbox
    InvalidSmtpAddress InvalidUserPrincipalName LocalServerObjectNotFound MailRecipientNotFound
    MissingEmailAddress MissingExchangePrincipal MultiLegacyMailboxAccess NonExistentMailbox
    NonPrimarySmtpAddress RecipientNotFound TeamMailboxNotFound UnifiedGroupMailboxNotFound
    """
)
"""The mailbox does not exist on this server."""

NO_LICENSE = _codes(
    """
    InvalidLicense
    """
)
"""The mailbox's license does not include this."""

IMPERSONATION_DENIED = _codes(
    """
    CallerIsInvalidADAccount ImpersonateUserDenied ImpersonationDenied ImpersonationFailed
    InvalidCrossForestCredentials InvalidExchangeImpersonationHeaderData InvalidLogonType InvalidSid
    InvalidUserInfo InvalidUserSid InvalidUserSidMissingUPN
    """
)
"""The service account may not impersonate the owner of this mailbox."""

ACCESS_DENIED = _codes(
    """
    AccessDenied DelegateMissingConfiguration DelegateValidationFailed NotDelegate PermissionNotAllowedByPolicy
    RecoverableItemsAccessDenied UserNotAllowedByPolicy UserWithoutFederatedProxyAddress
    """
)
"""Access to the mailbox is denied, or to the item if the code concerns one item."""

STATE_INVALID = _codes(
    """
    InvalidSyncStateData
    """
)
"""The folder state is invalid: the folder must be read from the beginning."""

FOLDER_GONE = _codes(
    """
    CalendarFolderIsInvalidForCalendarView CannotAccessDeletedPublicFolder FolderCorrupt FolderNotFound
    InvalidFolderId InvalidFolderTypeForOperation ManagedFolderNotFound NoCalendar ParentFolderNotFound
    SavedItemFolderNotFound SyncFolderNotFound ToFolderNotFound
    """
)
"""The folder no longer exists, or cannot be read as a folder."""

ITEM_GONE = _codes(
    """
    CalendarOccurrenceIsDeletedFromRecurrence EventNotFound ItemNotFound
    """
)
"""The item no longer exists (the changes will contain its deletion), or is too new to be found yet."""

ITEM_TOO_LARGE = _codes(
    """
    AttachmentSizeLimitExceeded DataSizeLimitExceeded MessageSizeExceeded
    """
)
"""The item is larger than the server's limit."""

ITEM_CORRUPT = _codes(
    """
    AttachmentNestLevelLimitExceeded CalendarDurationIsTooLong CalendarEndDateIsEarlierThanStartDate
    CalendarInvalidAttributeValue CalendarInvalidDayForTimeChangePattern CalendarInvalidDayForWeeklyRecurrence
    CalendarInvalidPropertyState CalendarInvalidPropertyValue CalendarInvalidRecurrence CalendarInvalidTimeZone
    CalendarOccurrenceIndexIsOutOfRecurrenceRange CalendarOutOfRange CannotOpenFileAttachment
    ContentConversionFailed CorruptData DistributionListMemberNotExist InvalidRecipients InvalidValueForProperty
    ItemCorrupt ItemPropertyRequestFailed MimeContentConversionFailed MimeContentInvalid
    MimeContentInvalidBase64String ObjectTypeChanged OccurrenceCrossingBoundary OccurrenceTimeSpanTooBig
    PropertyValidationFailure RecurrenceHasNoOccurrence TimeZone UnsupportedCulture UnsupportedMapiPropertyType
    UnsupportedMimeConversion UnsupportedRecurrence UnsupportedTypeForConversion ValueOutOfRange
    """
)
"""The item is corrupt in the mailbox."""

ITEM_REFUSED = _codes(
    """
    CalendarCannotUseIdForOccurrenceId CalendarCannotUseIdForRecurringMasterId CannotUseFolderIdForItemId
    InvalidChangeKey InvalidId InvalidIdEmpty InvalidIdMalformed InvalidIdMalformedEwsLegacyIdFormat
    InvalidIdMonikerTooLong InvalidIdNotAnItemAttachmentId InvalidIdStoreObjectIdTooLong
    InvalidIdTooManyAttachmentLevels InvalidIdXml InvalidPropertyForOperation InvalidPropertyRequest
    VirusDetected VirusMessageDeleted
    """
)
"""The server refuses to return this item, or to return it in this shape."""

NOT_APPLICABLE = _codes(
    """
    AccessModeSpecified AddDelegatesFailed AffectedTaskOccurrencesRequired ApplyConversationActionFailed
    ArchiveFolderPathCreation AvailabilityConfigNotFound CalendarCannotMoveOrCopyOccurrence
    CalendarCannotUpdateDeletedItem CalendarForwardActionNotAllowed CalendarIsCancelledForAccept
    CalendarIsCancelledForDecline CalendarIsCancelledForRemove CalendarIsCancelledForTentative
    CalendarIsDelegatedForAccept CalendarIsDelegatedForDecline CalendarIsDelegatedForRemove
    CalendarIsDelegatedForTentative CalendarIsGroupMailboxForAccept CalendarIsGroupMailboxForDecline
    CalendarIsGroupMailboxForSuppressReadReceipt CalendarIsGroupMailboxForTentative CalendarIsNotOrganizer
    CalendarIsOrganizerForAccept CalendarIsOrganizerForDecline CalendarIsOrganizerForRemove
    CalendarIsOrganizerForTentative CalendarMeetingRequestIsOutOfDate CalendarSeekToConditionNotSupported
    CalendarViewRangeTooBig CannotArchiveCalendarContactTaskFolderException CannotArchiveItemsInArchiveMailbox
    CannotArchiveItemsInPublicFolders CannotCreateCalendarItemInNonCalendarFolder
    CannotCreateContactInNonContactFolder CannotCreatePostItemInNonMailFolder CannotCreateTaskInNonTaskFolder
    CannotDeleteObject CannotDeleteTaskOccurrence CannotDisableMandatoryExtension
    CannotDownloadExtensionManifest CannotEmptyFolder CannotGetExternalEcpUrl CannotGetSourceFolderPath
    CannotSetCalendarPermissionOnNonCalendarFolder CannotSetNonCalendarPermissionOnCalendarFolder
    CannotSetPermissionUnknownEntries CannotSpecifySearchFolderAsSourceFolder CannotUninstallProvidedExtensions
    CannotUseItemIdForFolderId ChangeKeyRequired ChangeKeyRequiredForWriteOperations
    ClientIntentInvalidStateDefinition ClientIntentNotFound ContainsFilterWrongType ContentIndexingNotEnabled
    CreateItemAccessDenied CreateManagedFolderPartialCompletion CreateSubfolderAccessDenied CrossMailboxMoveCopy
    DelegateAlreadyExists DelegateCannotAddOwner DeleteDistinguishedFolder DeleteItemsFailed
    DeleteUnifiedMessagingPromptFailed DiscoverySearchesDisabled DuplicateExtendedKeywordDefinition
    DuplicateInputFolderNames DuplicateSOAPHeader DuplicateSenderRestrictionsInputFound
    DuplicateUserIdsSpecified ExceededMaxRecipientLimit ExceededMaxRecipientLimitBlock
    ExceededMaxRecipientLimitShowTierUpgrade ExceededMessageLimit ExceededMessageLimitShowTierUpgrade
    ExpiredSubscription ExtensionAlreadyInstalledForOrg ExtensionNotFound ExtensionsNotAuthorized FolderExists
    FolderSave FolderSaveFailed FolderSavePropertyError FreeBusyDLLimitReached FreeBusyGenerationFailed
    IPGatewayNotFound ImContactLimitReached ImGroupDisplayNameAlreadyExists ImGroupLimitReached
    InboxRulesValidationError IncorrectSchemaVersion IncorrectUpdatePropertyCount IndividualMailboxLimitReached
    InstantSearchFailed InstantSearchSessionExpired InstantSearchTimeout InvalidAccessLevel InvalidArgument
    InvalidAttachmentId InvalidAttachmentSubfilter InvalidAttachmentSubfilterTextFilter InvalidBulkActionType
    InvalidClientAccessTokenRequest InvalidCompleteDate InvalidContactEmailAddress InvalidContactEmailIndex
    InvalidDelegatePermission InvalidDelegateUserId InvalidExcludesRestriction InvalidExpressionTypeForSubFilter
    InvalidExtendedProperty InvalidExtendedPropertyValue InvalidExtensionId InvalidExternalSharingInitiator
    InvalidExternalSharingSubscriber InvalidFederatedOrganizationId InvalidFederationOrganizationIdentifier
    InvalidFractionalPagingParameters InvalidFreeBusyViewType InvalidGetSharingFolderRequest
    InvalidIdReturnedByResolveNames InvalidImContactId InvalidImDistributionGroupSmtpAddress InvalidImGroupId
    InvalidIndexedPagingParameters InvalidInternetHeaderChildNodes InvalidInternetWebProxyOnLocalServer
    InvalidItemForOperationAcceptItem InvalidItemForOperationArchiveItem InvalidItemForOperationCancelItem
    InvalidItemForOperationCreateItem InvalidItemForOperationCreateItemAttachment
    InvalidItemForOperationDeclineItem InvalidItemForOperationExpandDL InvalidItemForOperationRemoveItem
    InvalidItemForOperationSendItem InvalidItemForOperationTentative InvalidKeepNCount InvalidKeepNType
    InvalidLatitude InvalidLikeRequest InvalidLongitude InvalidManagedFolderProperty InvalidManagedFolderQuota
    InvalidManagedFolderSize InvalidManagementRoleHeader InvalidMergedFreeBusyInterval
    InvalidNameForNameResolution InvalidOofParameter InvalidOperation InvalidOrganizationRelationshipForFreeBusy
    InvalidPagingMaxRows InvalidParentFolder InvalidPercentCompleteValue InvalidPermissionSettings
    InvalidPhoneCallId InvalidPhoneNumber InvalidPhotoSize InvalidPropertyAppend InvalidPropertyDelete
    InvalidPropertyForExists InvalidPropertySet InvalidPropertyUpdateSentMessage InvalidPullSubscriptionId
    InvalidPushSubscriptionUrl InvalidRecipientSubfilter InvalidRecipientSubfilterComparison
    InvalidRecipientSubfilterOrder InvalidRecipientSubfilterTextFilter InvalidReferenceItem
    InvalidReportMessageActionType InvalidRequest InvalidRestriction InvalidRetentionTagIdGuid
    InvalidRetentionTagInheritance InvalidRetentionTagInvisible InvalidRetentionTagNone
    InvalidRetentionTagTypeMismatch InvalidRoutingType InvalidSIPUri InvalidScheduledOofDuration
    InvalidSchemaVersionForMailboxVersion InvalidSecurityDescriptor InvalidSendItemSaveSettings
    InvalidServerVersion InvalidSharingData InvalidSharingMessage InvalidSubfilterType
    InvalidSubfilterTypeNotAttendeeType InvalidSubfilterTypeNotRecipientType InvalidSubscription
    InvalidSubscriptionRequest InvalidSweepRule InvalidSweepRuleOperationType InvalidTimeInterval
    InvalidUserOofSettings InvalidWatermark ItemSave ItemSavePropertyError
    LegacyMailboxFreeBusyViewTypeNotMerged LocationServicesDisabled LocationServicesInvalidRequest
    LocationServicesRequestFailed LocationServicesRequestTimedOut MailTipsDisabled MailboxDataArrayEmpty
    MailboxHoldNotFound MailboxScopeNotAllowedWithoutQueryString ManagedFolderAlreadyExists
    ManagedFoldersRootFailure MarketPlaceExtensionAlreadyInstalledForOrg MeetingSuggestionGenerationFailed
    MessageBlocked MessageDispositionRequired MessagePerFolderCountReceiveQuotaExceeded MessageSubmissionBlocked
    MessageTrackingNoSuchDomain MessageTrackingPermanentError MessageTrackingTransientError
    MissedNotificationEvents MissingArgument MissingEmailAddressForManagedFolder MissingInformationEmailAddress
    MissingInformationReferenceItemId MissingInformationSharingFolderId MissingItemForCreateItemAttachment
    MissingManagedFolderId MissingRecipients MissingUserIdInformation MoreThanOneAccessModeSpecified
    MoveCopyFailed MoveDistinguishedFolder NameResolutionMultipleResults NameResolutionNoMailbox
    NameResolutionNoResults NewEventStreamConnectionOpened NewerExtensionAlreadyInstalled
    NewerMarketPlaceExtensionAlreadyInstalled NoFolderClassOverride NoFreeBusyAccess
    NoPropertyTagForCustomProperties NoRbacPermissionToInstallMarketPlaceExtensions
    NoRbacPermissionToInstallReadWriteMailboxExtensions NoSenderRestrictionsSettingsFoundInRequest
    NoSpeechDetected NotAllowedExternalSharingByPolicy NotSupportedSharingMessage
    OperationNotAllowedWithPublicFolderRoot OrganizationNotFederated OutlookRuleBlobExists
    ParentFolderIdRequired PhoneNumberNotDialable PromptPublishingOperationFailed PropertyUpdate
    ProxiedSubscriptionCallFailure QueryFilterTooLong QuotaExceeded ReadReceiptNotPending RecognizerNotInstalled
    RecurrenceEndDateTooBig RemoveDelegatesFailed RequiredPropertyMissing ResolveNamesInvalidFolderType
    ResolveNamesOnlyOneContactsFolderAllowed RestrictionTooComplex RestrictionTooLong RulesOverQuota
    SchemaValidation SearchQueryHasTooManyKeywords SearchTooManyMailboxes SendAsDenied
    SendMeetingCancellationsRequired SendMeetingInvitationsOrCancellationsRequired
    SendMeetingInvitationsRequired SenderRestrictionsUpdateFailed SentMeetingRequestUpdate SentTaskRequestUpdate
    SharingNoExternalEwsAvailable SharingSynchronizationFailed SpeechGrammarError SubmissionQuotaExceeded
    SubscriptionAccessDenied SubscriptionDelegateAccessNotSupported SubscriptionNotFound
    SubscriptionUnsubscribed SubscriptionUnsubsribed SubscriptionsDisabledForGroup TargetDomainNotSupported
    TeamMailboxActiveToPendingDelete TeamMailboxErrorUnknown TeamMailboxFailedSendingNotifications
    TeamMailboxNotAuthorizedOwner TeamMailboxNotLinkedToSharePoint TeamMailboxUrlValidationFailed
    TimeIntervalTooBig UMServerUnavailable UnableToGetUserOofSettings UnableToRemoveImContactFromGroup
    UnauthorizedClientAccessTokenRequest UnexpectedUnifiedGroupsCount UnifiedGroupAadAuthorizationRequestDenied
    UnifiedGroupAliasNamingPolicy UnifiedGroupAlreadyExists UnifiedGroupCreationDisabled
    UnifiedGroupMailboxAADCreationFailed UnifiedGroupMailboxAADDeleteFailed UnifiedGroupMailboxDeleteFailed
    UnifiedGroupMailboxNamingPolicy UnifiedGroupMailboxProvisionFailed UnifiedGroupMailboxUpdateDelayed
    UnifiedGroupMailboxUpdateFailed UnifiedGroupMailboxUpdatedPartialProperties UnifiedMessagingDialPlanNotFound
    UnifiedMessagingPromptNotFound UnifiedMessagingReportDataNotFound UnifiedMessagingRequestFailed
    UnifiedMessagingServerNotFound UnsupportedPathForQuery UnsupportedPathForSortGroup
    UnsupportedPropertyDefinition UnsupportedQueryFilter UnsupportedSubFilter UnsupportedUserForExecuteSearch
    UpdateDelegatesFailed UpdatePropertyMismatch UserNotUnifiedMessagingEnabled VoiceMailNotImplemented
    WeatherServiceDisabled WorkingHoursSaveFailed WorkingHoursXmlMalformed WrongServerVersion
    WrongServerVersionDelegate
    """
)
"""Codes for requests that we never make (writing, sharing, free/busy, voice...) or that we made incorrectly."""
