"""What is asked of an item, by what we expect it to be: a shape a kind, since asking costs the server by property.

Recipients are dear, yet exclusions need them; InternetMessageHeaders, UniqueBody and TextBody are never asked.
Only mail is asked as MIME, which brings its attachments. Of the other kinds attachments are listed, and asked for by
themselves.
"""

from enum import Enum

from shared.sources.ews.transport.soap_request import extended, fields
from shared.sources.port import ContentLevel, Folder, FolderKind, FolderRole, ItemKind

SEARCH_KEY = extended(0x300B, "Binary")
"""PR_SEARCH_KEY: stays with an item when it moves; its copies share it."""


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
"""What FindItem gives of an event: it cannot give lists."""

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
"""What is read of the rare kinds: not all of it is among AllProperties of every server."""

TRANSPORT_HEADERS = extended(0x007D, "String")
"""PidTagTransportMessageHeaders: the headers of a received message as they were."""

OCCURRENCE = fields(_OCCURRENCE)


class Shape(Enum):
    """The shapes of GetItem. Of contacts, lists, tasks and OTHER kinds all properties are kept.

    WHOLE names no property but the search key: for items of which the server refuses to give a property by name.
    """

    MESSAGE = "message"
    EVENT = "event"
    CONTACT = "contact"
    LIST = "list"
    TASK = "task"
    OTHER = "other"
    WHOLE = "whole"

    def fits(self, kind: ItemKind) -> bool:
        """Whether an item of this kind was asked for all that it has."""
        return shape_of_kind(kind) is self

    @property
    def gives_mime(self) -> bool:
        """Whether MIME is asked for in this shape: of all kinds but mail our own files are better."""
        return self in (Shape.MESSAGE, Shape.WHOLE)

    def request(self, level: ContentLevel, *, rebuilds: bool = False) -> str:
        """The ItemShape element; `rebuilds`: mail with all that its file can be put together from."""
        return _REBUILT if rebuilds and self is Shape.MESSAGE else _REQUESTS[self, level]


def shape_of_kind(kind: ItemKind) -> Shape:
    """The shape that an item of this kind is asked in."""
    return Shape(kind.value)


def shape_of_folder(folder: Folder) -> Shape:
    """The shape to begin with in this folder: what it mostly holds."""
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
"""Only how large items are: asked when a batch turned out too large to take at once."""


_WITH_FILES = (Shape.EVENT, Shape.CONTACT, Shape.LIST, Shape.TASK)
"""What has a file of ours, which holds its attachments."""


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
"""Of mail that has no MIME: what is dear otherwise is asked here, for it is seldom."""
_REQUESTS = {(shape, level): _shape(shape, level) for shape in Shape for level in ContentLevel}
