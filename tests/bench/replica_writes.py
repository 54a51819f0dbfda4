"""What writing the replica costs: pages of 250 messages of 20 KB into Azurite, next to what Azurite itself can do.

    python -m tests.bench.replica_writes [COUNT]

prints one JSON object. `azurite_*` is the same number of rows and bytes sent ready-made over one connection.
"""

import asyncio
import base64
import hashlib
import json
import os
import ssl
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.client import HTTPSConnection
from pathlib import Path
from urllib.parse import urlsplit

from azure.core.credentials import AccessToken
from azure.data.tables import TableServiceClient
from azure.storage.blob import BlobServiceClient

from sandbox.storage.azurite import Storage, StoragePorts, azurite
from sandbox.tls.authority import Authority, trust
from shared.replica.port import Cursor, FeedChange, FeedKind, FolderState, ReplicaItem, item_key
from shared.replica.store import BlobTableReplica
from shared.sources.model import Content, ItemKind

PAGE = 250
SIZE = 20_000
FOLDERS = 30


class Unsigned:
    """A token that Azurite's basic OAuth takes: it reads the claims and checks no signature."""

    def get_token(self, *scopes: str, **options: object) -> AccessToken:
        """One for a few hours."""
        now = int(time.time())
        claims = {"iat": now - 60, "nbf": now - 60, "exp": now + 9000, "iss": "https://sts.windows.net/bench/"}
        parts = ({"alg": "none"}, claims | {"aud": "https://storage.azure.com"})
        text = ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts)
        return AccessToken(f"{text}.none", now + 9000)


def message(number: int) -> FeedChange:
    """A new message with what a sync knows of it."""
    source_id = f"AAMkADhiN2U0{number:08d}" + "QmVuY2hNYXJr" * 10 + "AAA="
    person = {"name": "Ann Example", "address": f"ann{number % 97}@example.org"}
    item = ReplicaItem(
        item_key(source_id),
        source_id,
        f"CQAAABYAAAC{number:08d}",
        "AAMkFolder0000",
        ItemKind.MESSAGE,
        "IPM.Note",
        f"{number:032x}",
        f"{number:032x}",
        f"Quarterly figures, take {number}",
        SIZE,
        False,
        datetime(2026, 1, 1, tzinfo=UTC),
        {"from": person, "to": [person] * 3, "sent": "2026-01-01T00:00:00+00:00", "importance": "Normal"},
    )
    body = b"Subject: Bench\r\n\r\n%08d" % number + b"All work and no play is dull.\r\n" * (SIZE // 31)
    return FeedChange(FeedKind.CREATE, item, Content("eml", body[:SIZE]))


def cursor_after(page: int) -> Cursor:
    """A cursor of thirty folders, one of which has moved on."""
    states = [f"{page if number == 0 else 0:04d}" + "H4sIAAAAAAAEAO29" * 90 for number in range(FOLDERS)]
    return Cursor(
        folders={
            f"f{number}": FolderState(f"f{number}", f"Folder {number}", state=state)
            for number, state in enumerate(states)
        }
    )


def written(replica: BlobTableReplica, count: int) -> dict[str, float]:
    """Write a mailbox of so many messages; items a second, and our processor seconds for a thousand."""
    mailbox = uuid.uuid4().hex
    cursor = replica.commit(mailbox, replica.load(mailbox), [message(count + 1)], cursor_after(0))
    seconds, processor = 0.0, 0.0
    for page in range(count // PAGE):
        changes = [message(page * PAGE + number) for number in range(PAGE)]
        began, began_processor = time.perf_counter(), time.process_time()
        cursor = replica.commit(mailbox, cursor, changes, cursor_after(page + 1))
        seconds += time.perf_counter() - began
        processor += time.process_time() - began_processor
    done = count // PAGE * PAGE
    return {
        "replica_items_per_second": round(done / seconds),
        "replica_cpu_seconds_per_1000": round(processor / done * 1000, 3),
        "idle_load_cpu_ms": _processor_ms(lambda: replica.load(mailbox)),
        "find_cpu_ms": _processor_ms(lambda: replica.find(mailbox, [message(0).item.source_id])),
    }


def _processor_ms(act: Callable[[], object], times: int = 50) -> float:
    act()
    began = time.process_time()
    for _ in range(times):
        act()
    return round((time.process_time() - began) / times * 1000, 2)


def ready_made(storage: Storage, bundle: str, count: int) -> dict[str, float]:
    """The limit: transactions of 100 inserts and packs of 250 contents, prepared beforehand, over plain http.client."""
    token = Unsigned().get_token().token
    mailbox = uuid.uuid4().hex
    table, blob = urlsplit(storage.table), urlsplit(storage.blob)
    context = ssl.create_default_context(cafile=bundle)
    rows = [_transaction(storage.table, mailbox, first) for first in range(0, count, 100)]
    pack = b"x" * SIZE * PAGE
    headers = {"Authorization": f"Bearer {token}", "x-ms-version": "2020-12-06", "DataServiceVersion": "3.0"}
    lines = [HTTPSConnection(where.hostname or "", where.port, context=context) for where in (table, blob)]
    began = time.perf_counter()
    for body in rows:
        _send(
            lines[0],
            "POST",
            f"{table.path}/$batch",
            body,
            headers | {"Content-Type": "multipart/mixed; boundary=batch_1"},
        )
    rows_done = time.perf_counter()
    for number in range(count // PAGE):
        _send(lines[1], "PUT", f"{blob.path}/packs/{mailbox}/{number}", pack, headers | {"x-ms-blob-type": "BlockBlob"})
    packs_done = time.perf_counter()
    for line in lines:
        line.close()
    return {
        "azurite_rows_per_second": round(count / (rows_done - began)),
        "azurite_contents_per_second": round(count / (packs_done - rows_done)),
    }


def _transaction(url: str, mailbox: str, first: int) -> bytes:
    parts = ["--batch_1\r\nContent-Type: multipart/mixed; boundary=changeset_1\r\n\r\n"]
    for number in range(first, first + 100):
        key = hashlib.sha256(str(number).encode()).hexdigest()
        row = {"PartitionKey": mailbox, "RowKey": key} | {f"property_{each}": "x" * 60 for each in range(16)}
        parts.append(
            "--changeset_1\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n"
            f"POST {url}/items HTTP/1.1\r\nContent-Type: application/json\r\nPrefer: return-no-content\r\n"
            f"Accept: application/json;odata=nometadata\r\nDataServiceVersion: 3.0\r\n\r\n{json.dumps(row)}\r\n"
        )
    return "".join([*parts, "--changeset_1--\r\n--batch_1--\r\n"]).encode()


def _send(line: HTTPSConnection, method: str, path: str, body: bytes, headers: dict[str, str]) -> None:
    line.request(method, path, body, headers)
    answer = line.getresponse()
    text = answer.read()
    if answer.status not in (201, 202) or b"HTTP/1.1 4" in text:
        raise RuntimeError(f"Azurite answered {answer.status}")


@contextmanager
def made(storage: Storage) -> Iterator[BlobTableReplica]:
    """A replica on a fresh Azurite."""
    credential = Unsigned()
    with BlobServiceClient(storage.blob, credential=credential) as blobs:
        for container in ("packs", "feed", "cursors"):
            blobs.create_container(container)
    with TableServiceClient(endpoint=storage.table, credential=credential) as tables:
        tables.create_table("items")
    replica = BlobTableReplica.at(storage.blob, storage.table, credential)
    yield replica
    replica.close()


async def measure(count: int) -> dict[str, float]:
    """Everything above, against an Azurite of its own that keeps its data in memory."""
    with tempfile.TemporaryDirectory() as directory:
        authority = Authority.at(Path(directory))
        os.environ.update(trust(authority.ca))  # noqa: TID251 -- requests reads it there
        async with azurite(authority, None, StoragePorts(), as_it_comes=True) as storage:
            return await asyncio.to_thread(_measure, storage, str(authority.ca), count)


def _measure(storage: Storage, bundle: str, count: int) -> dict[str, float]:
    with made(storage) as replica:
        written(replica, PAGE)
        return written(replica, count) | ready_made(storage, bundle, count)


if __name__ == "__main__":
    print(json.dumps(asyncio.run(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000))))
