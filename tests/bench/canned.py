"""A canned EWS server in a process of its own: answers are put together from parts, so that a client's cost shows.

    python -m tests.bench.canned COUNT MIME_BYTES CERTIFICATE.pem KEY.pem

prints its port on the first line. The inbox has COUNT messages, thirty folders in all. As Exchange does, it answers
with the properties that were asked for and no others; body and attachments never come in SyncFolderItems.
"""

import base64
import re
import sys
from collections.abc import Callable
from functools import lru_cache
from http.server import ThreadingHTTPServer

from tests.bench.canned_http import CannedHandler, Counts, listening, mime_of, serve_until_closed
from tests.bench.message_sample import properties

FOLDERS = 30

_OPEN = (
    '<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Header>'
    '<h:ServerVersionInfo MajorVersion="15" MinorVersion="20" MajorBuildNumber="8200" MinorBuildNumber="21"'
    ' Version="V2018_01_08" xmlns:h="http://schemas.microsoft.com/exchange/services/2006/types"/></s:Header>'
    '<s:Body><m:{0}Response xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages"'
    ' xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types"><m:ResponseMessages>'
)
_CLOSE = "</m:ResponseMessages></m:{0}Response></s:Body></s:Envelope>"


def item_id(number: int) -> str:
    """An id as long as Exchange's."""
    return f"AAMkADhiN2U0{number:08d}" + "QmVuY2hNYXJr" * 10 + "AAA="


@lru_cache(64)
def asked_of(shape: str) -> frozenset[str]:
    """The names of the properties that a request asks for."""
    names = {uri.rpartition(":")[2] for uri in re.findall(r'FieldURI="([^"]+)"', shape)}
    if 'PropertyTag="0x300' in shape:
        names.add("SearchKey")
    if "IncludeMimeContent>true" in shape:
        names.add("MimeContent")
    return frozenset(names)


class Mailbox:
    """The answers."""

    def __init__(self, count: int, mime_bytes: int) -> None:
        self.count = count
        mime = base64.b64encode(mime_of(mime_bytes)).decode()
        self._mime = f'<t:MimeContent CharacterSet="UTF-8">{mime}</t:MimeContent>'
        self._folders = self._all_folders()

    def arrive(self) -> None:
        """One more message comes into the inbox, whose mark changes with it."""
        self.count += 1
        self._folders = self._all_folders()

    def _all_folders(self) -> str:
        return "".join(self._folder(number) for number in range(FOLDERS))

    def _folder(self, number: int) -> str:
        name = "<t:DistinguishedFolderId>inbox</t:DistinguishedFolderId>" if number == 0 else ""
        total = self.count if number == 0 else 0
        return (
            f'<t:Folder><t:FolderId Id="AAMkFolder{number:04d}" ChangeKey="AQAAAA=="/>'
            '<t:ParentFolderId Id="AAMkRoot" ChangeKey="AQAAAA=="/><t:FolderClass>IPF.Note</t:FolderClass>'
            f"<t:DisplayName>Folder {number}</t:DisplayName><t:TotalCount>{total}</t:TotalCount>"
            '<t:ExtendedProperty><t:ExtendedFieldURI PropertyTag="0x670a" PropertyType="SystemTime"/>'
            "<t:Value>2024-05-01T10:00:00Z</t:Value></t:ExtendedProperty>"
            '<t:ExtendedProperty><t:ExtendedFieldURI PropertyTag="0x670b" PropertyType="Integer"/>'
            f"<t:Value>{3 + total}</t:Value></t:ExtendedProperty>{name}</t:Folder>"
        )

    def message(self, number: int, asked: frozenset[str]) -> str:
        """One message's element with what was asked for."""
        details = "".join(text for name, text in properties(number).items() if name in asked)
        mime = self._mime if "MimeContent" in asked else ""
        return (
            f'<t:Message>{mime}<t:ItemId Id="{item_id(number)}" ChangeKey="CQAAABYAAAC{number:08d}"/>'
            f"{details}</t:Message>"
        )

    def sync(self, request: str) -> str:
        """SyncFolderItems: a page from where the state says."""
        inbox = "AAMkFolder" not in request or "AAMkFolder0000" in request
        state, most = re.search(r"SyncState>state-(\d+)<", request), re.search(r"MaxChangesReturned>(\d+)<", request)
        start = int(state[1]) if state else 0
        end = min(start + int(most[1] if most else 512), self.count) if inbox else 0
        asked = asked_of(request.partition("<m:SyncFolderId>")[0])
        changes = "".join(f"<t:Create>{self.message(number, asked)}</t:Create>" for number in range(start, end))
        last = "true" if end >= self.count or not inbox else "false"
        return self._success(
            "SyncFolderItems",
            f"<m:SyncState>state-{end}</m:SyncState>"
            f"<m:IncludesLastItemInRange>{last}</m:IncludesLastItemInRange><m:Changes>{changes}</m:Changes>",
        )

    def get(self, request: str) -> str:
        """GetItem: the named messages."""
        asked = asked_of(request.partition("<m:ItemIds>")[0])
        return "".join(
            self._success("GetItem", f"<m:Items>{self.message(int(number), asked)}</m:Items>")
            for number in re.findall(r'ItemId Id="AAMkADhiN2U0(\d{8})', request)
        )

    def find_item(self, request: str) -> str:
        """FindItem: a page of each folder from where the view begins; only the inbox has items."""
        shape, _, parents = request.partition("<m:ParentFolderIds>")
        view = re.search(r'MaxEntriesReturned="(\d+)" Offset="(\d+)"', shape)
        assert view is not None
        folders = re.findall(r'FolderId Id="([^"]+)"', parents)
        return "".join(self._listed(name, int(view[2]), int(view[1]), asked_of(shape)) for name in folders)

    def _listed(self, folder: str, start: int, most: int, asked: frozenset[str]) -> str:
        """One folder's page of FindItem."""
        count = self.count if folder == "AAMkFolder0000" else 0
        end = min(start + most, count)
        items = "".join(self.message(number, asked) for number in range(start, end))
        return self._success(
            "FindItem",
            f'<m:RootFolder IndexedPagingOffset="{end}" TotalItemsInView="{count}"'
            f' IncludesLastItemInRange="{str(end >= count).lower()}"><t:Items>{items}</t:Items></m:RootFolder>',
        )

    def find_folder(self, _: str) -> str:
        """FindFolder: all thirty."""
        return self._success(
            "FindFolder",
            f'<m:RootFolder TotalItemsInView="{FOLDERS}" IncludesLastItemInRange="true">'
            f"<t:Folders>{self._folders}</t:Folders></m:RootFolder>",
        )

    def get_folder(self, request: str) -> str:
        """GetFolder: whatever is named is the inbox."""
        wanted = len(re.findall(r"<t:(?:Distinguished)?FolderId ", request))
        folder = self._folder(0).replace("<t:DistinguishedFolderId>inbox</t:DistinguishedFolderId>", "")
        return self._success("GetFolder", f"<m:Folders>{folder}</m:Folders>") * wanted

    def convert_id(self, request: str) -> str:
        """ConvertId: the mailbox has the address that the request names."""
        address = re.search(r'Mailbox="([^"]+)"', request)
        assert address is not None
        return self._success("ConvertId", f'<m:AlternateId Format="HexEntryId" Id="00" Mailbox="{address[1]}"/>')

    def _success(self, operation: str, content: str) -> str:
        return (
            f'<m:{operation}ResponseMessage ResponseClass="Success"><m:ResponseCode>NoError</m:ResponseCode>'
            f"{content}</m:{operation}ResponseMessage>"
        )

    def answer(self, request: str) -> tuple[str, bytes]:
        """The operation and the whole answer to a request."""
        for operation, handle in _OPERATIONS.items():
            if f"<m:{operation}>" in request or f"<m:{operation} " in request:
                content = handle(self, request)
                return operation, f"{_OPEN.format(operation)}{content}{_CLOSE.format(operation)}".encode()
        raise ValueError(request[:500])


_OPERATIONS: dict[str, Callable[[Mailbox, str], str]] = {
    "SyncFolderItems": Mailbox.sync,
    "GetItem": Mailbox.get,
    "FindItem": Mailbox.find_item,
    "FindFolder": Mailbox.find_folder,
    "GetFolder": Mailbox.get_folder,
    "ConvertId": Mailbox.convert_id,
}


def serve(mailbox: Mailbox, certificate: str, key: str) -> ThreadingHTTPServer:
    """A server on a port that the system gives.

    GET tells how many requests and bytes of each kind there were; GET /arrive lets a message come.
    """
    counts = Counts()

    class Handler(CannedHandler):
        def do_GET(self) -> None:
            if self.path == "/arrive":
                mailbox.arrive()
                return self.respond("text/plain", b"")
            return self.respond("text/plain", counts.taken())

        def do_POST(self) -> None:
            operation, body = mailbox.answer(self.received().decode())
            counts.add(operation, len(body))
            self.respond("text/xml; charset=utf-8", body)

    return listening(Handler, certificate, key)


def main() -> None:
    """Serve until the standard input is closed."""
    count, mime_bytes, certificate, key = sys.argv[1:5]
    serve_until_closed(serve(Mailbox(int(count), int(mime_bytes)), certificate, key))


if __name__ == "__main__":
    main()
