"""Lists several small folders in one FindItem request, so that a sweep of many folders takes few requests."""

from collections.abc import Iterable, Iterator, Sequence

from lxml import etree

from shared.errors import AdministratorMustAct, RetryLater
from shared.grouping import grouped
from shared.sources.ews.faults.rules import part_reason
from shared.sources.ews.reading.sync_folder_items import read_listing, read_ref
from shared.sources.ews.transport import soap_request
from shared.sources.ews.transport.session import Channel
from shared.sources.ews.transport.soap_request import LISTING, Envelopes
from shared.sources.ews.transport.soap_response import parse, response_messages, response_problem
from shared.sources.fault_attribution import FaultAttribution
from shared.sources.model import Folder, ItemRef
from shared.sources.port import FolderGone

REF_PROPERTIES = soap_request.fields(("item:ItemClass", "item:DateTimeReceived"))
"""What a comparison needs of an item besides its id and change key."""

MOST_FOLDERS = 100
"""Folders of one request, so that it stays small and is answered in seconds."""

type ListedFolder = tuple[str, Sequence[ItemRef]]
"""A folder's id and all of its items."""


class JointListing:
    """Lists the small folders of one mailbox together."""

    def __init__(self, channel: Channel, envelopes: Envelopes, faults: FaultAttribution) -> None:
        self._channel = channel
        self._envelopes = envelopes
        self._faults = faults

    def list_together(self, folders: Iterable[Folder]) -> Iterator[ListedFolder]:
        """Yield the items of each folder that could be listed to its end, as the port describes it."""
        for group in groups(folders):
            yield from self._group(group)

    def _group(self, folders: Sequence[Folder]) -> Iterator[ListedFolder]:
        """List the folders of one request; none if one of them may be the cause of an error."""
        try:
            messages = self._messages([folder.id for folder in folders])
            yield from [each for each in map(_whole, folders, messages) if each is not None]
        except FolderGone:
            return
        except (RetryLater, AdministratorMustAct) as exc:
            if part_reason(exc) is None and not self._may_be_one_folder(exc):
                raise

    def _messages(self, ids: Sequence[str]) -> list[etree._Element]:
        request = self._envelopes.wrap(soap_request.find_item(ids, REF_PROPERTIES, 0))
        return list(response_messages(parse(self._channel.ask(request)), "FindItem"))

    def _may_be_one_folder(self, error: RetryLater | AdministratorMustAct) -> bool:
        return isinstance(error, RetryLater) and self._faults.may_be_item_fault(error)


def groups(folders: Iterable[Folder]) -> Iterator[list[Folder]]:
    """The folders of each request: together they have no more items than one response may have.

    Folders without a count, and folders that fill a response by themselves, are left out. An online archive may be on
    another server than its mailbox, so their folders are in different requests.
    """
    listed = list(folders)
    for archive in (False, True):
        sized = ((folder, folder.total) for folder in listed if folder.archive is archive and folder.total is not None)
        small = ((folder, total) for folder, total in sized if total < LISTING)
        yield from grouped(small, LISTING, MOST_FOLDERS)


def _whole(folder: Folder, message: etree._Element) -> ListedFolder | None:
    """The items of one response message; None if it reports an error or is not the whole folder."""
    if response_problem(message) is not None:
        return None
    listing = read_listing(message)
    if not listing.last or len(listing.items) < listing.total:
        return None
    return folder.id, [read_ref(element) for element in listing.items]
