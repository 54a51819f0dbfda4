"""An item in EWS: its stored properties, and those that Exchange computes."""

import base64
from collections.abc import Callable

from sandbox.ews.shapes import Path, Shape
from sandbox.ews.views import content_view
from sandbox.ews.views.content_view import DICTIONARIES, Shown
from sandbox.ews.views.event_view import EVENT_PROPERTIES
from sandbox.ews.views.folder_view import RIGHTS, folder_id
from sandbox.mailboxes.calendar.events import Occurrence
from sandbox.mailboxes.fragments import extended_text, flag, tag, text_of, when
from sandbox.mailboxes.ids import entry_of, occurrence_id
from sandbox.mailboxes.items.content import conversation_id, size
from sandbox.mailboxes.items.extended_properties import item_value
from sandbox.mailboxes.store import Item


def item_id(item: Item, occurrence: Occurrence | None = None, element: str = "ItemId") -> str:
    """The id of an item or of one of its occurrences, as an element."""
    shown = occurrence_id(item.id, occurrence.original) if occurrence else item.id
    return f'<t:{element} Id="{shown}" ChangeKey="{item.change_key}"/>'


def show(item: Item, shape: Shape, occurrence: Occurrence | None = None) -> str:
    """One item in a shape."""
    shown = Shown(item, shape, occurrence)
    inside = "".join([_property(shown, name) for name in shape.plan(item.element)])
    return f"<t:{item.element}>{inside}</t:{item.element}>"


def _property(shown: Shown, name: str) -> str:
    """One property: computed, or stored, or the default."""
    if name in DICTIONARIES:
        return content_view.dictionary(shown, name)
    if (compute := _COMPUTED.get(name)) is not None:
        return compute(shown)
    if shown.item.element == "CalendarItem" and (event := EVENT_PROPERTIES.get(name)) is not None:
        computed = event(shown.item, shown.occurrence)
        return shown.fragment(name) if computed is None else computed
    return shown.fragment(name) or _default(shown.item.element, name)


_ANY = Shape("AllProperties")


def property_text(item: Item, path: Path) -> str:
    """A property's value as text, for restrictions and sorting; empty when there is none."""
    if path.extended:
        return extended_text(extended(item, path.extended))
    return text_of(_property(Shown(item, _ANY), path.name)) if path.name else ""


def _default(element: str, name: str) -> str:
    """The default that Exchange shows for a property that is not stored."""
    value = _DEFAULTS.get(name) or (_TASK_DEFAULTS.get(name) if element == "Task" else None)
    return f"<t:{name}>{value}</t:{name}>" if value else ""


_DEFAULTS = {
    "Sensitivity": "Normal",
    "Importance": "Normal",
    "IsSubmitted": "false",
    "IsFromMe": "false",
    "IsResend": "false",
    "IsUnmodified": "true",
    "ReminderIsSet": "false",
    "ReminderMinutesBeforeStart": "0",
    "HasAttachments": "false",
    "Culture": "en-US",
    "IsAssociated": "false",
    "IsClutter": "false",
    "BlockStatus": "false",
    "HasBlockedImages": "false",
    "Flag": "<t:FlagStatus>NotFlagged</t:FlagStatus>",
    "IsReadReceiptRequested": "false",
    "IsDeliveryReceiptRequested": "false",
    "IsResponseRequested": "false",
    "HasPicture": "false",
    "IsDelegated": "false",
    "IsOutOfDate": "false",
    "HasBeenProcessed": "false",
    "ResponseType": "NoResponseReceived",
}

_TASK_DEFAULTS = {
    "PercentComplete": "0",
    "Status": "NotStarted",
    "StatusDescription": "Not Started",
    "DelegationState": "NoMatch",
    "IsAssignmentEditable": "0",
    "IsComplete": "false",
    "IsTeamTask": "false",
    "ChangeCount": "1",
}


def extended(item: Item, key: str) -> str:
    """One extended property, or an empty string when the item does not have it."""
    value = item_value(item, key)
    if not value:
        return ""
    value = value if value.startswith("<t:Value") else tag("Value", value)
    return f"<t:ExtendedProperty><t:ExtendedFieldURI {key}/>{value}</t:ExtendedProperty>"


def _extended_properties(shown: Shown) -> str:
    return "".join(extended(shown.item, key) for key in shown.shape.extended)


def _arrival(name: str) -> Callable[[Shown], str]:
    """Received and sent times: from the headers if there are any, else the time of creation."""
    return lambda shown: shown.fragment(name) or tag(name, when(shown.item.created))


def _conversation(shown: Shown) -> str:
    return f'<t:ConversationId Id="{conversation_id(shown.item)}"/>'


def _is_draft(shown: Shown) -> str:
    return tag("IsDraft", flag(shown.item.folder.distinguished == "drafts"))


def _complete_name(shown: Shown) -> str:
    item = shown.item
    parts = (("FirstName", "GivenName"), ("MiddleName", "MiddleName"), ("LastName", "Surname"))
    inside = "".join(tag(name, item.text(source)) for name, source in parts if item.text(source))
    full = item.text("DisplayName")
    return f"<t:CompleteName>{inside}{tag('FullName', full) if full else ''}</t:CompleteName>"


def _web_link(name: str) -> Callable[[Shown], str]:
    return lambda shown: tag(
        name, f"https://outlook.office365.com/owa/?ItemID={shown.item.id}&viewmodel=ReadMessageItem"
    )


def _instance_key(shown: Shown) -> str:
    return tag("InstanceKey", base64.b64encode(b"\x01\x00" + shown.item.number.to_bytes(8)).decode())


_COMPUTED: dict[str, Callable[[Shown], str]] = {
    "MimeContent": content_view.mime_property,
    "ItemId": lambda shown: item_id(shown.item, shown.occurrence),
    "ParentFolderId": lambda shown: folder_id(shown.item.folder, "ParentFolderId"),
    "ItemClass": lambda shown: tag("ItemClass", shown.item.item_class),
    "Body": content_view.body,
    "TextBody": content_view.text_body,
    "UniqueBody": lambda shown: (
        content_view.body(shown).replace("t:Body ", "t:UniqueBody ").replace("/t:Body>", "/t:UniqueBody>")
    ),
    "NormalizedBody": lambda shown: (
        content_view.body(shown).replace("t:Body ", "t:NormalizedBody ").replace("/t:Body>", "/t:NormalizedBody>")
    ),
    "Attachments": content_view.attachments,
    "Size": lambda shown: f"<t:Size>{size(shown.item)}</t:Size>",
    "DateTimeReceived": _arrival("DateTimeReceived"),
    "DateTimeSent": _arrival("DateTimeSent"),
    "DateTimeCreated": lambda shown: tag("DateTimeCreated", when(shown.item.created)),
    "LastModifiedTime": lambda shown: tag("LastModifiedTime", when(shown.item.modified)),
    "LastModifiedName": lambda shown: tag("LastModifiedName", shown.item.folder.mailbox.address.partition("@")[0]),
    "IsRead": lambda shown: f"<t:IsRead>{flag(shown.item.is_read)}</t:IsRead>",
    "IsDraft": _is_draft,
    "ExtendedProperty": _extended_properties,
    "EffectiveRights": lambda shown: RIGHTS,
    "ConversationId": _conversation,
    "CompleteName": _complete_name,
    "WebClientReadFormQueryString": _web_link("WebClientReadFormQueryString"),
    "WebClientEditFormQueryString": _web_link("WebClientEditFormQueryString"),
    "InstanceKey": _instance_key,
    "StoreEntryId": lambda shown: tag("StoreEntryId", base64.b64encode(entry_of(shown.item.id)[1]).decode()),
    "SearchKey": lambda shown: tag("SearchKey", base64.b64encode(shown.item.search_key).decode()),
    "Preview": content_view.preview,
}
