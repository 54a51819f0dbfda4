"""What `bench-system` measures in processes of their own: everything around the mail, with real Storage adapters.

python -m tests.bench.system_subjects idle URL STORAGE_JSON PASSES
python -m tests.bench.system_subjects dispatch STORAGE_JSON MAILBOXES
python -m tests.bench.system_subjects sends STORAGE_JSON MESSAGES
python -m tests.bench.system_subjects first URL STORAGE_JSON
python -m tests.bench.system_subjects azurite STORAGE_JSON MESSAGES
python -m tests.bench.system_subjects memory URL STORAGE_JSON PASSES

Processor time is that of the process itself with all its threads, so that other work on the machine is not counted.
"""

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from types import SimpleNamespace

from sandbox.storage.azurite import Storage
from sandbox.storage.provision import provision
from shared.scheduling.dispatch import SENDERS, Dispatch
from tests.bench.queue_sends import sends_per_second
from tests.bench.replica_writes import ready_made
from tests.bench.storage import LocalCredential
from tests.bench.system_parts import System, count_requests, utc_now

IDLE_REQUESTS_OF_HOST = 3
"""Queue requests of an idle pass that the worker does not make: the send, the receipt, and the deletion."""

SHARDS = 16
AT_ONCE = 8
"""How many messages the host hands to one worker at once: batchSize in host.json."""


def idle(url: str, storage: str, passes: str) -> dict[str, float]:
    """A mailbox without changes: processor time and Storage requests of a whole pass, and of its mail request alone."""
    system = System(url, json.loads(storage))
    mailbox = system.connect("idle")
    for _ in range(4):
        system.sync(mailbox)
        system.age(mailbox)
    number = int(passes)
    requests = count_requests(system.storage_ports, lambda: system.sync(mailbox))
    whole = _processor_ms(lambda: system.sync(mailbox), number)
    request = _processor_ms(lambda: system.read_folders(mailbox), number)
    system.close()
    return {"pass_ms": whole, "request_ms": request, "requests": requests + IDLE_REQUESTS_OF_HOST}


def dispatch(storage: str, mailboxes: str) -> dict[str, float]:
    """All mailboxes of the registry, which are due, sent by one process: seconds, processor time, memory, and how long
    the timer takes.
    """
    urls = json.loads(storage)
    number = int(mailboxes)
    system = System("https://127.0.0.1:1/", urls)
    interval = timedelta(minutes=30)
    sender = Dispatch(
        system.registry, system.queue, SHARDS, interval, utc_now, summaries=system.summaries, senders=SENDERS
    )
    tick = _timed(sender.tick)
    before = _memory_mb()
    began, processor = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        sent = sum(done.sent for done in pool.map(sender.shard, range(SHARDS)))
    seconds, processor = time.perf_counter() - began, time.process_time() - processor
    if sent != number:
        raise RuntimeError(f"{sent} of {number} mailboxes were sent")
    return {
        "seconds": seconds,
        "per_second": number / seconds,
        "cpu_ms": processor * 1000 / number,
        "timer_seconds": tick,
        "grown_mb": _memory_mb() - before,
    }


def first(url: str, storage: str) -> dict[str, float]:
    """A first sync into Storage, then two daily sweeps of the mailbox, in which nothing has changed.

    The first sweep compacts, as one does every six days. Before the second the cursor has settled, as it has an hour
    after the last change.
    """
    system = System(url, json.loads(storage))
    system.read_folders(system.connect("warm"))
    mailbox = system.connect("first")
    began, processor = time.perf_counter(), time.process_time()
    system.sync(mailbox)
    seconds, processor = time.perf_counter() - began, time.process_time() - processor
    items = system.registry.get(mailbox).items
    compacting = _swept(system, mailbox)
    system.age(mailbox)
    system.sync(mailbox)
    ordinary = _swept(system, mailbox)
    assert system.registry.get(mailbox).swept_at is not None
    system.close()
    return {
        "items": items,
        "seconds": seconds,
        "cpu": processor,
        "sweep_cpu": ordinary[0],
        "sweep_requests": ordinary[1],
        "compacting_cpu": compacting[0],
        "compacting_requests": compacting[1],
    }


def _swept(system: System, mailbox: str) -> tuple[float, int]:
    """A sweep's processor seconds, and its requests to Exchange and Storage."""
    began = time.process_time()
    requests = count_requests(system.all_ports, lambda: system.sweep(mailbox))
    return time.process_time() - began, requests


def azurite(storage: str, messages: str) -> dict[str, float]:
    """Azurite's own rate for the rows and packs of so many messages, ready-made, over one connection each."""
    urls = json.loads(storage)
    provision(urls["blob"], urls["queue"], urls["table"], LocalCredential())
    found = ready_made(
        Storage(urls["blob"], urls["queue"], urls["table"], 0),
        os.environ["REQUESTS_CA_BUNDLE"],  # noqa: TID251 -- set by the environment of the benchmark
        int(messages),
    )
    each = 1 / found["azurite_rows_per_second"] + 1 / found["azurite_contents_per_second"]
    return {"per_second": 1 / each}


def sends(storage: str, messages: str) -> dict[str, float]:
    """Azurite's own rate of so many messages like those of the dispatch, ready-made."""
    urls = json.loads(storage)
    provision(urls["blob"], urls["queue"], urls["table"], LocalCredential())
    return {"per_second": sends_per_second(urls["queue"], int(messages))}


def memory(url: str, storage: str, passes: str) -> dict[str, float]:
    """So many first syncs at once in one process: its peak memory."""
    system = System(url, json.loads(storage))
    mailboxes = [system.connect(f"memory-{number}") for number in range(int(passes))]
    with ThreadPoolExecutor(len(mailboxes)) as pool:
        list(pool.map(system.sync, mailboxes))
    items = sum(system.registry.get(mailbox).items for mailbox in mailboxes)
    system.close()
    return {"peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "items": items}


def _processor_ms(work: Callable[[], object], times: int) -> float:
    """Processor milliseconds of the work, on average."""
    began = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - began) * 1000 / times


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _memory_mb() -> float:
    """The process's peak memory so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


SUBJECTS: SimpleNamespace = SimpleNamespace(
    idle=idle, dispatch=dispatch, sends=sends, first=first, azurite=azurite, memory=memory
)

if __name__ == "__main__":
    print(json.dumps(getattr(SUBJECTS, sys.argv[1])(*sys.argv[2:])))
