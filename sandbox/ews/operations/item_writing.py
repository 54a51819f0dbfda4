"""Operations that change items: create, update, move, copy, delete; of a series also one occurrence."""

from collections.abc import Callable

from lxml import etree

from sandbox.ews.call import Call, batch
from sandbox.ews.drafting import complete, draft, put, refresh_mime
from sandbox.ews.properties import READ_ONLY
from sandbox.ews.refusals import Refused
from sandbox.ews.shapes import Path, read_path
from sandbox.ews.views.item_view import item_id
from sandbox.ews.wire import M
from sandbox.mailboxes import deletion
from sandbox.mailboxes.calendar.events import Occurrence
from sandbox.mailboxes.fragments import children, fragment_of, local, parse_fragment, read_when
from sandbox.mailboxes.item_parts import ChangedOccurrence
from sandbox.mailboxes.store import Folder, Item

_MAIL = {"Message", "MeetingRequest", "MeetingResponse", "MeetingCancellation", "MeetingMessage"}

_HOMES = {
    "CalendarItem": "calendar",
    "Contact": "contacts",
    "DistributionList": "contacts",
    "Task": "tasks",
    "PostItem": "inbox",
}


def _shown(item: Item, occurrence: Occurrence | None = None) -> str:
    return f"<m:Items><t:{item.element}>{item_id(item, occurrence)}</t:{item.element}></m:Items>"


def _sender(call: Call) -> tuple[str, str]:
    return call.caller.person.display_name, call.caller.person.address


def create_item(call: Call) -> str:
    """Create items in a folder; a message that is sent goes to the mailboxes of its recipients on this server."""

    def one(element: etree._Element) -> str:
        kind, disposition = local(element), call.request.get("MessageDisposition")
        if kind in _MAIL and disposition is None:
            raise Refused("ErrorMessageDispositionRequired")
        if kind == "CalendarItem" and call.request.get("SendMeetingInvitations") is None:
            raise Refused("ErrorSendMeetingInvitationsRequired")
        folder = _destination(call, kind, disposition or "SaveOnly")
        item = draft(element, folder.mailbox, _sender(call))
        folder.mailbox.insert(folder, item)
        if kind in _MAIL and disposition != "SaveOnly":
            call.store.deliver(item)
        return _shown(item) if disposition != "SendOnly" or kind not in _MAIL else "<m:Items/>"

    return batch("CreateItem", call.each("Items"), one, "<m:Items/>")


def _destination(call: Call, kind: str, disposition: str) -> Folder:
    if call.request.find(f"{M}SavedItemFolderId") is not None:
        return call.target("SavedItemFolderId")
    home = _HOMES.get(kind) or ("drafts" if disposition == "SaveOnly" else "sentitems")
    return call.mailbox.distinguished[home]


def update_item(call: Call) -> str:
    """Set and delete fields of items; a change to one occurrence makes it an exception of the series."""

    def one(change: etree._Element) -> str:
        named, updates = children(change)
        item, occurrence = call.item(named)
        _check_update(call, item, str(named.get("ChangeKey") or ""))
        if occurrence is not None:
            _update_occurrence(item, occurrence, children(updates))
        else:
            _update(call, item, children(updates))
        return f"{_shown(item, occurrence)}<m:ConflictResults><t:Count>0</t:Count></m:ConflictResults>"

    return batch("UpdateItem", call.each("ItemChanges"), one, "<m:Items/>")


def _check_update(call: Call, item: Item, change_key: str) -> None:
    """Check that the request has what this kind of item requires, and the current change key."""
    if item.element in _MAIL and call.request.get("MessageDisposition") is None:
        raise Refused("ErrorMessageDispositionRequired")
    if item.element == "CalendarItem" and call.request.get("SendMeetingInvitationsOrCancellations") is None:
        raise Refused("ErrorSendMeetingInvitationsOrCancellationsRequired")
    resolution = call.request.get("ConflictResolution")
    if not change_key and resolution != "AlwaysOverwrite":
        raise Refused("ErrorChangeKeyRequired")
    if resolution == "NeverOverwrite" and change_key != item.change_key:
        raise Refused("ErrorIrresolvableConflict")


def _update(call: Call, item: Item, updates: list[etree._Element]) -> None:
    """Apply all updates or none, and commit once; an update of only the read flag is a read-flag change."""
    trial, was_read = item.twin(), item.is_read
    changed = {name for update in updates if (name := _apply(trial, update))}
    complete(trial)
    refresh_mime(trial, changed, item.folder.mailbox, _sender(call))
    if changed == {"IsRead"}:
        item.folder.mailbox.set_read(item, trial.is_read)
        return
    item.properties, item.extended = trial.properties, trial.extended
    if changed - {"IsRead", "Categories", "Flag"}:
        item.size = 0
    item.with_mime(trial.mime)
    item.folder.mailbox.touch(item)
    if trial.is_read != was_read:
        item.folder.mailbox.set_read(item, trial.is_read)


def _apply(item: Item, update: etree._Element) -> str:
    """Apply one update; returns the property's name."""
    path, kind = read_path(children(update)[0]), local(update)
    if kind == "DeleteItemField":
        return _delete_field(item, path)
    value = children(children(update)[1])
    if len(value) != 1:
        raise Refused("ErrorIncorrectUpdatePropertyCount", "An update must set exactly one property.")
    if path.index:
        return _set_entry(item, path, value[0])
    if not path.extended and local(value[0]) != path.name:
        raise Refused("ErrorUpdatePropertyMismatch", "The property differs from the one that the path names.")
    put(item, value[0])
    return path.name or "ExtendedProperty"


def _delete_field(item: Item, path: Path) -> str:
    if path.name in READ_ONLY:
        raise Refused("ErrorInvalidPropertyDelete")
    if path.extended:
        item.extended.pop(path.extended, None)
    elif path.index:
        kept = item.properties.get(path.name, "")
        item.properties[path.name] = _without_entry(kept, path)
    else:
        item.properties.pop(path.name, None)
    return path.name or "ExtendedProperty"


def _set_entry(item: Item, path: Path, value: etree._Element) -> str:
    """Set one entry of a contact's dictionary; the others stay unchanged."""
    added = "".join(fragment_of(entry) for entry in children(value))
    kept = _without_entry(item.properties.get(path.name, ""), path)
    inside = kept.partition(">")[2].rpartition("</")[0] if kept else ""
    if path.part:
        inside, added = _merged(item, path, value)
    item.properties[path.name] = f"<t:{path.name}>{inside}{added}</t:{path.name}>"
    return path.name


def _entries(fragment: str) -> list[etree._Element]:
    return children(parse_fragment(fragment)) if fragment else []


def _without_entry(fragment: str, path: Path) -> str:
    """A dictionary without one of its entries, or an address without one of its parts."""
    pieces = []
    for entry in _entries(fragment):
        if entry.get("Key") != path.index:
            pieces.append(fragment_of(entry))
        elif path.part:
            rest = "".join(fragment_of(part) for part in children(entry) if local(part) != path.part)
            pieces.append(f'<t:Entry Key="{path.index}">{rest}</t:Entry>')
    return f"<t:{path.name}>{''.join(pieces)}</t:{path.name}>" if pieces else ""


def _merged(item: Item, path: Path, value: etree._Element) -> tuple[str, str]:
    """The other addresses unchanged, and one address with its part set, parts in the schema's order."""
    parts = {local(part): part for entry in _entries(item.properties.get(path.name, "")) for part in children(entry)
             if entry.get("Key") == path.index}  # fmt: skip
    parts |= {local(part): part for entry in children(value) for part in children(entry)}
    order = ("Street", "City", "State", "CountryOrRegion", "PostalCode")
    inside = "".join(fragment_of(parts[name]) for name in order if name in parts)
    others = [fragment_of(entry) for entry in _entries(item.properties.get(path.name, ""))
              if entry.get("Key") != path.index]  # fmt: skip
    return "".join(others), f'<t:Entry Key="{path.index}">{inside}</t:Entry>'


def _update_occurrence(item: Item, occurrence: Occurrence, updates: list[etree._Element]) -> None:
    """Make one occurrence an exception of its series."""
    changed = occurrence.changed or ChangedOccurrence(occurrence.start, occurrence.end)
    start, end, properties = changed.start, changed.end, dict(changed.properties)
    for update in updates:
        if local(update) != "SetItemField":
            raise Refused("ErrorInvalidPropertyDelete")
        value = children(children(update)[1])[0]
        name = local(value)
        if name in READ_ONLY | {"Recurrence", "MimeContent"}:
            raise Refused("ErrorInvalidPropertySet")
        if name == "Start":
            start = read_when(value.text or "")
        elif name == "End":
            end = read_when(value.text or "")
        else:
            properties[name] = fragment_of(value)
    item.exceptions[occurrence.original] = ChangedOccurrence(start, end, properties)
    item.folder.mailbox.touch(item)


def move_item(call: Call) -> str:
    """Move items to another folder, where they get new ids."""
    return _carry(call, "MoveItem", deletion.move_item)


def copy_item(call: Call) -> str:
    """Copy items to another folder."""
    return _carry(call, "CopyItem", deletion.copy_item)


def _carry(call: Call, operation: str, carry: Callable[[Item, Folder], Item]) -> str:
    silent = call.request.findtext(f"{M}ReturnNewItemIds") in ("false", "0")

    def one(element: etree._Element) -> str:
        target, (item, occurrence) = call.target("ToFolderId"), call.item(element)
        if occurrence is not None:
            raise Refused("ErrorCalendarCannotMoveOrCopyOccurrence")
        # Exchange returns no id for an item that goes to another mailbox or to an archive.
        abroad = target.mailbox is not item.folder.mailbox
        carried = carry(item, target)
        return "<m:Items/>" if silent or abroad else _shown(carried)

    return batch(operation, call.each("ItemIds"), one, "<m:Items/>")


def delete_item(call: Call) -> str:
    """Delete items; of a series, one occurrence or all of it."""
    how = str(call.request.get("DeleteType"))

    def one(element: etree._Element) -> str:
        item, occurrence = call.item(element)
        if item.element == "CalendarItem" and call.request.get("SendMeetingCancellations") is None:
            raise Refused("ErrorSendMeetingCancellationsRequired")
        if item.element == "Task" and call.request.get("AffectedTaskOccurrences") is None:
            raise Refused("ErrorAffectedTaskOccurrencesRequired")
        if occurrence is not None:
            deletion.delete_occurrence(item, occurrence)
        else:
            deletion.delete_item(item, how)
        return ""

    return batch("DeleteItem", call.each("ItemIds"), one)
