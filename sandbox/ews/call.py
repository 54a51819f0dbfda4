"""One request in progress: how its operation reads it, and the response messages of operations."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from lxml import etree

from sandbox.ews.access import Caller
from sandbox.ews.refusals import Refused
from sandbox.ews.wire import M
from sandbox.mailboxes.calendar.events import Occurrence, occurrence_at, original_of_index, pattern_of
from sandbox.mailboxes.fragments import T, children, escape, local
from sandbox.mailboxes.ids import entry_of, occurrence_of
from sandbox.mailboxes.mailbox_store import MailboxStore
from sandbox.mailboxes.store import Folder, Item, Mailbox


@dataclass(frozen=True, slots=True)
class Call:
    """A validated request and its caller."""

    store: MailboxStore
    caller: Caller
    request: etree._Element

    @property
    def mailbox(self) -> Mailbox:
        """The caller's mailbox."""
        return self.store.mailbox(self.caller.person.address)

    def named(self, address: str) -> Mailbox:
        """The mailbox behind an address. Raises Refused."""
        mailbox = self.store.find(address)
        if mailbox is None:
            raise Refused("ErrorNonExistentMailbox")
        return mailbox

    def part(self, name: str) -> etree._Element:
        """A child element of the request that the schema guarantees."""
        found = self.request.find(f"{M}{name}")
        assert found is not None, name  # noqa: S101 -- the schema was checked
        return found

    def each(self, name: str) -> list[etree._Element]:
        """The elements in one of the request's lists."""
        return children(self.part(name))

    # Folders

    def target(self, name: str) -> Folder:
        """The one folder that an element of the request names. Raises Refused."""
        return self.folder(children(self.part(name))[0])

    def folder(self, element: etree._Element) -> Folder:
        """The folder that a FolderId or DistinguishedFolderId names. Raises Refused."""
        named = str(element.get("Id", ""))
        folder = (
            self._distinguished(element, named) if local(element) == "DistinguishedFolderId" else self._by_id(named)
        )
        if not self._may_open(folder):
            raise Refused("ErrorAccessDenied")
        return folder

    def _distinguished(self, element: etree._Element, named: str) -> Folder:
        address = element.findtext(f"{T}Mailbox/{T}EmailAddress")
        mailbox = self.named(address) if address else self.mailbox
        folder = mailbox.distinguished.get(named)
        if folder is None:
            raise Refused("ErrorFolderNotFound")
        return folder

    def _by_id(self, named: str) -> Folder:
        try:
            guid, _ = entry_of(named)
        except ValueError:
            raise Refused("ErrorInvalidIdMalformed") from None
        mailbox = self.store.with_guid(guid)
        folder = mailbox.folders.get(named) if mailbox else None
        if folder is None:
            raise Refused("ErrorFolderNotFound")
        return folder

    def _may_open(self, folder: Folder) -> bool:
        """Whether the caller may open the folder: it is in their own mailbox, or its owner has shared it."""
        if folder.mailbox is self.mailbox:
            return True
        granted = folder.mailbox.grants.get(self.caller.person.address.lower(), set())
        return "*" in granted or folder.id in granted

    # Items

    def item(self, element: etree._Element) -> tuple[Item, Occurrence | None]:
        """The item, or the occurrence of a series, that an id names. Raises Refused."""
        kind = local(element)
        if kind == "OccurrenceItemId":
            return self._by_index(element)
        if kind == "RecurringMasterItemId":
            return self._by_item_id(str(element.get("OccurrenceId")))[0], None
        return self._by_item_id(str(element.get("Id", "")))

    def _by_item_id(self, named: str) -> tuple[Item, Occurrence | None]:
        behind = occurrence_of(named)
        item = self._stored(behind[0] if behind else named)
        if behind is None:
            return item, None
        occurrence = occurrence_at(item, behind[1])
        if occurrence is None:
            raise Refused("ErrorItemNotFound")
        return item, occurrence

    def _by_index(self, element: etree._Element) -> tuple[Item, Occurrence | None]:
        item = self._stored(str(element.get("RecurringMasterId")))
        if pattern_of(item) is None:
            raise Refused("ErrorItemNotFound")
        original = original_of_index(item, int(str(element.get("InstanceIndex"))))
        if original is None:
            raise Refused("ErrorCalendarOccurrenceIndexIsOutOfRecurrenceRange")
        occurrence = occurrence_at(item, original)
        if occurrence is None:
            raise Refused("ErrorCalendarOccurrenceIsDeletedFromRecurrence")
        return item, occurrence

    def _stored(self, named: str) -> Item:
        try:
            guid, _ = entry_of(named)
        except ValueError:
            raise Refused("ErrorInvalidIdMalformed") from None
        mailbox = self.store.with_guid(guid)
        item = mailbox.items.get(named) if mailbox else None
        if item is None:
            raise Refused("ErrorItemNotFound")
        if not self._may_open(item.folder):
            raise Refused("ErrorAccessDenied")
        return item


def success(operation: str, inside: str = "") -> str:
    """The response message of one success."""
    return (
        f'<m:{operation}ResponseMessage ResponseClass="Success"><m:ResponseCode>NoError</m:ResponseCode>{inside}'
        f"</m:{operation}ResponseMessage>"
    )


def failure(operation: str, refused: Refused, kind: str = "Error", inside: str = "") -> str:
    """The response message of one failure."""
    xml = f"<m:MessageXml>{refused.xml}</m:MessageXml>" if refused.xml else ""
    return (
        f'<m:{operation}ResponseMessage ResponseClass="{kind}"><m:MessageText>{escape(refused.text)}</m:MessageText>'
        f"<m:ResponseCode>{refused.code}</m:ResponseCode><m:DescriptiveLinkKey>0</m:DescriptiveLinkKey>{xml}{inside}"
        f"</m:{operation}ResponseMessage>"
    )


def responses(operation: str, messages: Iterable[str]) -> str:
    """The whole response of an operation."""
    inside = "".join(messages)
    return f"<m:{operation}Response><m:ResponseMessages>{inside}</m:ResponseMessages></m:{operation}Response>"


def batch[Thing](operation: str, things: Iterable[Thing], act: Callable[[Thing], str], empty: str = "") -> str:
    """Apply an operation to each element; a refusal becomes an error message, and the others continue."""
    messages = []
    for thing in things:
        try:
            messages.append(success(operation, act(thing)))
        except Refused as refused:
            messages.append(failure(operation, refused, inside=empty))
    return responses(operation, messages)
