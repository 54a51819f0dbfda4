"""A canned EWS server in a process of its own: answers are precomputed, so that a client's cost is all that shows.

    python -m tests.bench.canned COUNT MIME_BYTES CERTIFICATE_AND_KEY.pem

prints its port on the first line. The inbox has COUNT messages of 21 properties each; 30 folders in all. Each message
exists once, as an XML fragment; GetItem joins the fragments of the ids it is asked for.
"""

import base64
import re
import ssl
import sys
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

FOLDERS = 30
PAGE = 512

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


class Mailbox:
    """The precomputed answers."""

    def __init__(self, count: int, mime_bytes: int) -> None:
        self.count = count
        mime = self._mime(mime_bytes) if mime_bytes else ""
        self.ids = [
            f'<t:ItemId Id="{item_id(number)}" ChangeKey="CQAAABYAAAC{number:08d}"/>' for number in range(count)
        ]
        self._details = [self._detail(number) for number in range(count)]
        self._mime_element = f'<t:MimeContent CharacterSet="UTF-8">{mime}</t:MimeContent>' if mime else ""
        self._folders = "".join(self._folder(number) for number in range(FOLDERS))

    def _mime(self, size: int) -> str:
        text = "Received: from mail.example.org\r\nSubject: Bench\r\n\r\n" + "All work and no play is dull.\r\n" * 1000
        return base64.b64encode((text * (size // len(text) + 1)).encode()[:size]).decode()

    def _detail(self, number: int) -> str:
        def person(name: str) -> str:
            return (
                f"<t:Mailbox><t:Name>{name.title()} {number % 97}</t:Name>"
                f"<t:EmailAddress>{name}{number % 97}@example.org</t:EmailAddress>"
                "<t:RoutingType>SMTP</t:RoutingType><t:MailboxType>Mailbox</t:MailboxType></t:Mailbox>"
            )

        moment = f"2024-{number % 12 + 1:02d}-{number % 28 + 1:02d}T{number % 24:02d}:{number % 60:02d}:07Z"
        return (
            f"<t:ItemClass>IPM.Note</t:ItemClass><t:Subject>Quarterly figures, take {number}</t:Subject>"
            f"<t:Sensitivity>Normal</t:Sensitivity><t:DateTimeReceived>{moment}</t:DateTimeReceived>"
            f"<t:Size>{20_000 + number % 1000}</t:Size>"
            "<t:Categories><t:String>Blue</t:String><t:String>Finance</t:String></t:Categories>"
            "<t:Importance>Normal</t:Importance><t:IsDraft>false</t:IsDraft>"
            f"<t:DateTimeSent>{moment}</t:DateTimeSent><t:DateTimeCreated>{moment}</t:DateTimeCreated>"
            '<t:ExtendedProperty><t:ExtendedFieldURI PropertyTag="0x300b" PropertyType="Binary"/>'
            f"<t:Value>{base64.b64encode(number.to_bytes(16, 'big')).decode()}</t:Value></t:ExtendedProperty>"
            f"<t:HasAttachments>false</t:HasAttachments><t:LastModifiedTime>{moment}</t:LastModifiedTime>"
            f'<t:ConversationId Id="AAQkADhiN2U0{number:08d}QmVuY2g="/>'
            "<t:Flag><t:FlagStatus>NotFlagged</t:FlagStatus></t:Flag>"
            f"<t:Sender>{person('sam')}</t:Sender><t:ToRecipients>{person('ada')}{person('bob')}</t:ToRecipients>"
            f"<t:CcRecipients>{person('cyd')}</t:CcRecipients><t:BccRecipients/>"
            f"<t:From>{person('sam')}</t:From><t:InternetMessageId>&lt;{number}@example.org&gt;</t:InternetMessageId>"
            "<t:IsRead>true</t:IsRead>"
        )

    def _folder(self, number: int) -> str:
        name = "inbox" if number == 0 else ""
        mark = "2024-05-01T10:00:00Z"
        return (
            f'<t:Folder><t:FolderId Id="AAMkFolder{number:04d}" ChangeKey="AQAAAA=="/>'
            '<t:ParentFolderId Id="AAMkRoot" ChangeKey="AQAAAA=="/><t:FolderClass>IPF.Note</t:FolderClass>'
            f"<t:DisplayName>Folder {number}</t:DisplayName><t:TotalCount>{self.count}</t:TotalCount>"
            "<t:ChildFolderCount>0</t:ChildFolderCount>"
            '<t:ExtendedProperty><t:ExtendedFieldURI PropertyTag="0x670a" PropertyType="SystemTime"/>'
            f"<t:Value>{mark}</t:Value></t:ExtendedProperty>"
            '<t:ExtendedProperty><t:ExtendedFieldURI PropertyTag="0x670b" PropertyType="Integer"/>'
            "<t:Value>3</t:Value></t:ExtendedProperty>"
            + (f"<t:DistinguishedFolderId>{name}</t:DistinguishedFolderId>" if name else "")
            + "</t:Folder>"
        )

    def message(self, number: int, *, details: bool, mime: bool) -> str:
        """One message's element."""
        content = self._mime_element if mime else ""
        return f"<t:Message>{content}{self.ids[number]}{self._details[number] if details else ''}</t:Message>"

    def sync(self, request: str) -> str:
        """SyncFolderItems: a page from where the state says."""
        state = re.search(r"<m:SyncState>state-(\d+)</m:SyncState>", request)
        start = int(state[1]) if state else 0
        end = min(start + PAGE, self.count)
        details, mime = "AdditionalProperties" in request, "IncludeMimeContent>true" in request
        # exchangelib as documented asks for MIME as a property among a hundred
        mime = mime or "item:MimeContent" in request
        changes = "".join(
            f"<t:Create>{self.message(number, details=details, mime=mime)}</t:Create>" for number in range(start, end)
        )
        last = "true" if end >= self.count else "false"
        return self._success(
            "SyncFolderItems",
            f"<m:SyncState>state-{end}</m:SyncState>"
            f"<m:IncludesLastItemInRange>{last}</m:IncludesLastItemInRange><m:Changes>{changes}</m:Changes>",
        )

    def get(self, request: str) -> str:
        """GetItem: the named messages."""
        mime = "IncludeMimeContent>true" in request or "item:MimeContent" in request
        return "".join(
            self._success("GetItem", f"<m:Items>{self.message(int(number), details=True, mime=mime)}</m:Items>")
            for number in re.findall(r'ItemId Id="AAMkADhiN2U0(\d{8})', request)
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

    def _success(self, operation: str, content: str) -> str:
        return (
            f'<m:{operation}ResponseMessage ResponseClass="Success"><m:ResponseCode>NoError</m:ResponseCode>'
            f"{content}</m:{operation}ResponseMessage>"
        )

    def answer(self, request: str) -> tuple[str, bytes]:
        """The operation and the whole answer to a request."""
        for operation, handle in _OPERATIONS.items():
            if f"<m:{operation}" in request:
                content = handle(self, request)
                return operation, f"{_OPEN.format(operation)}{content}{_CLOSE.format(operation)}".encode()
        raise ValueError(request[:500])


_OPERATIONS: dict[str, Callable[[Mailbox, str], str]] = {
    "SyncFolderItems": Mailbox.sync,
    "GetItem": Mailbox.get,
    "FindFolder": Mailbox.find_folder,
    "GetFolder": Mailbox.get_folder,
}


def serve(mailbox: Mailbox, pem: str) -> ThreadingHTTPServer:
    """A server on a port that the system gives. GET /requests tells how many requests of each kind it has had."""
    counts: dict[str, int] = {}
    cache: dict[str, bytes] = {}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1

        def do_GET(self) -> None:
            self._send("text/plain", " ".join(f"{name}={count}" for name, count in counts.items()).encode())

        def do_POST(self) -> None:
            request = self.rfile.read(int(self.headers["Content-Length"])).decode()
            body = cache.get(request)
            if body is None:
                operation, body = mailbox.answer(request)
            else:
                operation = "cached"
            counts[operation] = counts.get(operation, 0) + 1
            self._send("text/xml; charset=utf-8", body)

        def _send(self, kind: str, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            self.wfile.flush()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    return server


def main() -> None:
    """Serve until the standard input is closed or the process is ended."""
    count, mime_bytes, pem = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    server = serve(Mailbox(count, mime_bytes), pem)
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
