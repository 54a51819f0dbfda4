"""Writes the SOAP requests. Each function writes the body of one operation; `Envelopes` adds a mailbox's header."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from xml.sax.saxutils import escape, quoteattr

from shared.sources.model import Access, AccessMode

VERSION = "Exchange2013_SP1"
"""The request schema version: the oldest with all that we request, so that Exchange Server 2013 and later accept it."""

PAGE = 512
"""The highest number of changes that SyncFolderItems returns at a time."""

LISTING = 1000
"""The highest number of entries that FindFolder and FindItem return under Exchange's default throttling policy."""

_OPENING = (
    '<?xml version="1.0" encoding="utf-8"?>'
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"'
    ' xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages"'
    ' xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types">'
    f'<s:Header><t:RequestServerVersion Version="{VERSION}"/>'
)


class Envelopes:
    """Writes the requests of one mailbox. They name the mailbox in the impersonation header or beside folder names."""

    def __init__(self, access: Access) -> None:
        impersonates = access.mode is not AccessMode.DELEGATED
        address = escape(access.address)
        header = (
            "<t:ExchangeImpersonation><t:ConnectingSID>"
            f"<t:PrimarySmtpAddress>{address}</t:PrimarySmtpAddress>"
            "</t:ConnectingSID></t:ExchangeImpersonation>"
        )
        self._opening = _OPENING + (header if impersonates else "") + "</s:Header><s:Body>"
        unnamed = impersonates or access.own
        self._mailbox = "" if unnamed else f"<t:Mailbox><t:EmailAddress>{address}</t:EmailAddress></t:Mailbox>"

    def wrap(self, body: str) -> bytes:
        """The complete request for an operation's body."""
        return f"{self._opening}{body}</s:Body></s:Envelope>".encode()

    def named_folder(self, name: str) -> str:
        """The element for one of the mailbox's well-known folders."""
        return f'<t:DistinguishedFolderId Id="{name}">{self._mailbox}</t:DistinguishedFolderId>'


def folder_id(identifier: str) -> str:
    """The element for a folder with this id."""
    return f"<t:FolderId Id={quoteattr(identifier)}/>"


def fields(uris: Iterable[str]) -> str:
    """The elements for additional properties with these names."""
    return "".join(f'<t:FieldURI FieldURI="{uri}"/>' for uri in uris)


def extended(tag: int, kind: str) -> str:
    """The element for a MAPI property with this tag."""
    return f'<t:ExtendedFieldURI PropertyTag="0x{tag:04X}" PropertyType="{kind}"/>'


def find_folder(parents: str, properties: str, offset: int) -> str:
    """FindFolder: all folders below the parents."""
    return (
        '<m:FindFolder Traversal="Deep"><m:FolderShape><t:BaseShape>IdOnly</t:BaseShape>'
        f"<t:AdditionalProperties>{properties}</t:AdditionalProperties></m:FolderShape>"
        f'<m:IndexedPageFolderView MaxEntriesReturned="{LISTING}" Offset="{offset}" BasePoint="Beginning"/>'
        f"<m:ParentFolderIds>{parents}</m:ParentFolderIds></m:FindFolder>"
    )


def get_folder(folders: str) -> str:
    """GetFolder: ids only."""
    return (
        "<m:GetFolder><m:FolderShape><t:BaseShape>IdOnly</t:BaseShape></m:FolderShape>"
        f"<m:FolderIds>{folders}</m:FolderIds></m:GetFolder>"
    )


def convert_id(identifier: str, mailbox: str) -> str:
    """ConvertId for a folder or an item: the response contains the primary address of the mailbox that holds it.

    https://learn.microsoft.com/exchange/client-developer/web-service-reference/convertid-operation
    """
    return (
        '<m:ConvertId DestinationFormat="HexEntryId"><m:SourceIds>'
        f'<t:AlternateId Format="EwsId" Id={quoteattr(identifier)} Mailbox={quoteattr(mailbox)}/>'
        "</m:SourceIds></m:ConvertId>"
    )


def sync_folder_items(folder: str, state: str | None) -> str:
    """SyncFolderItems: ids only, since each further property costs the server another call."""
    since = f"<m:SyncState>{escape(state)}</m:SyncState>" if state else ""
    return (
        "<m:SyncFolderItems><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape></m:ItemShape>"
        f"<m:SyncFolderId>{folder_id(folder)}</m:SyncFolderId>{since}"
        f"<m:MaxChangesReturned>{PAGE}</m:MaxChangesReturned><m:SyncScope>NormalItems</m:SyncScope>"
        "</m:SyncFolderItems>"
    )


def get_item(shape: str, ids: Sequence[str]) -> str:
    """GetItem: several items in one shape."""
    items = "".join(f"<t:ItemId Id={quoteattr(identifier)}/>" for identifier in ids)
    return f"<m:GetItem>{shape}<m:ItemIds>{items}</m:ItemIds></m:GetItem>"


def get_attachment(ids: Sequence[str]) -> str:
    """GetAttachment: files with their bytes, and attached items as MIME."""
    attachments = "".join(f"<t:AttachmentId Id={quoteattr(identifier)}/>" for identifier in ids)
    return (
        "<m:GetAttachment><m:AttachmentShape><t:IncludeMimeContent>true</t:IncludeMimeContent></m:AttachmentShape>"
        f"<m:AttachmentIds>{attachments}</m:AttachmentIds></m:GetAttachment>"
    )


def find_item(folders: Sequence[str], properties: str, offset: int) -> str:
    """FindItem: one page of each folder, oldest items first, so that new arrivals do not shift the pages.

    The response has a message for each folder, in the order of the request. LISTING limits the entries of all of them
    together: EwsFindCountLimit of https://learn.microsoft.com/powershell/module/exchange/new-throttlingpolicy
    """
    parents = "".join(map(folder_id, folders))
    return (
        '<m:FindItem Traversal="Shallow"><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape>'
        f"<t:AdditionalProperties>{properties}</t:AdditionalProperties></m:ItemShape>"
        f'<m:IndexedPageItemView MaxEntriesReturned="{LISTING}" Offset="{offset}" BasePoint="Beginning"/>'
        '<m:SortOrder><t:FieldOrder Order="Ascending"><t:FieldURI FieldURI="item:DateTimeCreated"/></t:FieldOrder>'
        f"</m:SortOrder><m:ParentFolderIds>{parents}</m:ParentFolderIds></m:FindItem>"
    )


def calendar_view(folder: str, properties: str, start: datetime, end: datetime) -> str:
    """FindItem with a CalendarView: the events between two times, with recurrences expanded."""
    window = f'StartDate="{_utc(start)}" EndDate="{_utc(end)}"'
    return (
        '<m:FindItem Traversal="Shallow"><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape>'
        f"<t:AdditionalProperties>{properties}</t:AdditionalProperties></m:ItemShape>"
        f'<m:CalendarView MaxEntriesReturned="{LISTING}" {window}/>'
        f"<m:ParentFolderIds>{folder_id(folder)}</m:ParentFolderIds></m:FindItem>"
    )


def resolve_names(query: str) -> str:
    """ResolveNames: look up a name or address in the directory."""
    return (
        '<m:ResolveNames ReturnFullContactData="false" SearchScope="ActiveDirectory">'
        f"<m:UnresolvedEntry>{escape(query)}</m:UnresolvedEntry></m:ResolveNames>"
    )


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
