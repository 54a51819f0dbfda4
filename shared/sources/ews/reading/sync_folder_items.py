"""Reads pages of ids: the changes of a folder (SyncFolderItems) and its items (FindItem)."""

from dataclasses import dataclass

from lxml import etree

from shared.sources.ews.faults.rules import Fault, error_of_fault
from shared.sources.ews.reading.items import kind_of
from shared.sources.ews.transport.soap_request import PAGE
from shared.sources.ews.transport.soap_response import M, T, parse_count, parse_time
from shared.sources.model import ChangeKind, ChangePage, ItemKind, ItemRef, SourceChange

_KINDS = {
    f"{T}Create": ChangeKind.UPSERT,
    f"{T}Update": ChangeKind.UPSERT,
    f"{T}Delete": ChangeKind.DELETE,
    f"{T}ReadFlagChange": ChangeKind.READ_FLAG,
}
_ITEM_ID = f"{T}ItemId"


def read_changes(message: etree._Element, asked_state: str | None) -> ChangePage:
    """Parse one page of the changes since `asked_state`.

    A full page never counts as the last one: some servers wrongly say so if exactly the requested number of changes is
    left.

    Raises:
        RetryLater: the page has no next state. Continuing without one would lose changes.
    """
    state = message.findtext(f"{M}SyncState")
    if not state:
        raise error_of_fault(Fault.UNEXPECTED)
    changes = [_read_change(element) for element in message.iterfind(f"{M}Changes/*")]
    is_last = message.findtext(f"{M}IncludesLastItemInRange") == "true"
    may_go_on = len(changes) >= PAGE and state != asked_state
    return ChangePage(tuple(changes), state, is_last and not may_go_on)


def _read_change(element: etree._Element) -> SourceChange:
    """Parse one change. The item's id is its first child, or the first child of its item."""
    kind = _KINDS.get(element.tag)
    holder = element[0] if kind is ChangeKind.UPSERT and len(element) else element
    if kind is None or not len(holder) or holder[0].tag != _ITEM_ID or not holder[0].get("Id"):
        raise error_of_fault(Fault.UNEXPECTED)
    get = holder[0].get
    if kind is ChangeKind.UPSERT:
        return SourceChange(kind, get("Id") or "", get("ChangeKey") or "")
    if kind is ChangeKind.DELETE:
        return SourceChange(kind, get("Id") or "")
    return SourceChange(kind, get("Id") or "", get("ChangeKey") or "", element.findtext(f"{T}IsRead") == "true")


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of a folder's items, with the `total` count and the next offset (`following`; None at the end).

    `last` is whether the server says that nothing follows, the only sign of an incomplete calendar view.
    """

    items: list[etree._Element]
    total: int
    following: int | None
    last: bool


def read_listing(message: etree._Element) -> Listing:
    """Parse the items of one FindItem response message."""
    root = message.find(f"{M}RootFolder")
    if root is None:
        raise error_of_fault(Fault.UNEXPECTED)
    items = list(root.iterfind(f"{T}Items/*"))
    last = root.get("IncludesLastItemInRange", "true") == "true"
    following = None if last or not items else parse_count(root.get("IndexedPagingOffset", ""))
    return Listing(items, parse_count(root.get("TotalItemsInView", "")) or 0, following, last)


def read_ref(element: etree._Element) -> ItemRef:
    """Parse one item of a listing. Only mail has a time received; mail folders may hold other kinds too."""
    identifier = element.find(_ITEM_ID)
    if identifier is None:
        raise error_of_fault(Fault.UNEXPECTED)
    is_mail = kind_of(element.tag, element.findtext(f"{T}ItemClass") or "") is ItemKind.MESSAGE
    received = parse_time(element.findtext(f"{T}DateTimeReceived")) if is_mail else None
    return ItemRef(identifier.get("Id") or "", identifier.get("ChangeKey") or "", received)
