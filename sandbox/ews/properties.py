"""The properties of every kind of item and folder, in the order of Exchange's schema."""


def words(text: str) -> list[str]:
    """The words of a text."""
    return text.split()


_ITEM_START = words(
    """
    MimeContent ItemId ParentFolderId ItemClass Subject Sensitivity Body Attachments DateTimeReceived Size
    Categories Importance InReplyTo IsSubmitted IsDraft IsFromMe IsResend IsUnmodified InternetMessageHeaders
    DateTimeSent DateTimeCreated ResponseObjects ReminderDueBy ReminderIsSet ReminderNextTime
    ReminderMinutesBeforeStart DisplayCc DisplayTo HasAttachments
    """
)

_ITEM_END = words(
    """
    Culture EffectiveRights LastModifiedName LastModifiedTime IsAssociated WebClientReadFormQueryString
    WebClientEditFormQueryString ConversationId UniqueBody Flag StoreEntryId InstanceKey NormalizedBody
    EntityExtractionResult PolicyTag ArchiveTag RetentionDate Preview RightsManagementLicenseData
    NextPredictedAction GroupingAction PredictedActionReasons IsClutter BlockStatus HasBlockedImages TextBody
    IconIndex SearchKey SortKey
    """
)

_ITEM = [*_ITEM_START, "ExtendedProperty", *_ITEM_END]

_MESSAGE = words(
    """
    Sender ToRecipients CcRecipients BccRecipients IsReadReceiptRequested IsDeliveryReceiptRequested
    ConversationIndex ConversationTopic From InternetMessageId IsRead IsResponseRequested References ReplyTo
    ReceivedBy ReceivedRepresenting ApprovalRequestData VotingInformation ReminderMessageData
    """
)

_MEETING = words(
    """
    AssociatedCalendarItemId IsDelegated IsOutOfDate HasBeenProcessed ResponseType UID RecurrenceId DateTimeStamp
    IsOrganizer
    """
)

_CALENDAR = words(
    """
    UID RecurrenceId DateTimeStamp Start End OriginalStart IsAllDayEvent LegacyFreeBusyStatus Location When
    IsMeeting IsCancelled IsRecurring MeetingRequestWasSent IsResponseRequested CalendarItemType MyResponseType
    Organizer RequiredAttendees OptionalAttendees Resources InboxReminders ConflictingMeetingCount
    AdjacentMeetingCount ConflictingMeetings AdjacentMeetings Duration TimeZone AppointmentReplyTime
    AppointmentSequenceNumber AppointmentState Recurrence FirstOccurrence LastOccurrence ModifiedOccurrences
    DeletedOccurrences MeetingTimeZone StartTimeZone EndTimeZone ConferenceType AllowNewTimeProposal IsOnlineMeeting
    MeetingWorkspaceUrl NetShowUrl EnhancedLocation StartWallClock EndWallClock StartTimeZoneId EndTimeZoneId
    IntendedFreeBusyStatus JoinOnlineMeetingUrl OnlineMeetingSettings IsOrganizer CalendarActivityData
    DoNotForwardMeeting
    """
)

_MEETING_EVENT = [name for name in _CALENDAR if name not in ("UID", "RecurrenceId", "DateTimeStamp", "IsOrganizer")]

_CONTACT = words(
    """
    FileAs FileAsMapping DisplayName GivenName Initials MiddleName Nickname CompleteName CompanyName EmailAddresses
    PhysicalAddresses PhoneNumbers AssistantName Birthday BusinessHomePage Children Companies ContactSource
    Department Generation ImAddresses JobTitle Manager Mileage OfficeLocation PostalAddressIndex Profession
    SpouseName Surname WeddingAnniversary HasPicture PhoneticFullName PhoneticFirstName PhoneticLastName Alias Notes
    Photo UserSMIMECertificate MSExchangeCertificate DirectoryId ManagerMailbox DirectReports
    """
)

_TASK = words(
    """
    ActualWork AssignedTime BillingInformation ChangeCount Companies CompleteDate Contacts DelegationState Delegator
    DueDate IsAssignmentEditable IsComplete IsRecurring IsTeamTask Mileage Owner PercentComplete Recurrence
    StartDate Status StatusDescription TotalWork
    """
)

_POST = [
    "ConversationIndex",
    "ConversationTopic",
    "From",
    "InternetMessageId",
    "IsRead",
    "PostedTime",
    "References",
    "Sender",
]

_OF_MESSAGE_OR_FIRST = {"IsResponseRequested", "IntendedFreeBusyStatus"}
"""Of the event's properties: what a request has as a message, and what stands before the others."""
_MEETING_REQUEST = [
    "MeetingRequestType",
    "IntendedFreeBusyStatus",
    *(name for name in _MEETING_EVENT if name not in _OF_MESSAGE_OR_FIRST),
]

ORDER: dict[str, list[str]] = {
    "Item": _ITEM,
    "Message": _ITEM + _MESSAGE,
    "MeetingMessage": _ITEM + _MESSAGE + _MEETING,
    "MeetingRequest": [*_ITEM, *_MESSAGE, *_MEETING, *_MEETING_REQUEST],
    "MeetingResponse": [
        *_ITEM,
        *_MESSAGE,
        *_MEETING,
        "Start",
        "End",
        "Location",
        "Recurrence",
        "CalendarItemType",
        "ProposedStart",
        "ProposedEnd",
    ],
    "MeetingCancellation": [*_ITEM, *_MESSAGE, *_MEETING, "Start", "End", "Location", "Recurrence", "CalendarItemType"],
    "CalendarItem": _ITEM + _CALENDAR,
    "Contact": _ITEM + _CONTACT,
    "DistributionList": [*_ITEM, "DisplayName", "FileAs", "ContactSource", "Members"],
    "Task": _ITEM + _TASK,
    "PostItem": _ITEM + _POST,
}
"""The properties of every element that an item can be, in order."""

PREFIXES = {
    "item": {*_ITEM} - {"ExtendedProperty"},
    "message": {*_MESSAGE},
    "meeting": {*_MEETING, "ProposedStart", "ProposedEnd"},
    "meetingRequest": {"MeetingRequestType", "IntendedFreeBusyStatus", "Start", "End"},
    "calendar": {*_CALENDAR},
    "contacts": {*_CONTACT, "Surname", "DisplayName"},
    "distributionlist": {"Members"},
    "task": {*_TASK},
    "postitem": {"PostedTime"},
    "conversation": {"ConversationId"},
}
"""The valid field URIs: a prefix, a colon, a property's name."""

FOLDER_ORDER = words(
    """
    FolderId ParentFolderId FolderClass DisplayName TotalCount ChildFolderCount ExtendedProperty
    ManagedFolderInformation EffectiveRights DistinguishedFolderId PolicyTag ArchiveTag SharingEffectiveRights
    PermissionSet UnreadCount
    """
)

FOLDER_DEFAULT = {"FolderId", "DisplayName", "TotalCount", "ChildFolderCount", "UnreadCount"}
FOLDER_ALL = set(FOLDER_ORDER) - {"ExtendedProperty", "PermissionSet", "ManagedFolderInformation", "PolicyTag"}
FOLDER_URIS = {*FOLDER_ORDER} - {"ExtendedProperty"}

FOLDER_ELEMENTS = {
    "IPF.Appointment": "CalendarFolder",
    "IPF.Contact": "ContactsFolder",
    "IPF.Task": "TasksFolder",
}
"""The element for each folder class; any other class is a plain Folder."""

_DEFAULT = {
    "Message": words(
        """
        ItemId ParentFolderId Subject Sensitivity Body Attachments DateTimeReceived Size Importance IsSubmitted
        IsDraft IsFromMe IsResend IsUnmodified DateTimeSent DateTimeCreated ResponseObjects DisplayCc DisplayTo
        HasAttachments Sender ToRecipients CcRecipients From InternetMessageId IsRead IsReadReceiptRequested
        IsDeliveryReceiptRequested
        """
    ),
    "CalendarItem": words(
        """
        ItemId ParentFolderId Subject Body Attachments ResponseObjects HasAttachments Start End
        LegacyFreeBusyStatus Location CalendarItemType Organizer RequiredAttendees OptionalAttendees Recurrence
        FirstOccurrence LastOccurrence ModifiedOccurrences DeletedOccurrences IsAllDayEvent IsRecurring
        """
    ),
    "Contact": words(
        """
        ItemId ParentFolderId Body Attachments ResponseObjects HasAttachments FileAs DisplayName CompleteName
        CompanyName EmailAddresses PhysicalAddresses PhoneNumbers ImAddresses JobTitle
        """
    ),
    "DistributionList": words(
        "ItemId ParentFolderId Subject Body Attachments HasAttachments DisplayName FileAs Members"
    ),
    "Task": words(
        """
        ItemId ParentFolderId Subject Body Attachments ResponseObjects HasAttachments DueDate PercentComplete
        StartDate Status IsComplete
        """
    ),
}


def default_shape(element: str) -> set[str]:
    """The properties in the Default shape of an element."""
    return set(_DEFAULT.get(element, _DEFAULT["Message"]))


_NOT_IN_ALL = {
    "MimeContent",
    "UniqueBody",
    "NormalizedBody",
    "TextBody",
    "ExtendedProperty",
    "RetentionDate",
    "Members",
}
"""Members: answers to AllProperties are reported to omit them (github.com/jamesiarmes/php-ews/issues/113)."""


def all_properties(element: str) -> set[str]:
    """The properties in the AllProperties shape of an element."""
    return set(ORDER[element]) - _NOT_IN_ALL


NOT_IN_VIEWS = {
    "MimeContent", "Body", "UniqueBody", "TextBody", "NormalizedBody", "Attachments", "InternetMessageHeaders",
    "ResponseObjects", "ToRecipients", "CcRecipients", "BccRecipients", "ReplyTo", "RequiredAttendees",
    "OptionalAttendees", "Resources", "FirstOccurrence", "LastOccurrence", "ModifiedOccurrences",
    "DeletedOccurrences", "Members", "Photo", "MeetingTimeZone", "ConflictingMeetings", "AdjacentMeetings",
    "Recurrence", "UserSMIMECertificate", "MSExchangeCertificate",
}  # fmt: skip
"""What FindItem and SyncFolderItems never show, whatever the shape: only GetItem opens the item for them."""

READ_ONLY = {
    "ItemId", "ParentFolderId", "Attachments", "Size", "IsSubmitted", "IsDraft", "IsFromMe", "IsResend",
    "IsUnmodified", "InternetMessageHeaders", "DateTimeCreated", "ResponseObjects", "ReminderNextTime", "DisplayCc",
    "DisplayTo", "HasAttachments", "EffectiveRights", "LastModifiedName", "LastModifiedTime", "IsAssociated",
    "WebClientReadFormQueryString", "WebClientEditFormQueryString", "ConversationId", "UniqueBody", "StoreEntryId",
    "InstanceKey", "NormalizedBody", "Preview", "TextBody", "IconIndex", "SearchKey", "ConversationIndex",
    "ConversationTopic", "ReceivedBy", "ReceivedRepresenting", "RecurrenceId", "DateTimeStamp", "OriginalStart",
    "When", "IsMeeting", "IsCancelled", "MeetingRequestWasSent", "CalendarItemType", "MyResponseType", "Organizer",
    "ConflictingMeetingCount", "AdjacentMeetingCount", "ConflictingMeetings", "AdjacentMeetings", "Duration",
    "TimeZone", "AppointmentReplyTime", "AppointmentSequenceNumber", "AppointmentState", "FirstOccurrence",
    "LastOccurrence", "ModifiedOccurrences", "DeletedOccurrences", "StartWallClock", "EndWallClock",
    "StartTimeZoneId", "EndTimeZoneId", "IsOrganizer", "CompleteName", "HasPicture", "ContactSource", "ChangeCount",
    "DelegationState", "Delegator", "AssignedTime", "IsAssignmentEditable", "IsComplete", "IsTeamTask", "Owner",
    "PostedTime", "DateTimeReceived", "DateTimeSent", "Photo",
}  # fmt: skip
"""Properties that only Exchange sets."""
