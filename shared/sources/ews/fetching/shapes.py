"""The item shapes of GetItem: one for each expected kind, since every requested property costs the server time.

Recipients are expensive, but exclusions need them. InternetMessageHeaders, UniqueBody and TextBody are never requested.
Only mail is requested as MIME, which includes its attachments. For the other kinds attachments are listed, and then
requested separately.
"""

from enum import Enum

from shared.sources.ews.transport.soap_request import extended, fields
from shared.sources.model import ContentLevel, Folder, FolderKind, FolderRole, ItemKind

SEARCH_KEY = extended(0x300B, "Binary")
"""PR_SEARCH_KEY: an item keeps it when it moves, and copies share it."""


def _uris(group: str, names: str) -> tuple[str, ...]:
    return tuple(f"{group}:{name}" for name in names.split())


_ANY = _uris(
    "item",
    "ItemClass Subject Sensitivity DateTimeReceived Size Categories Importance HasAttachments IsDraft DateTimeSent"
    " DateTimeCreated LastModifiedTime",
)
_MESSAGE = (
    *_ANY,
    *_uris("item", "ConversationId Flag"),
    *_uris("message", "Sender ToRecipients CcRecipients BccRecipients InternetMessageId From IsRead"),
)
_EVENT = (
    *_ANY,
    *_uris("item", "ReminderIsSet ReminderMinutesBeforeStart"),
    *_uris(
        "calendar",
        "Start End IsAllDayEvent LegacyFreeBusyStatus Location IsMeeting IsCancelled IsRecurring CalendarItemType"
        " MyResponseType Organizer RequiredAttendees OptionalAttendees Resources AppointmentSequenceNumber Recurrence"
        " ModifiedOccurrences DeletedOccurrences UID RecurrenceId StartTimeZone EndTimeZone JoinOnlineMeetingUrl",
    ),
)
_OCCURRENCE = (
    *_uris("item", "ItemClass Subject Sensitivity Size Categories Importance LastModifiedTime"),
    *_uris(
        "calendar",
        "Start End IsAllDayEvent LegacyFreeBusyStatus Location IsMeeting IsCancelled IsRecurring CalendarItemType"
        " MyResponseType Organizer UID",
    ),
)
"""The properties of an event that FindItem can return; it cannot return lists."""

_CONTACT = (
    *_ANY,
    *_uris(
        "contacts",
        "DisplayName FileAs CompleteName GivenName MiddleName Surname Nickname Generation Initials CompanyName"
        " Department JobTitle Profession Manager AssistantName SpouseName Children Birthday WeddingAnniversary"
        " BusinessHomePage OfficeLocation EmailAddresses PhoneNumbers ImAddresses PhysicalAddresses PostalAddressIndex",
    ),
)
_TASK = (
    *_ANY,
    *_uris("item", "ReminderIsSet ReminderDueBy"),
    *_uris("task", "StartDate DueDate CompleteDate Status PercentComplete Owner Recurrence"),
)
_LIST = (*_ANY, "contacts:DisplayName", "distributionlist:Members")
"""The properties of lists; not every server includes all of them in AllProperties."""

TRANSPORT_HEADERS = extended(0x007D, "String")
"""PidTagTransportMessageHeaders: the original headers of a received message."""

OCCURRENCE = fields(_OCCURRENCE)


class Shape(Enum):
    """The shapes of GetItem. For contacts, lists, tasks and OTHER kinds all properties are requested.

    WHOLE names no property except the search key, for items for which the server refuses a named property.
    """

    MESSAGE = "message"
    EVENT = "event"
    CONTACT = "contact"
    LIST = "list"
    TASK = "task"
    OTHER = "other"
    WHOLE = "whole"

    def fits(self, kind: ItemKind) -> bool:
        """Whether this is the shape for items of this kind."""
        return shape_of_kind(kind) is self

    @property
    def gives_mime(self) -> bool:
        """Whether this shape requests MIME: only mail, since our own files are better for all other kinds."""
        return self in (Shape.MESSAGE, Shape.WHOLE)

    def request(self, level: ContentLevel, *, rebuilds: bool = False) -> str:
        """The ItemShape element. `rebuilds` requests mail with all parts that its file can be rebuilt from."""
        return _REBUILT if rebuilds and self is Shape.MESSAGE else _REQUESTS[self, level]


def shape_of_kind(kind: ItemKind) -> Shape:
    """The shape in which items of this kind are requested."""
    return Shape(kind.value)


def shape_of_folder(folder: Folder) -> Shape:
    """The first shape to use in this folder, by the kind of most of its items."""
    if folder.role in (FolderRole.NOTES, FolderRole.JOURNAL):
        return Shape.OTHER
    return _OF_FOLDERS.get(folder.kind, Shape.MESSAGE)


_OF_FOLDERS = {
    FolderKind.CALENDAR: Shape.EVENT,
    FolderKind.CONTACTS: Shape.CONTACT,
    FolderKind.TASKS: Shape.TASK,
}

SIZES = (
    "<m:ItemShape><t:BaseShape>IdOnly</t:BaseShape><t:AdditionalProperties>"
    '<t:FieldURI FieldURI="item:Size"/></t:AdditionalProperties></m:ItemShape>'
)
"""The shape that requests sizes only, for when a batch was too large for one response."""


_WITH_FILES = (Shape.EVENT, Shape.CONTACT, Shape.LIST, Shape.TASK)
"""The shapes of kinds for which we write a file that contains the attachments."""


def _shape(shape: Shape, level: ContentLevel) -> str:
    mime = level is ContentLevel.MIME and shape.gives_mime
    body = level is not ContentLevel.METADATA and not (mime and shape is Shape.MESSAGE)
    base = "IdOnly" if shape in (Shape.MESSAGE, Shape.EVENT) else "AllProperties"
    uris = _NAMED[shape]
    if body and shape is not Shape.WHOLE:
        uris = (*uris, "item:Body", *(("item:Attachments",) if shape in _WITH_FILES else ()))
    return (
        f"<m:ItemShape><t:BaseShape>{base}</t:BaseShape>"
        + ("<t:IncludeMimeContent>true</t:IncludeMimeContent>" if mime else "")
        + ("<t:BodyType>Best</t:BodyType>" if body else "")
        + f"<t:AdditionalProperties>{fields(uris)}{SEARCH_KEY}</t:AdditionalProperties></m:ItemShape>"
    )


_NAMED: dict[Shape, tuple[str, ...]] = {
    Shape.MESSAGE: _MESSAGE,
    Shape.EVENT: _EVENT,
    Shape.CONTACT: _CONTACT,
    Shape.LIST: _LIST,
    Shape.TASK: _TASK,
    Shape.OTHER: _ANY,
    Shape.WHOLE: (),
}
_REBUILT = (
    "<m:ItemShape><t:BaseShape>IdOnly</t:BaseShape><t:BodyType>Best</t:BodyType><t:AdditionalProperties>"
    f"{fields((*_MESSAGE, 'item:Body', 'item:Attachments'))}{TRANSPORT_HEADERS}{SEARCH_KEY}"
    "</t:AdditionalProperties></m:ItemShape>"
)
"""The shape for mail without MIME. It requests expensive properties, which is acceptable since such mail is rare."""
_REQUESTS = {(shape, level): _shape(shape, level) for shape in Shape for level in ContentLevel}
