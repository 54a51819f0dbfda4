"""The schema of the supported requests in a short notation, read by request_validation.py.

A line is `Type = contents`: child elements in order, `?` optional, `*` and `+` repeated, `( | )` a choice, `:Type`
if the child's type is not a plain string, `@name:type` an attribute (`?` optional), `enum` a set of words.
Item properties are generated from properties.py, so that their order is written once.
"""

from sandbox.ews.properties import ORDER

REQUESTS = """
GetFolder = FolderShape:FolderShape FolderIds:FolderIds
FindFolder = @Traversal:Traversal FolderShape:FolderShape
  (IndexedPageFolderView:IndexedPage | FractionalPageFolderView:any)? Restriction:Restriction? ParentFolderIds:FolderIds
SyncFolderHierarchy = FolderShape:FolderShape SyncFolderId:TargetFolder? SyncState?
SyncFolderItems = ItemShape:ItemShape SyncFolderId:TargetFolder SyncState? Ignore:ItemIdsOnly?
  MaxChangesReturned:MaxChanges SyncScope:SyncScope?
GetItem = ItemShape:ItemShape ItemIds:ItemIds
FindItem = @Traversal:ItemTraversal ItemShape:ItemShape
  (IndexedPageItemView:IndexedPage | FractionalPageItemView:any | SeekToConditionPageItemView:any
   | CalendarView:CalendarView | ContactsView:any)?
  (GroupBy:any | DistinguishedGroupBy:any)? Restriction:Restriction? SortOrder:SortOrder? ParentFolderIds:FolderIds
  QueryString?
CreateItem = @MessageDisposition:Disposition? @SendMeetingInvitations:Invitations? SavedItemFolderId:TargetFolder?
  Items:Items
UpdateItem = @ConflictResolution:Resolution @MessageDisposition:Disposition?
  @SendMeetingInvitationsOrCancellations:InvitationsOrCancellations? @SuppressReadReceipts:boolean?
  SavedItemFolderId:TargetFolder? ItemChanges:ItemChanges
MoveItem = ToFolderId:TargetFolder ItemIds:ItemIds ReturnNewItemIds:boolean?
CopyItem = ToFolderId:TargetFolder ItemIds:ItemIds ReturnNewItemIds:boolean?
DeleteItem = @DeleteType:DeleteType @SendMeetingCancellations:Invitations? @AffectedTaskOccurrences:Affected?
  @SuppressReadReceipts:boolean? ItemIds:ItemIds
CreateFolder = ParentFolderId:TargetFolder Folders:Folders
UpdateFolder = FolderChanges:FolderChanges
DeleteFolder = @DeleteType:DeleteType FolderIds:FolderIds
ResolveNames = @ReturnFullContactData:boolean @SearchScope:ResolveScope? @ContactDataShape:Base?
  ParentFolderIds:FolderIds? UnresolvedEntry
GetServerTimeZones = @ReturnFullTimeZoneData:boolean? Ids:ZoneIds?
ConvertId = @DestinationFormat:IdFormat SourceIds:AlternateIds
GetAttachment = AttachmentShape:any? AttachmentIds:AttachmentIds
ExpandDL = Mailbox:Mailbox
GetUserPhoto = Email SizeRequested TypeRequested?
GetUserConfiguration = UserConfigurationName:ConfigurationName UserConfigurationProperties
GetUserAvailabilityRequest = TimeZone:SerializableZone? MailboxDataArray:MailboxDatas
  FreeBusyViewOptions:FreeBusyOptions? SuggestionsViewOptions:any?
"""

TYPES = """
Base = enum IdOnly Default AllProperties PcxPeopleSearch
Traversal = enum Shallow Deep SoftDeleted
ItemTraversal = enum Shallow SoftDeleted Associated
SyncScope = enum NormalItems NormalAndAssociatedItems
Disposition = enum SaveOnly SendOnly SendAndSaveCopy
Invitations = enum SendToNone SendOnlyToAll SendToAllAndSaveCopy
InvitationsOrCancellations = enum SendToNone SendOnlyToAll SendOnlyToChanged SendToAllAndSaveCopy
  SendToChangedAndSaveCopy
Resolution = enum NeverOverwrite AutoResolve AlwaysOverwrite
DeleteType = enum HardDelete SoftDelete MoveToDeletedItems
Affected = enum AllOccurrences SpecifiedOccurrenceOnly
ResolveScope = enum ActiveDirectory ActiveDirectoryContacts Contacts ContactsActiveDirectory
BodyType = enum Best HTML Text
BodyKind = enum HTML Text
Direction = enum Ascending Descending
BasePoint = enum Beginning End
SensitivityType = enum Normal Personal Private Confidential
ImportanceType = enum Low Normal High

FolderShape = BaseShape:Base AdditionalProperties:Paths?
ItemShape = BaseShape:Base IncludeMimeContent:boolean? BodyType:BodyType? UniqueBodyType:BodyType?
  NormalizedBodyType:BodyType? FilterHtmlContent:boolean? ConvertHtmlCodePageToUTF8:boolean? InlineImageUrlTemplate?
  BlockExternalImages:boolean? AddBlankTargetToLinks:boolean? MaximumBodySize:int? AdditionalProperties:Paths?
Paths = (FieldURI:FieldURI | IndexedFieldURI:IndexedFieldURI | ExtendedFieldURI:ExtendedFieldURI)+
FieldURI = @FieldURI:fieldURI
IndexedFieldURI = @FieldURI @FieldIndex
ExtendedFieldURI = @DistinguishedPropertySetId? @PropertySetId? @PropertyTag? @PropertyName? @PropertyId:int?
  @PropertyType:PropertyType
PropertyType = enum ApplicationTime ApplicationTimeArray Binary BinaryArray Boolean CLSID CLSIDArray Currency
  CurrencyArray Double DoubleArray Error Float FloatArray Integer IntegerArray Long LongArray Null Object ObjectArray
  Short ShortArray SystemTime SystemTimeArray String StringArray

FolderIds = (FolderId:FolderId | DistinguishedFolderId:DistinguishedFolderId)+
TargetFolder = (FolderId:FolderId | DistinguishedFolderId:DistinguishedFolderId | AddressListId:any)
FolderId = @Id @ChangeKey?
DistinguishedFolderId = @Id:distinguished @ChangeKey? Mailbox:Mailbox?
ItemIds = (ItemId:ItemId | OccurrenceItemId:OccurrenceItemId | RecurringMasterItemId:RecurringMasterItemId)+
ItemIdsOnly = ItemId:ItemId+
ItemId = @Id @ChangeKey?
OccurrenceItemId = @RecurringMasterId @ChangeKey? @InstanceIndex:int
RecurringMasterItemId = @OccurrenceId @ChangeKey?
AttachmentIds = AttachmentId:AttachmentId+
AttachmentId = @Id

AlternateIds = (AlternateId:AlternateId | AlternatePublicFolderId:any | AlternatePublicFolderItemId:any)+
AlternateId = @Format:IdFormat @Id @Mailbox @IsArchive:boolean?
IdFormat = enum EwsLegacyId EwsId EntryId HexEntryId StoreId OwaId

IndexedPage = @MaxEntriesReturned:int? @Offset:int @BasePoint:BasePoint
CalendarView = @MaxEntriesReturned:int? @StartDate:dateTime @EndDate:dateTime
SortOrder = FieldOrder:FieldOrder+
FieldOrder = @Order:Direction (FieldURI:FieldURI | IndexedFieldURI:IndexedFieldURI | ExtendedFieldURI:ExtendedFieldURI)
Restriction = (And:Several | Or:Several | Not:Restriction | IsEqualTo:Comparison | IsNotEqualTo:Comparison
  | IsGreaterThan:Comparison | IsGreaterThanOrEqualTo:Comparison | IsLessThan:Comparison
  | IsLessThanOrEqualTo:Comparison | Exists:Exists | Contains:Contains | Excludes:any)
Several = (And:Several | Or:Several | Not:Restriction | IsEqualTo:Comparison | IsNotEqualTo:Comparison
  | IsGreaterThan:Comparison | IsGreaterThanOrEqualTo:Comparison | IsLessThan:Comparison
  | IsLessThanOrEqualTo:Comparison | Exists:Exists | Contains:Contains | Excludes:any)+
Comparison = (FieldURI:FieldURI | IndexedFieldURI:IndexedFieldURI | ExtendedFieldURI:ExtendedFieldURI)
  FieldURIOrConstant:FieldURIOrConstant
FieldURIOrConstant = (FieldURI:FieldURI | IndexedFieldURI:IndexedFieldURI | ExtendedFieldURI:ExtendedFieldURI
  | Constant:Constant)
Constant = @Value
Exists = (FieldURI:FieldURI | IndexedFieldURI:IndexedFieldURI | ExtendedFieldURI:ExtendedFieldURI)
Contains = @ContainmentMode? @ContainmentComparison?
  (FieldURI:FieldURI | IndexedFieldURI:IndexedFieldURI | ExtendedFieldURI:ExtendedFieldURI) Constant:Constant

ItemChanges = ItemChange:ItemChange+
ItemChange = (ItemId:ItemId | OccurrenceItemId:OccurrenceItemId | RecurringMasterItemId:RecurringMasterItemId)
  Updates:ItemUpdates
ItemUpdates = (SetItemField:SetItemField | DeleteItemField:DeleteField | AppendToItemField:SetItemField)*
DeleteField = (FieldURI:FieldURI | IndexedFieldURI:IndexedFieldURI | ExtendedFieldURI:ExtendedFieldURI)
Folders = (Folder:Folder | CalendarFolder:Folder | ContactsFolder:Folder | SearchFolder:any | TasksFolder:Folder)+
Folder = FolderId:FolderId? ParentFolderId:FolderId? FolderClass? DisplayName? TotalCount:int? ChildFolderCount:int?
  ExtendedProperty:ExtendedProperty* ManagedFolderInformation:any? EffectiveRights:any? PermissionSet:any?
  UnreadCount:int?
FolderChanges = FolderChange:FolderChange+
FolderChange = (FolderId:FolderId | DistinguishedFolderId:DistinguishedFolderId) Updates:FolderUpdates
FolderUpdates = (SetFolderField:SetFolderField | DeleteFolderField:DeleteField | AppendToFolderField:any)*
SetFolderField = (FieldURI:FieldURI | IndexedFieldURI:IndexedFieldURI | ExtendedFieldURI:ExtendedFieldURI)
  (Folder:Folder | CalendarFolder:Folder | ContactsFolder:Folder | TasksFolder:Folder | SearchFolder:any)
ZoneIds = Id*
ConfigurationName = @Name (FolderId:FolderId | DistinguishedFolderId:DistinguishedFolderId | AddressListId:any)
SerializableZone = Bias:int StandardTime:ZoneTime DaylightTime:ZoneTime
ZoneTime = Bias:int Time DayOrder:int Month:int DayOfWeek Year?
MailboxDatas = MailboxData:MailboxData*
MailboxData = Email:AvailabilityAddress AttendeeType:AttendeeType ExcludeConflicts:boolean?
AvailabilityAddress = Name? Address RoutingType?
AttendeeType = enum Organizer Required Optional Room Resource
FreeBusyOptions = TimeWindow:TimeWindow MergedFreeBusyIntervalInMinutes:int? RequestedView?
TimeWindow = StartTime:dateTime EndTime:dateTime

MimeContentType = text:base64 @CharacterSet?
BodyText = text:string @BodyType:BodyKind @IsTruncated:boolean?
Mailbox = Name? EmailAddress? RoutingType? MailboxType? ItemId:ItemId? OriginalDisplayName?
OneMailbox = Mailbox:Mailbox
Mailboxes = Mailbox:Mailbox*
Attendees = Attendee:Attendee*
Attendee = Mailbox:Mailbox ResponseType? LastResponseTime:dateTime? ProposedStart:dateTime? ProposedEnd:dateTime?
Strings = String*
Entries = Entry:Entry*
Entry = text:string @Key @Name? @RoutingType? @MailboxType?
Places = Entry:Place*
Place = @Key Street? City? State? CountryOrRegion? PostalCode?
Members = Member:Member*
Member = @Key? Mailbox:Mailbox? Status?
ExtendedProperty = ExtendedFieldURI:ExtendedFieldURI (Value | Values:Values)
Values = Value*
Recurrence = (RelativeYearlyRecurrence:RelativeYearly | AbsoluteYearlyRecurrence:AbsoluteYearly
  | RelativeMonthlyRecurrence:RelativeMonthly | AbsoluteMonthlyRecurrence:AbsoluteMonthly | WeeklyRecurrence:Weekly
  | DailyRecurrence:Every | DailyRegeneration:Every | WeeklyRegeneration:Every | MonthlyRegeneration:Every
  | YearlyRegeneration:Every)
  (NoEndRecurrence:NoEnd | EndDateRecurrence:EndDate | NumberedRecurrence:Numbered)
RelativeYearly = DaysOfWeek DayOfWeekIndex Month
AbsoluteYearly = DayOfMonth:int Month
RelativeMonthly = Interval:int DaysOfWeek DayOfWeekIndex
AbsoluteMonthly = Interval:int DayOfMonth:int
Weekly = Interval:int DaysOfWeek FirstDayOfWeek?
Every = Interval:int
NoEnd = StartDate
EndDate = StartDate EndDate
Numbered = StartDate NumberOfOccurrences:int
"""

_PROPERTY_TYPES = {
    "MimeContent": "MimeContentType",
    "ItemId": "ItemId",
    "ParentFolderId": "FolderId",
    "Sensitivity": "SensitivityType",
    "Importance": "ImportanceType",
    "Body": "BodyText",
    "Categories": "Strings",
    "Sender": "OneMailbox",
    "From": "OneMailbox",
    "ReceivedBy": "OneMailbox",
    "Organizer": "OneMailbox",
    "ToRecipients": "Mailboxes",
    "CcRecipients": "Mailboxes",
    "BccRecipients": "Mailboxes",
    "ReplyTo": "Mailboxes",
    "RequiredAttendees": "Attendees",
    "OptionalAttendees": "Attendees",
    "Resources": "Attendees",
    "EmailAddresses": "Entries",
    "PhoneNumbers": "Entries",
    "ImAddresses": "Entries",
    "PhysicalAddresses": "Places",
    "Companies": "Strings",
    "Children": "Strings",
    "Contacts": "Strings",
    "Members": "Members",
    "Recurrence": "Recurrence",
    "ExtendedProperty": "ExtendedProperty",
    "Start": "dateTime",
    "End": "dateTime",
    "DueDate": "dateTime",
    "StartDate": "dateTime",
    "CompleteDate": "dateTime",
    "Birthday": "dateTime",
    "WeddingAnniversary": "dateTime",
    "ReminderDueBy": "dateTime",
    "IsRead": "boolean",
    "ReminderIsSet": "boolean",
    "IsAllDayEvent": "boolean",
    "IsReadReceiptRequested": "boolean",
    "IsDeliveryReceiptRequested": "boolean",
    "IsResponseRequested": "boolean",
    "PercentComplete": "number",
}

_OPAQUE = {
    "Attachments", "InternetMessageHeaders", "ResponseObjects", "EffectiveRights", "ConversationId", "UniqueBody",
    "Flag", "NormalizedBody", "EntityExtractionResult", "PolicyTag", "ArchiveTag", "RightsManagementLicenseData",
    "CompleteName", "ManagerMailbox", "DirectReports", "UserSMIMECertificate", "MSExchangeCertificate", "TextBody",
    "ReceivedRepresenting", "ApprovalRequestData", "VotingInformation", "ReminderMessageData", "InboxReminders",
    "AssociatedCalendarItemId", "ConflictingMeetings", "AdjacentMeetings", "FirstOccurrence", "LastOccurrence",
    "ModifiedOccurrences", "DeletedOccurrences", "MeetingTimeZone", "StartTimeZone", "EndTimeZone",
    "EnhancedLocation", "OnlineMeetingSettings", "CalendarActivityData", "PredictedActionReasons",
}  # fmt: skip


def _property(name: str) -> str:
    kind = "any" if name in _OPAQUE else _PROPERTY_TYPES.get(name, "string")
    return f"{name}:{kind}{'*' if name == 'ExtendedProperty' else '?'}"


def item_types() -> str:
    """The notation of every kind of item, and of the types that contain one."""
    lines = [f"{element}Item = {' '.join(map(_property, names))}" for element, names in ORDER.items()]
    kinds = " | ".join(f"{element}:{element}Item" for element in ORDER)
    path = "(FieldURI:FieldURI | IndexedFieldURI:IndexedFieldURI | ExtendedFieldURI:ExtendedFieldURI)"
    lines += [f"Items = ({kinds})+", f"SetItemField = {path} ({kinds})"]
    return "\n".join(lines)
