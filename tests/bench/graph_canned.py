"""A canned Graph in a process of its own: pages are put together once, so that a client's cost shows.

    python -m tests.bench.graph_canned COUNT MIME_BYTES CERTIFICATE.pem KEY.pem

prints its port on the first line. The inbox has COUNT messages; there are thirty mail folders, two calendars, two
contact folders and three task lists, one of which mirrors flagged mail. Answers are not compressed.
"""

import json
import re
import sys
import threading
import time
from functools import lru_cache
from http.server import ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

from tests.bench.canned_http import CannedHandler, Counts, listening, mime_of, serve_until_closed
from tests.bench.graph_sample import message, reference

FOLDERS = 30
ROOT = "/v1.0"
_PAGE = 200
_LISTED = 999
_MIME_SECONDS = 0.05
"""How long a message's MIME takes, while others are served: what keeps requests in flight."""


class Mailbox:
    """The answers, and how many requests of each kind there were."""

    def __init__(self, count: int, mime_bytes: int) -> None:
        self.count = count
        self.counts = Counts()
        self.host = ""
        self._mime = mime_of(mime_bytes)
        self._lock = threading.Lock()
        self._slow = False
        self._now, self._most = 0, 0
        self._busy, self._first, self._last = 0.0, 0.0, 0.0

    def told(self, act: str) -> None:
        """One more message comes into the inbox, or MIME takes its time from now on."""
        if act == "/arrive":
            self.count += 1
        else:
            self._slow = True

    def in_flight(self) -> bytes:
        """How many messages' MIME was being served at a time."""
        spent = self._last - self._first
        return _json({"most": self._most, "average": self._busy / spent if spent else 0.0})

    def answer(self, method: str, target: str, preferred: str, body: bytes) -> bytes:
        """The answer to one HTTP request, counted. Raises ValueError for what is not there."""
        path = unquote(target).removeprefix(ROOT)
        if method == "POST" and path == "/$batch":
            kind, told = "batch", self._batch(json.loads(body))
        elif path.endswith("/$value"):
            kind, told = "mime", self._mime_served()
        else:
            kind, told = "get", self.resource(path, preferred)
        self.counts.add(kind, len(told))
        return told

    def _mime_served(self) -> bytes:
        started = time.monotonic()
        with self._lock:
            self._now += 1
            self._most = max(self._most, self._now)
            self._first = self._first or started
        if self._slow:
            time.sleep(_MIME_SECONDS)
        with self._lock:
            self._now -= 1
            self._last = time.monotonic()
            self._busy += self._last - started
        return self._mime

    def _batch(self, asked: dict[str, Any]) -> bytes:
        parts = b",".join(self._part(each) for each in asked["requests"])
        return b'{"responses":[' + parts + b"]}"

    def _part(self, asked: dict[str, Any]) -> bytes:
        identifier = json.dumps(asked["id"]).encode()
        try:
            told = self.resource(unquote(asked["url"]), asked.get("headers", {}).get("Prefer", ""))
        except ValueError:
            told, status = b'{"error":{"code":"ErrorItemNotFound","message":"not there"}}', b"404"
        else:
            status = b"200"
        return b'{"id":' + identifier + b',"status":' + status + b',"headers":{},"body":' + told + b"}"

    def resource(self, path: str, preferred: str) -> bytes:
        """A page of a collection, a listing, or a folder by its well-known name."""
        path = re.sub(r"^/(?:me|users/[^/]+)", "", path)
        place, _, query = path.replace("/delta()", "/delta", 1).partition("?")
        if place in _LISTINGS:
            return _LISTINGS[place]
        if place == "/mailFolders/delta":
            return _listing(*(self._folder(number) for number in range(FOLDERS)), delta=True)
        if named := re.fullmatch(r"/mailFolders/(inbox|msgfolderroot)", place):
            return _json({"id": mail_folder(0) if named[1] == "inbox" else "AAMkRoot"})
        if place == "/contactFolders/contacts":
            return _json({"id": "AAMkContacts0000", "displayName": "Contacts"})
        if place.endswith("/delta"):
            return self._delta(place, query, preferred)
        return self._of_a_sweep(place, query)

    def _of_a_sweep(self, place: str, query: str) -> bytes:
        """What a comparison asks besides: the owner, a folder's own count, and listings. Raises ValueError."""
        if not place:
            return _json({"mail": "bench@example.org", "userPrincipalName": "bench@example.org"})
        if re.fullmatch(r"/(mailFolders|contactFolders|calendars)/[^/]+", place):
            return _json({"id": place.rpartition("/")[2], "totalItemCount": 0})
        if place == f"/mailFolders/{mail_folder(0)}/messages":
            return self._listed(query)
        if re.search(r"/(calendarView|messages|events|contacts|tasks)$", place):
            return b'{"value":[]}'
        raise ValueError(place)

    def _folder(self, number: int) -> dict[str, Any]:
        return {
            "id": mail_folder(number),
            "displayName": f"Folder {number}",
            "parentFolderId": "AAMkRoot",
            "totalItemCount": 0 if number else self.count,
            "isHidden": False,
        }

    def _listed(self, query: str) -> bytes:
        """A page of the inbox as it is listed for comparison: ids, versions and times."""
        skip = re.search(r"skip=(\d+)", query)
        start = int(skip[1]) if skip else 0
        end = min(start + _LISTED, self.count)
        link = f"{self.host}{ROOT}/me/mailFolders/{mail_folder(0)}/messages?$skip={end}" if end < self.count else ""
        following = b'"@odata.nextLink":"%s",' % link.encode() if link else b""
        return b'{%s"value":[%s]}' % (following, _references(start, end))

    def _delta(self, place: str, query: str, preferred: str) -> bytes:
        """A page of changes from where the token says; nothing ever changes but in the inbox."""
        token = re.search(r"token=(\d+)", query)
        size = re.search(r"maxpagesize=(\d+)", preferred)
        start = int(token[1]) if token else 0
        total = self.count if place == f"/mailFolders/{mail_folder(0)}/messages/delta" else 0
        end = min(start + min(int(size[1]) if size else 10, _PAGE), total)
        name = "nextLink" if end < total else "deltaLink"
        link = f"{self.host}{ROOT}/me{place}?${'skip' if end < total else 'delta'}token={max(end, start)}"
        return b'{"@odata.%s":"%s","value":[%s]}' % (name.encode(), link.encode(), _members(start, end))


def mail_folder(number: int) -> str:
    """The id of a mail folder; the first is the inbox."""
    return f"AAMkFolder{number:04d}"


@lru_cache(512)
def _members(start: int, end: int) -> bytes:
    return ",".join(message(number) for number in range(start, end)).encode()


@lru_cache(64)
def _references(start: int, end: int) -> bytes:
    return ",".join(reference(number) for number in range(start, end)).encode()


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _listing(*members: dict[str, Any], delta: bool = False) -> bytes:
    link = {"@odata.deltaLink": f"https://graph.microsoft.com{ROOT}/me/listing?$deltatoken=1"} if delta else {}
    return _json({"value": list(members)} | link)


_OWNER = {"name": "Bench", "address": "bench@example.org"}
_LISTINGS = {
    "/calendars": _listing(
        {"id": "AAMkCalendar0000", "name": "Calendar", "owner": _OWNER, "isDefaultCalendar": True},
        {"id": "AAMkCalendar0001", "name": "Team", "owner": _OWNER, "isDefaultCalendar": False},
    ),
    "/contactFolders/delta": _listing(
        {"id": "AAMkContacts0001", "displayName": "Suppliers", "parentFolderId": "AAMkContacts0000"}, delta=True
    ),
    "/todo/lists": _listing(
        {"id": "AAMkTasks0000", "displayName": "Tasks", "isOwner": True, "wellknownListName": "defaultList"},
        {"id": "AAMkTasks0001", "displayName": "Home", "isOwner": True, "wellknownListName": "none"},
        {"id": "AAMkTasks0002", "displayName": "Flagged", "isOwner": True, "wellknownListName": "flaggedEmails"},
    ),
}


def serve(mailbox: Mailbox, certificate: str, key: str) -> ThreadingHTTPServer:
    """A server on a port that the system gives.

    GET / tells how many requests and bytes of each kind there were; GET /arrive lets a message come; GET /slow lets
    MIME take its time; GET /in-flight tells how many of those were served at a time: at most, and on average.
    """

    class Handler(CannedHandler):
        def do_GET(self) -> None:
            match self.path:
                case "/":
                    self.respond("text/plain", mailbox.counts.taken())
                case "/arrive" | "/slow":
                    mailbox.told(self.path)
                    self.respond("text/plain", b"")
                case "/in-flight":
                    self.respond("application/json", mailbox.in_flight())
                case _:
                    self._answer(b"")

        def do_POST(self) -> None:
            self._answer(self.received())

        def _answer(self, body: bytes) -> None:
            preferred = self.headers.get("Prefer", "")
            self.respond("application/json", mailbox.answer(self.command, self.path, preferred, body))

    server = listening(Handler, certificate, key)
    mailbox.host = f"https://127.0.0.1:{server.server_address[1]}"
    return server


def main() -> None:
    """Serve until the standard input is closed."""
    count, mime_bytes, certificate, key = sys.argv[1:5]
    serve_until_closed(serve(Mailbox(int(count), int(mime_bytes)), certificate, key))


if __name__ == "__main__":
    main()
