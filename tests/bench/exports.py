"""What an export costs: a mailbox of messages of 20 KB in Azurite, written as files, as mbox, and as Parquet.

    python -m tests.bench.exports [COUNT]

prints one JSON object: for each format the items a second, and a second of our processor time.
"""

import asyncio
import json
import os
import sys
import tempfile
import time
import uuid
from pathlib import Path

from sandbox.storage.azurite import Storage, StoragePorts, azurite
from sandbox.tls.authority import Authority, trust
from shared.replica.maintenance import export, parquet
from shared.replica.store import BlobTableReplica
from tests.bench.replica_writes import PAGE, cursor_after, made, message

WRITERS = {"files": export.to_files, "mbox": export.to_mbox, "parquet": parquet.to_parquet}


def exported(replica: BlobTableReplica, count: int) -> dict[str, float]:
    """Write a mailbox of so many messages into the replica, then export it in each format."""
    mailbox = uuid.uuid4().hex
    cursor = replica.load(mailbox)
    for page in range(count // PAGE):
        changes = [message(page * PAGE + number) for number in range(PAGE)]
        cursor = replica.commit(mailbox, cursor, changes, cursor_after(page + 1))
    reader, found = replica.reader(), dict[str, float]()
    for name, write in WRITERS.items():
        with tempfile.TemporaryDirectory() as directory:
            began, began_processor = time.perf_counter(), time.process_time()
            result = write(reader, mailbox, reader.every_item(mailbox), Path(directory) / "export")
            seconds, processor = time.perf_counter() - began, time.process_time() - began_processor
        if result.written != count // PAGE * PAGE:
            raise RuntimeError(f"{result.written} of {count} items were exported as {name}")
        found[f"export_{name}_per_second"] = round(result.written / seconds)
        found[f"export_{name}_per_cpu_second"] = round(result.written / processor)
    return found


async def measure(count: int) -> dict[str, float]:
    """Against an Azurite of its own that keeps its data in memory."""
    with tempfile.TemporaryDirectory() as directory:
        authority = Authority.at(Path(directory))
        os.environ.update(trust(authority.ca))  # noqa: TID251 -- requests reads it there
        async with azurite(authority, None, StoragePorts()) as storage:
            return await asyncio.to_thread(_measure, storage, count)


def _measure(storage: Storage, count: int) -> dict[str, float]:
    with made(storage) as replica:
        return exported(replica, count)


if __name__ == "__main__":
    print(json.dumps(asyncio.run(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000))))
