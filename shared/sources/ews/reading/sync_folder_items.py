"""Reads pages of ids: what changed in a folder (SyncFolderItems), and what is in it (FindItem)."""

from dataclasses import dataclass

from lxml import etree

from shared.sources.ews.faults.rules import Fault, error_of_fault
from shared.sources.ews.reading.items import kind_of
from shared.sources.ews.transport.soap_request import PAGE
from shared.sources.ews.transport.soap_response import M, T, parse_count, parse_time
from shared.sources.port import ChangeKind, ChangePage, ItemKind, ItemRef, SourceChange

_KINDS = {
    f"{T}Create": ChangeKind.UPSERT,
    f"{T}Update": ChangeKind.UPSERT,
    f"{T}Delete": ChangeKind.DELETE,
    f"{T}ReadFlagChange": ChangeKind.READ_FLAG,
}
_ITEM_ID = f"{T}ItemId"


def read_changes(message: etree._Element, asked_state: str | None) -> ChangePage:
    """One page of the changes since `asked_state`.

    A full page is not believed to be the last: some servers say so of exactly as many changes as were asked for.

    Raises:
        RetryLater: it names no following state. To go on without one would lose changes.
    """
    state = message.findtext(f"{M}SyncState")
    if not state:
        raise error_of_fault(Fault.UNEXPECTED)
    changes = [_read_change(element) for element in message.iterfind(f"{M}Changes/*")]
    is_last = message.findtext(f"{M}IncludesLastItemInRange") == "true"
    may_go_on = len(changes) >= PAGE and state != asked_state
    return ChangePage(tuple(changes), state, is_last and not may_go_on)


def _read_change(element: etree._Element) -> SourceChange:
    """One change; the item's id is the first thing in it, or the first thing in its item."""
    kind = _KINDS.get(element.tag)
    holder = element[0] if kind is ChangeKind.UPSERT and len(element) else element
    if kind is None or not len(holder) or holder[0].tag != _ITEM_ID or not holder[0].get("Id"):
        raise error_of_fault(Fault.UNEXPECTED)
    told = holder[0].get
    if kind is ChangeKind.UPSERT:
        return SourceChange(kind, told("Id") or "", told("ChangeKey") or "")
    if kind is ChangeKind.DELETE:
        return SourceChange(kind, told("Id") or "")
    return SourceChange(kind, told("Id") or "", told("ChangeKey") or "", element.findtext(f"{T}IsRead") == "true")


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of a folder's items: how many there are in all, and where the next page begins (None at the end).

    `last` where the server says that nothing follows; a calendar view has no other way to tell.
    """

    items: list[etree._Element]
    total: int
    following: int | None
    last: bool


def read_listing(message: etree._Element) -> Listing:
    """The items of one FindItem response message."""
    root = message.find(f"{M}RootFolder")
    if root is None:
        raise error_of_fault(Fault.UNEXPECTED)
    items = list(root.iterfind(f"{T}Items/*"))
    last = root.get("IncludesLastItemInRange", "true") == "true"
    following = None if last or not items else parse_count(root.get("IndexedPagingOffset", ""))
    return Listing(items, parse_count(root.get("TotalItemsInView", "")) or 0, following, last)


def read_ref(element: etree._Element) -> ItemRef:
    """One item of a listing; only mail has an age. Events, contacts and tasks may lie in mail folders too."""
    identifier = element.find(_ITEM_ID)
    if identifier is None:
        raise error_of_fault(Fault.UNEXPECTED)
    is_mail = kind_of(element.tag, element.findtext(f"{T}ItemClass") or "") is ItemKind.MESSAGE
    received = parse_time(element.findtext(f"{T}DateTimeReceived")) if is_mail else None
    return ItemRef(identifier.get("Id") or "", identifier.get("ChangeKey") or "", received)
