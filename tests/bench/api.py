"""What the API costs: `python -m tests.bench.api [--quick]`, or `make bench-api`.

A page of 1,000 items of a mailbox of 100,000, one content, and 10,000 changes, each with the encoding of its answer,
over the adapters that the app uses and Azurite. Prints a table and one JSON line; fails if a target is missed.
`--quick` uses a mailbox of 10,000.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import msgspec

from sandbox.storage.provision import provision
from sandbox.tls.authority import trust
from shared.api.operations.changes import list_changes
from shared.api.operations.items import get_content, list_items
from shared.replica.encoding import cursor_json, feed
from shared.replica.encoding.item_rows import item_to_row
from shared.replica.port import Cursor, FolderState
from shared.replica.storage_port import CURSORS, FEED
from shared.replica.store import BlobTableReplica
from tests.bench.environment import Environment, environment
from tests.bench.many_mailboxes import row_line
from tests.bench.replica_writes import PAGE, message
from tests.bench.storage import LocalCredential
from tests.bench.system_parts import count_requests
from tests.fakes.api import ApiParts

ID = "0" * 32
ITEMS = 100_000
CHANGES = 10_000
TARGETS = {"page_cpu_ms": 150.0, "content_requests": 2.0, "changes_cpu_ms": 1_000.0}
"""The most that each figure may be."""


def main(quick: bool) -> int:
    """Measure, print, and compare with the targets."""
    with environment(quick) as stage:
        figures = _measured(stage)
    names = {
        "page_cpu_ms": f"a page of 1,000 items of a mailbox of {stage.size(ITEMS):,}, CPU ms",
        "page_requests": "Storage requests of that page",
        "content_cpu_ms": "one content, CPU ms",
        "content_requests": "Storage requests of that content",
        "changes_cpu_ms": f"{CHANGES:,} changes read from the feed, CPU ms",
        "changes_requests": "Storage requests of those changes",
    }
    for name, text in names.items():
        print(f"{text:70} {figures[name]:10.1f}" + (f"   at most {TARGETS[name]:.0f}" if name in TARGETS else ""))
    print(json.dumps(figures))
    return int(any(figures[name] > most for name, most in TARGETS.items()))


def _measured(stage: Environment) -> dict[str, float]:
    _write_rows(stage.directory, stage.size(ITEMS))
    os.environ.update(  # noqa: TID251 -- for Azurite and for this process's own requests
        trust(stage.authority.ca)
        | {
            "FILL_AZURITE": str(stage.directory),
            "NODE_OPTIONS": f"--require={Path(__file__).parent / 'fill_azurite.cjs'}",
        }
    )
    with stage.storage() as urls:
        provision(urls["blob"], urls["queue"], urls["table"], LocalCredential())
        replica = BlobTableReplica.at(urls["blob"], urls["table"], LocalCredential())
        _write_feed(replica)
        parts = ApiParts()
        parts.add_mailbox(ID)
        parts.replica_reader = replica.reader()
        key = _with_content(replica)
        work: dict[str, Callable[[], Any]] = {
            "page": lambda: msgspec.json.encode(parts.call(list_items, mailbox=ID, limit="1000")),
            "content": lambda: parts.call(get_content, mailbox="1" * 32, item=key).data,
            "changes": lambda: parts.call(list_changes, mailbox=ID, limit=str(CHANGES)).data,
        }
        parts.add_mailbox("1" * 32)
        figures: dict[str, float] = {}
        for name, one in work.items():
            assert one()
            figures[f"{name}_cpu_ms"] = median(_processor_ms(one) for _ in range(stage.runs(5, 3)))
            figures[f"{name}_requests"] = count_requests(frozenset(), one)
        replica.close()
    return figures


def _processor_ms(work: Callable[[], object]) -> float:
    before = time.process_time()
    work()
    return (time.process_time() - before) * 1000


def _write_rows(directory: Path, number: int) -> None:
    """The rows of the mailbox for fill_azurite.cjs, in the order of their keys."""
    items = sorted((message(index).item for index in range(number)), key=lambda item: item.key)
    with (directory / "items.ndjson").open("w") as file:
        for item in items:
            file.write(row_line({"PartitionKey": ID, "RowKey": item.key} | item_to_row(item)))


def _write_feed(replica: BlobTableReplica) -> None:
    """Pages of the feed, and the cursor, as commits write them; nothing is applied to rows."""
    cursor = Cursor(folders={"AAMkFolder0000": FolderState("AAMkFolder0000", "Inbox", items=ITEMS)})
    for page in range(1, CHANGES // PAGE + 1):
        following = Cursor(page, cursor.folders)
        changes = [message(index) for index in range((page - 1) * PAGE, page * PAGE)]
        step = cursor_json.step_to_json(cursor, following)
        replica._blobs.put(FEED, feed.page_name(ID, page), feed.encode(ID, step, changes))
        cursor = following
    replica._blobs.put(CURSORS, ID, json.dumps(cursor_json.cursor_to_json(cursor)).encode())


def _with_content(replica: BlobTableReplica) -> str:
    """Another mailbox with one message of 20 KB; returns the item's key."""
    change = message(0)
    replica.commit("1" * 32, replica.load("1" * 32), [change], Cursor())
    return change.item.key


if __name__ == "__main__":
    sys.exit(main("--quick" in sys.argv[1:]))
