"""What is asked of an item, by what we expect it to be: three shapes, since asking costs the server by property.

Recipients are dear, yet exclusions need them; InternetMessageHeaders, UniqueBody and TextBody are never asked.
"""

from enum import Enum

from shared.sources.ews.envelope import extended, fields
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
        " ModifiedOccurrences DeletedOccurrences UID RecurrenceId StartTimeZone EndTimeZone",
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

_BESIDES_ALL = ("distributionlist:Members",)
"""Not among AllProperties of every Exchange."""

OCCURRENCE = fields(_OCCURRENCE)


class Shape(Enum):
    """The shapes of GetItem. FULL is for the rare kinds, of which everything is kept.

    WHOLE names no property but the search key: for items of which the server refuses to give a property by name.
    """

    MESSAGE = "message"
    EVENT = "event"
    FULL = "full"
    WHOLE = "whole"

    def fits(self, kind: ItemKind) -> bool:
        """Whether an item of this kind was asked for all that it has."""
        return of_kind(kind) is self

    def request(self, level: ContentLevel) -> str:
        """The ItemShape element."""
        return _REQUESTS[self, level]


def of_kind(kind: ItemKind) -> Shape:
    """The shape that an item of this kind is asked in."""
    return _OF_KINDS.get(kind, Shape.FULL)


_OF_KINDS = {ItemKind.MESSAGE: Shape.MESSAGE, ItemKind.EVENT: Shape.EVENT}


def of_folder(folder: Folder) -> Shape:
    """The shape to begin with in this folder: what it mostly holds."""
    if folder.kind is FolderKind.CALENDAR:
        return Shape.EVENT
    is_full = folder.kind in (FolderKind.CONTACTS, FolderKind.TASKS) or folder.role in _FULL_ROLES
    return Shape.FULL if is_full else Shape.MESSAGE


_FULL_ROLES = (FolderRole.NOTES, FolderRole.JOURNAL)

SIZES = (
    "<m:ItemShape><t:BaseShape>IdOnly</t:BaseShape><t:AdditionalProperties>"
    '<t:FieldURI FieldURI="item:Size"/></t:AdditionalProperties></m:ItemShape>'
)
"""Only how large items are: asked when a batch turned out too large to take at once."""


def _shape(shape: Shape, level: ContentLevel) -> str:
    mime = level is ContentLevel.MIME and shape is not Shape.FULL
    body = shape is Shape.FULL or level is ContentLevel.BODY or (mime and shape is Shape.EVENT)
    base = "AllProperties" if shape in (Shape.FULL, Shape.WHOLE) else "IdOnly"
    uris = {Shape.MESSAGE: _MESSAGE, Shape.EVENT: _EVENT, Shape.FULL: _BESIDES_ALL, Shape.WHOLE: ()}[shape]
    if body and level is not ContentLevel.METADATA:
        uris = (*uris, "item:Body")
    return (
        f"<m:ItemShape><t:BaseShape>{base}</t:BaseShape>"
        + ("<t:IncludeMimeContent>true</t:IncludeMimeContent>" if mime else "")
        + (f"<t:BodyType>{'Best' if shape is Shape.MESSAGE else 'Text'}</t:BodyType>" if body else "")
        + f"<t:AdditionalProperties>{fields(uris)}{SEARCH_KEY}</t:AdditionalProperties></m:ItemShape>"
    )


_REQUESTS = {(shape, level): _shape(shape, level) for shape in Shape for level in ContentLevel}
