"""The four contenders, each reading a whole inbox from the canned server; each run in a fresh process.

    python -m tests.bench.contenders NAME URL BUNDLE.pem metadata|mime

prints one JSON object: processor seconds, seconds, items, peak memory. Importing is not counted, the first request is.
"""

import json
import re
import resource
import ssl
import sys
import time
import warnings
from collections.abc import Callable
from http.client import HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

FOLDER = "AAMkFolder0000"
FIELDS = [
    *("item_class", "subject", "sensitivity", "datetime_received", "size", "categories", "importance", "is_draft"),
    *("datetime_sent", "datetime_created", "has_attachments", "last_modified_time", "conversation_id", "sender"),
    *("to_recipients", "cc_recipients", "bcc_recipients", "author", "message_id", "is_read"),
]
"""What is needed of a message; exchangelib does not know the flag."""


def documented(url: str, bundle: str, mime: bool) -> int:
    """exchangelib as its documentation shows it."""
    account = _account(url)
    return sum(1 for _ in account.inbox.sync_items())


def tuned(url: str, bundle: str, mime: bool) -> int:
    """exchangelib asked for ids only, then for the properties needed."""
    account = _account(url)
    changes = account.inbox.sync_items(only_fields=["id", "changekey"], max_changes_returned=512)
    ids = [item for _, item in changes]
    fields = [*FIELDS, "mime_content"] if mime else FIELDS
    count = 0
    for item in account.fetch(ids=ids, folder=account.inbox, only_fields=fields, chunk_size=20 if mime else 50):
        assert not isinstance(item, Exception)
        count += 1
    return count


def ours(url: str, bundle: str, mime: bool) -> int:
    """The source that this program uses."""
    from shared.sources.ews.sources import EwsSources
    from shared.sources.model import Access, AccessMode, ContentLevel, Folder, FolderKind, FolderRole, Item

    sources = EwsSources(url, connections=3)
    source = sources.open(Access("bench@example.org", AccessMode.DELEGATED, "token"))
    folder = Folder(FOLDER, "", "Inbox", "Inbox", FolderKind.MAIL, FolderRole.INBOX, 0)
    state, complete, count = None, False, 0
    while not complete:
        page = source.changes(folder, state)
        state, complete = page.state, page.complete
        ids = [change.item_id for change in page.changes]
        for item in source.fetch(folder, ids, ContentLevel.MIME if mime else ContentLevel.METADATA):
            assert isinstance(item, Item), item
            count += 1
    source.close()
    return count


def limit(url: str, bundle: str, mime: bool) -> int:
    """The same requests over the barest connection, parsed by lxml, nothing taken out."""
    from lxml import etree

    from shared.sources.ews.fetching import shapes
    from shared.sources.ews.transport import soap_request
    from shared.sources.model import Access, AccessMode, ContentLevel

    envelopes = soap_request.Envelopes(Access("bench@example.org", AccessMode.DELEGATED, "token"))
    parts = urlsplit(url)
    connection = HTTPSConnection(parts.netloc, context=ssl.create_default_context(cafile=bundle))
    headers = {"Content-Type": "text/xml; charset=utf-8", "Authorization": "Bearer token"}

    def ask(body: str) -> bytes:
        connection.request("POST", parts.path, envelopes.wrap(body), headers)
        answer = connection.getresponse().read()
        etree.fromstring(answer)
        return answer

    shape = shapes.Shape.MESSAGE.request(ContentLevel.MIME if mime else ContentLevel.METADATA)
    state, count, size = None, 0, 50
    while True:
        answer = ask(soap_request.sync_folder_items(FOLDER, state))
        ids = re.findall(r'ItemId Id="([^"]+)"', answer.decode())
        for start in range(0, len(ids), size):
            ask(soap_request.get_item(shape, ids[start : start + size]))
        count += len(ids)
        found = re.search(rb"<m:SyncState>([^<]+)<", answer)
        assert found
        state = found[1].decode()
        if b"IncludesLastItemInRange>true" in answer:
            connection.close()
            return count


def _account(url: str) -> Any:
    from exchangelib import DELEGATE, UTC, Account, Configuration, OAuth2AuthorizationCodeCredentials
    from exchangelib.version import EXCHANGE_O365, Version

    credentials = OAuth2AuthorizationCodeCredentials(access_token={"access_token": "token", "token_type": "Bearer"})
    config = Configuration(service_endpoint=url, credentials=credentials, version=Version(EXCHANGE_O365))
    return Account("bench@example.org", config=config, autodiscover=False, access_type=DELEGATE, default_timezone=UTC)


CONTENDERS: dict[str, Callable[[str, str, bool], int]] = {
    "documented": documented,
    "tuned": tuned,
    "ours": ours,
    "limit": limit,
}


def main() -> None:
    """Run one contender once."""
    warnings.simplefilter("ignore")
    name, url, bundle, what = sys.argv[1:5]
    if name in ("documented", "tuned"):
        import exchangelib  # noqa: F401
    elif name == "ours":
        import shared.sources.ews.mailbox  # noqa: F401
    else:
        import lxml.etree  # noqa: F401
    started, cpu = time.perf_counter(), time.process_time()
    items = CONTENDERS[name](url, bundle, what == "mime")
    print(
        json.dumps(
            {
                "items": items,
                "cpu": time.process_time() - cpu,
                "seconds": time.perf_counter() - started,
                "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            }
        )
    )


if __name__ == "__main__":
    main()
