"""GetItem and FindItem: items by id, and the items of folders by view, restriction and sort order."""

from lxml import etree

from sandbox.ews.call import Call, batch
from sandbox.ews.refusals import Refused
from sandbox.ews.restriction import compile_restriction, sort
from sandbox.ews.shapes import Shape, item_shape
from sandbox.ews.views import content_view, item_view
from sandbox.ews.wire import M
from sandbox.mailboxes.calendar.events import Occurrence, between
from sandbox.mailboxes.fragments import flag, read_when
from sandbox.mailboxes.items.content import attachment_id, attachments, owns_attachment
from sandbox.mailboxes.store import Folder, Item

_DEEPEST_VIEW = 1000
"""The maximum number of entries in a response to FindItem, in all folders together, as in Exchange Online's policy.

EwsFindCountLimit cuts an indexed page view to what fits:
https://learn.microsoft.com/powershell/module/exchange/new-throttlingpolicy"""

_OF_MIME = frozenset({"ErrorMimeContentConversionFailed", "ErrorContentConversionFailed"})
"""The errors of an item whose MIME cannot be written; without MIME the item can be read."""


def get_item(call: Call) -> str:
    """Each named item."""
    shape = item_shape(call.request)

    def one(element: etree._Element) -> str:
        item, occurrence = call.item(element)
        is_readable = not shape.mime and item.corruption is not None and item.corruption.code in _OF_MIME
        if not is_readable and (code := item.read_failure()):
            raise Refused(code)
        return f"<m:Items>{item_view.show(item, shape, occurrence)}</m:Items>"

    return batch("GetItem", call.each("ItemIds"), one, "<m:Items/>")


def find_item(call: Call) -> str:
    """The items of each named folder; with a calendar view, the occurrences between two times."""
    shape = item_shape(call.request, in_view=True)
    view = call.request.find(f"{M}CalendarView")
    room = _DEEPEST_VIEW

    def within(element: etree._Element) -> str:
        nonlocal room
        folder = call.folder(element)
        if view is not None:
            return _calendar(folder, view, shape)
        listed, shown = _listed(call, folder, shape, room)
        room -= shown
        return listed

    return batch("FindItem", call.each("ParentFolderIds"), within)


def _calendar(folder: Folder, view: etree._Element, shape: Shape) -> str:
    start, end = read_when(str(view.get("StartDate"))), read_when(str(view.get("EndDate")))
    if end < start:
        raise Refused("ErrorCalendarEndDateIsEarlierThanStartDate", "The end date is earlier than the start date.")
    if (end - start).days > 731:
        raise Refused("ErrorCalendarViewRangeTooBig", "The calendar view spans more than two years.")
    found: list[tuple[Item, Occurrence]] = []
    for item in folder.items.values():
        if item.element == "CalendarItem":
            found += [(item, one) for one in between(item, start, end)]
    found.sort(key=lambda pair: pair[1].start)
    most = int(str(view.get("MaxEntriesReturned") or _DEEPEST_VIEW))
    shown = [_event(item, one, shape) for item, one in found[:most]]
    paging = f'TotalItemsInView="{len(shown)}" IncludesLastItemInRange="{flag(len(found) <= most)}"'
    return f"<m:RootFolder {paging}><t:Items>{''.join(shown)}</t:Items></m:RootFolder>"


def _event(item: Item, one: Occurrence, shape: Shape) -> str:
    return item_view.show(item, shape, one if "Recurrence" in item.properties else None)


def _listed(call: Call, folder: Folder, shape: Shape, room: int) -> tuple[str, int]:
    """One folder's page of at most `room` items, and how many it has."""
    if call.request.get("Traversal") != "Shallow":
        found: list[Item] = []
    else:
        fits = compile_restriction(call.request.find(f"{M}Restriction"))
        found = [item for item in folder.items.values() if fits(item)]
    found = sort(found, call.request.find(f"{M}SortOrder"))
    view = call.request.find(f"{M}IndexedPageItemView")
    offset, most = _window(view, len(found))
    page = found[offset : offset + min(most, room)]
    end = offset + len(page)
    inside = "".join(item_view.show(item, shape) for item in page)
    root = (
        f'<m:RootFolder IndexedPagingOffset="{end}" TotalItemsInView="{len(found)}" '
        f'IncludesLastItemInRange="{flag(end >= len(found))}"><t:Items>{inside}</t:Items></m:RootFolder>'
    )
    return root, len(page)


def _window(view: etree._Element | None, total: int) -> tuple[int, int]:
    if view is None:
        return 0, _DEEPEST_VIEW
    most = min(int(str(view.get("MaxEntriesReturned") or _DEEPEST_VIEW)), _DEEPEST_VIEW)
    offset = int(str(view.get("Offset")))
    if view.get("BasePoint") == "End":
        return max(0, total - offset - most), most
    return offset, most


def get_attachment(call: Call) -> str:
    """Each named file attachment with its content."""

    def one(element: etree._Element) -> str:
        named = str(element.get("Id"))
        for item in call.mailbox.items.values():
            if owns_attachment(item, named) and (found := _attachment(item, named)):
                return f"<m:Attachments>{found}</m:Attachments>"
        raise Refused("ErrorItemNotFound")

    return batch("GetAttachment", call.each("AttachmentIds"), one, "<m:Attachments/>")


def _attachment(item: Item, named: str) -> str:
    for number, one in enumerate(attachments(item)):
        if attachment_id(item, number) == named:
            return content_view.attachment(item, number, one, with_content=True)
    return ""
