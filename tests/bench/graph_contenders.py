"""What reads a whole inbox from the canned Graph, each in a fresh process, which counts imports for nothing.

    python -m tests.bench.graph_contenders NAME URL BUNDLE.pem metadata|mime

prints one JSON object: processor seconds, seconds, items; NAME `parsing` gives processor seconds for pages that were
downloaded before. Nothing of this program or its packages is imported at the top: the SDK has its own environment.
"""

import asyncio
import importlib
import json
import ssl
import sys
import time
from collections.abc import Callable, Iterator
from http.client import HTTPSConnection
from statistics import median
from typing import Any
from urllib.parse import quote, urlsplit

FOLDER = "AAMkFolder0000"
_TURNS = 7
Work = Callable[[], int]


def ours(url: str, bundle: str, mime: bool) -> Work:
    """The source that this program uses, as a first sync uses it."""
    from shared.sources.graph.sources import GraphSources
    from shared.sources.model import Access, AccessMode, ContentLevel, Folder, FolderKind, FolderRole, Item, SourceName

    for name in ("shared.sources.graph.mailbox", "shared.sources.https_pool", "requests", "certifi"):
        importlib.import_module(name)
    folder = Folder(FOLDER, "", "Inbox", "Inbox", FolderKind.MAIL, FolderRole.NONE, 0)

    def work() -> int:
        sources = GraphSources(url)
        source = sources.open(Access("bench@example.org", AccessMode.DELEGATED, "token", None, SourceName.GRAPH))
        state, complete, count = None, False, 0
        while not complete:
            page = source.changes(folder, state)
            state, complete = page.state, page.complete
            if not mime:
                count += len(page.items)
                continue
            ids = [change.item_id for change in page.changes]
            for item in source.fetch(folder, ids, ContentLevel.MIME, page.items):
                assert isinstance(item, Item), item
                count += 1
        source.close()
        return count

    return work


def limit(url: str, bundle: str, mime: bool) -> Work:
    """The same requests over the barest connection, pages decoded by msgspec, nothing made of them."""
    import msgspec

    importlib.import_module("shared.sources.graph.mail.messages")

    def work() -> int:
        connection, count = _connected(url, bundle), 0
        for body in _pages(connection):
            members = msgspec.json.decode(body)["value"]
            count += len(members)
            if mime:
                for each in members:
                    _got(connection, f"/v1.0/users/bench@example.org/messages/{each['id']}/$value")
        connection.close()
        return count

    return work


def parsing(url: str, bundle: str) -> dict[str, float]:
    """Processor seconds for the pages alone, downloaded before: by msgspec as dicts and lists, by msgspec as the
    structs that this program has for them, and made into changes and items by this program.
    """
    import msgspec

    from shared.sources.graph.kinds import MAIL, read_page
    from shared.sources.graph.transport.answers import decoder

    bodies = list(_pages(_connected(url, bundle)))
    ways: dict[str, Callable[[bytes], object]] = {
        "untyped": msgspec.json.decode,
        "typed": decoder(MAIL.members).decode,
        "pages": lambda body: read_page(MAIL, body, FOLDER),
    }
    spent: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(_TURNS):
        for name, way in ways.items():
            started = time.process_time()
            for body in bodies:
                way(body)
            spent[name].append(time.process_time() - started)
    return {name: median(each) for name, each in spent.items()}


def sdk(url: str, bundle: str, mime: bool) -> Work:
    """msgraph-sdk, page by page."""
    adapter_of: Any = importlib.import_module("msgraph").GraphRequestAdapter
    client_of: Any = importlib.import_module("msgraph").GraphServiceClient
    anonymous: Any = importlib.import_module("kiota_abstractions.authentication.anonymous_authentication_provider")

    async def read() -> int:
        adapter = adapter_of(anonymous.AnonymousAuthenticationProvider())
        adapter.base_url = f"{url}/v1.0"
        client = client_of(request_adapter=adapter)
        delta = client.users.by_user_id("bench@example.org").mail_folders.by_mail_folder_id(FOLDER).messages.delta
        count, page = 0, await delta.get()
        while True:
            count += len(page.value)
            if not page.odata_next_link:
                return count
            page = await delta.with_url(page.odata_next_link).get()

    return lambda: asyncio.run(read())


def _connected(url: str, bundle: str) -> HTTPSConnection:
    return HTTPSConnection(urlsplit(url).netloc, context=ssl.create_default_context(cafile=bundle))


def _pages(connection: HTTPSConnection) -> Iterator[bytes]:
    """Every page of the inbox, as this program asks for them."""
    from shared.sources.graph.mail.messages import FIRST_ROUND

    path = f"/v1.0/users/bench@example.org/mailFolders/{FOLDER}/messages/delta{FIRST_ROUND}"
    while path:
        body = _got(connection, path)
        yield body
        found = body[:500].partition(b'"@odata.nextLink":"')[2].partition(b'"')[0].decode()
        parts = urlsplit(found)
        path = f"{parts.path}?{parts.query}" if found else ""


def _got(connection: HTTPSConnection, path: str) -> bytes:
    headers = {"Authorization": "Bearer token", "Prefer": "odata.maxpagesize=200"}
    connection.request("GET", quote(path, safe="/$?&=@-_.,;:()'%"), headers=headers)
    return connection.getresponse().read()


CONTENDERS: dict[str, Callable[[str, str, bool], Work]] = {
    "ours": ours,
    "limit": limit,
    "sdk": sdk,
}


def main() -> None:
    """Run one contender once."""
    name, url, bundle, what = sys.argv[1:5]
    if name == "parsing":
        print(json.dumps(parsing(url, bundle)))
        return
    work = CONTENDERS[name](url, bundle, what == "mime")
    started, cpu = time.perf_counter(), time.process_time()
    items = work()
    spent, seconds = time.process_time() - cpu, time.perf_counter() - started
    print(json.dumps({"items": items, "cpu": spent, "seconds": seconds}))


if __name__ == "__main__":
    main()
