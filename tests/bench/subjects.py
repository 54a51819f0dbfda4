"""What is measured in a process of its own, besides the contenders: a whole pass, an idle pass, Storage, imports.

python -m tests.bench.subjects idle URL BUNDLE.pem [graph]
python -m tests.bench.subjects first URL graph
python -m tests.bench.subjects pass|memory URL STORAGE_JSON
python -m tests.bench.subjects storage STORAGE_JSON MIME_BYTES
python -m tests.bench.subjects import
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any
from urllib.parse import urljoin

import requests

from shared.replica.port import Replica
from shared.sources.ews.sources import EwsSources
from shared.sources.graph.sources import GraphSources
from shared.sources.model import SourceName
from shared.sync.engine import SyncEngine
from shared.sync.limits import Limits
from shared.sync.scope import Scope
from tests.bench.storage import LocalCredential
from tests.fakes.clock import FakeClock
from tests.fakes.leases import FakeLeases
from tests.fakes.queue import FakeQueue
from tests.fakes.registry import FakeRegistry
from tests.fakes.replica import FakeReplica
from tests.fakes.sync_harness import ID, a_mailbox
from tests.fakes.tokens import FakeAccessTokens

IDLE_PASSES = 40


class Everything:
    """The engine over a source and a replica; registry, leases, queue and tokens are in memory."""

    def __init__(self, url: str, replica: Replica, source: SourceName = SourceName.EWS) -> None:
        self.registry, self.queue = FakeRegistry(), FakeQueue()
        self.registry.add(a_mailbox(FakeClock(), source=source))
        self.engine = SyncEngine(
            sources=GraphSources(url) if source is SourceName.GRAPH else EwsSources(url),
            replica=replica,
            registry=self.registry,
            leases=FakeLeases(),
            queue=self.queue,
            access_tokens=FakeAccessTokens(),
            scope_of=lambda _: Scope(),
            limits=Limits(),
        )

    def sync(self) -> None:
        """A pass and its continuations."""
        self.engine.sync(ID)
        self._go_on()

    def sweep(self) -> None:
        """The daily sweep and its continuations."""
        self.engine.sync(ID, sweep=True)
        self._go_on()

    @property
    def requests(self) -> int:
        """How many the last pass made."""
        return self.registry.runs(ID)[0].requests

    def _go_on(self) -> None:
        while self.queue.mailboxes:
            self.engine.sync(ID, self.queue.mailboxes.popleft().continuation)


def measured(work: Callable[[], None]) -> dict[str, float]:
    """Processor seconds, seconds and peak memory of some work."""
    started, cpu = time.perf_counter(), time.process_time()
    work()
    return {
        "cpu": time.process_time() - cpu,
        "seconds": time.perf_counter() - started,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def idle(url: str, ca: str, source: str = SourceName.EWS) -> dict[str, float]:
    """A mailbox in which nothing has changed since the last pass: requests and processor time of a pass.

    `changed` are the requests of a pass after a message has come into one folder.
    """
    everything = Everything(url, FakeReplica(), SourceName(source))
    everything.sync()
    everything.sync()

    def passes() -> None:
        for _ in range(IDLE_PASSES):
            everything.sync()

    figures = measured(passes)
    idle_requests = everything.requests
    items = everything.registry.get(ID).items
    let_arrive(url, ca)
    everything.sync()
    assert everything.registry.get(ID).items == items + 1
    return {
        "requests": idle_requests,
        "changed": everything.requests,
        "cpu": figures["cpu"] / IDLE_PASSES,
        "seconds": figures["seconds"] / IDLE_PASSES,
    }


def first_sync(url: str, source: str) -> dict[str, float]:
    """A first sync with MIME into memory: its requests and how many messages it brought."""
    everything = Everything(url, FakeReplica(), SourceName(source))
    figures = measured(everything.sync)
    runs = everything.registry.runs(ID)
    return figures | {"requests": sum(run.requests for run in runs), "items": everything.registry.get(ID).items}


def let_arrive(url: str, ca: str) -> None:
    """One message comes."""
    with requests.Session() as session:
        session.trust_env = False
        session.get(urljoin(url, "/arrive"), verify=ca, timeout=30).raise_for_status()


def whole_pass(
    url: str, storage: str, *, and_sweep: bool = False, source: SourceName = SourceName.EWS
) -> dict[str, float]:
    """A first sync into Storage; `swept_mb` is the peak memory of it and of the sweep that may follow."""
    from sandbox.storage.provision import provision
    from shared.replica.store import BlobTableReplica

    told = json.loads(storage)
    credential = LocalCredential()
    provision(told["blob"], told["queue"], told["table"], credential)
    replica = BlobTableReplica.at(told["blob"], told["table"], credential)
    everything = Everything(url, replica, source)
    import shared.sources.ews.mailbox
    import shared.sources.graph.mailbox  # noqa: F401 -- importing is measured elsewhere

    figures = measured(everything.sync)
    if and_sweep:
        figures["swept_mb"] = measured(everything.sweep)["peak_mb"]
        assert everything.registry.get(ID).swept_at is not None
    figures["items"] = everything.registry.get(ID).items
    replica.close()
    return figures


def storage(told: str, mime_bytes: str) -> dict[str, float]:
    """Azurite's own rates: rows in transactions of 100 and blobs of a pack's size, a few at a time; the limit."""
    from azure.data.tables import TableServiceClient
    from azure.storage.blob import BlobServiceClient

    urls = json.loads(told)
    name = f"bench{uuid.uuid4().hex[:8]}"
    rows = 2000
    with TableServiceClient(urls["table"], credential=LocalCredential()) as tables:
        table = tables.create_table(name)

        def transact(number: int) -> None:
            table.submit_transaction([("upsert", _row(number, each)) for each in range(100)])

        table_seconds = _timed(transact, rows // 100)
    pack = b"x" * (250 * int(mime_bytes))
    with BlobServiceClient(urls["blob"], credential=LocalCredential()) as blobs:
        container = blobs.create_container(name)
        blob_seconds = _timed(lambda number: container.upload_blob(str(number), pack), 8)
    return {"rows_per_second": rows / table_seconds, "packed_per_second": 8 * 250 / blob_seconds}


def _timed(work: Callable[[int], object], times: int) -> float:
    started = time.perf_counter()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(times)))
    return time.perf_counter() - started


def _row(transaction: int, number: int) -> dict[str, Any]:
    return {"PartitionKey": f"m{transaction % 4}", "RowKey": f"{transaction:06d}-{number:03d}", "data": "x" * 1200}


def importing() -> dict[str, float]:
    """Milliseconds to import function_app beyond what an empty interpreter takes, bytecode warm; the least of some.

    With PYTHONDONTWRITEBYTECODE set every import would compile the program anew: -E does not listen to it.
    """

    def least(kept: str, words: str) -> float:
        command = [sys.executable, "-E", "-X", f"pycache_prefix={kept}", "-c", words]
        found = []
        for _ in range(7):
            started = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)  # noqa: S603 -- ourselves
            found.append(time.perf_counter() - started)
        return min(found[1:]) * 1000

    with tempfile.TemporaryDirectory(prefix="bench-") as kept:
        return {"import_ms": least(kept, "import function_app") - least(kept, "pass")}


SUBJECTS: dict[str, Callable[..., dict[str, float]]] = {
    "idle": idle,
    "first": first_sync,
    "pass": whole_pass,
    "memory": partial(whole_pass, and_sweep=True),
    "graph-memory": partial(whole_pass, and_sweep=True, source=SourceName.GRAPH),
    "storage": storage,
    "import": importing,
}

if __name__ == "__main__":
    print(json.dumps(SUBJECTS[sys.argv[1]](*sys.argv[2:])))
