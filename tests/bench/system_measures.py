"""The measurements of `bench-system`: what everything around the mail costs."""

import json
from collections.abc import Callable

from tests.bench.environment import Environment
from tests.bench.figures import Figures
from tests.bench.system_parts import write_due_mailboxes

MIME_BYTES = 20_000
SENDS = 10_000
"""How many ready-made messages Azurite's own rate is measured with."""
PASSES = 8
"""How many passes a worker has under way at most: batchSize in host.json."""

KEYS = (
    "idle_pass_vs_request",
    "idle_pass_storage_requests",
    "dispatch_per_second",
    "dispatch_cpu_ms",
    "first_sync_vs_azurite",
    "first_sync_cpu_s_per_1000",
    "sweep_cpu_s_per_10k",
    "worker_mb_8_passes",
)

TARGETS: dict[str, tuple[str, float]] = {
    "idle_pass_vs_request": ("<=", 3),
    "idle_pass_storage_requests": ("<=", 8),
    "dispatch_per_second": (">=", 417),
    "dispatch_vs_azurite": (">=", 0.7),
    "dispatch_cpu_ms": ("<=", 0.5),
    "dispatch_timer_seconds": ("<=", 5),
    "first_sync_vs_azurite": (">=", 0.7),
    "first_sync_cpu_s_per_1000": ("<=", 0.35),
    "sweep_cpu_s_per_10k": ("<=", 1),
    "sweep_requests": ("<=", 30),
    "worker_mb_8_passes": ("<=", 350),
}

_MODULE = "tests.bench.system_subjects"

_IDLE = (
    "The mailbox's cursor was settled (decision 17); until an hour after the first sync a pass makes one request more."
    " At first a whole pass took 7.5 times its request, and 12 requests to Storage."
)
_DISPATCH = (
    "Azurite alone takes ready-made messages from as many connections, after the dispatch and with its messages still"
    " in the queue. At first, 5,000 mailboxes were sent at 46 per second, with 4.53 ms of processor time each."
)
_FIRST_SYNC = (
    "The client, the mail server, and Azurite share two cores, and a core that does two things at a time does each more"
    " slowly, so a first sync cannot come near Azurite's rate while the client's own processor time is that high. About"
    " half of it is reading and parsing what Exchange sends, the rest rows, packs, digests, and TLS. The daily sweep"
    " reads 10,000 rows in ten responses of the table, lists the inbox in ten, and the twenty-nine empty folders"
    " together. At first it took 185 requests."
)
_MEMORY = "The deployment sets MALLOC_ARENA_MAX=2, and a worker does not import the SDKs of Blob and Queue Storage."


def idle_pass(environment: Environment) -> Figures:
    """A whole pass over a mailbox without changes, beside its one mail request."""
    with environment.canned(0, MIME_BYTES) as canned, environment.storage() as storage:
        found = environment.child(
            _MODULE, "idle", canned.url, json.dumps(storage), "30" if environment.quick else "200"
        )
    ratio = found["pass_ms"] / found["request_ms"]
    figures = Figures("System: an idle pass, with real Storage adapters", ("what", "measured"), notes=_IDLE)
    figures.rows = [
        ("CPU of the whole pass", f"{found['pass_ms']:.1f} ms"),
        ("CPU of its one EWS request alone", f"{found['request_ms']:.1f} ms"),
        ("the pass against its request", f"{ratio:.1f}"),
        ("Storage requests, those of the queue included", f"{found['requests']:.0f}"),
    ]
    figures.values = {
        "idle_pass_vs_request": round(ratio, 2),
        "idle_pass_storage_requests": round(found["requests"]),
    }
    return figures


def dispatch(environment: Environment) -> Figures:
    """Due mailboxes in Azurite, sent by one worker process that handles eight shards at once."""
    number = environment.size(100_000) // (4 if environment.quick else 1)
    write_due_mailboxes(environment.directory, number)
    with environment.storage(rows=environment.directory) as storage:
        found = environment.child(_MODULE, "dispatch", json.dumps(storage), str(number))
        limit = environment.child(_MODULE, "sends", json.dumps(storage), str(min(number, SENDS)))
    figures = Figures(f"System: the dispatch of {number:,} due mailboxes", ("what", "measured"), notes=_DISPATCH)
    figures.rows = [
        ("seconds", f"{found['seconds']:.0f}"),
        ("mailboxes per second", f"{found['per_second']:.0f}"),
        ("Azurite alone: the same messages, ready-made, per second", f"{limit['per_second']:.0f}"),
        ("CPU per mailbox", f"{found['cpu_ms']:.2f} ms"),
        ("the timer, which sends a message per shard", f"{found['timer_seconds']:.2f} s"),
        ("growth of the process's peak memory", f"{found['grown_mb']:.0f} MB"),
    ]
    figures.values = {
        "dispatch_per_second": round(found["per_second"]),
        "dispatch_vs_azurite": round(found["per_second"] / limit["per_second"], 2),
        "dispatch_cpu_ms": round(found["cpu_ms"], 3),
        "dispatch_timer_seconds": round(found["timer_seconds"], 2),
        "dispatch_grown_mb": round(found["grown_mb"], 1),
    }
    return figures


def first_sync(environment: Environment) -> Figures:
    """A first sync and the sweep after it, beside what Azurite does by itself with the same rows and packs."""
    count = environment.size(10_000)
    with environment.canned(count, MIME_BYTES) as canned, environment.storage() as storage:
        found = environment.child(_MODULE, "first", canned.url, json.dumps(storage))
    with environment.storage() as storage:
        limit = environment.child(_MODULE, "azurite", json.dumps(storage), str(count))
    if found["items"] != count:
        raise RuntimeError(f"the first sync brought {found['items']} of {count}")
    rate, sweep = found["items"] / found["seconds"], found["sweep_cpu"] * 10_000 / count
    compacting = found["compacting_cpu"] * 10_000 / count
    title = f"System: a first sync of {count:,} messages and the sweep after it"
    figures = Figures(title, ("what", "measured"), notes=_FIRST_SYNC)
    figures.rows = [
        ("messages per second", f"{rate:,.0f}"),
        ("Azurite alone: the rows and packs of messages per second", f"{limit['per_second']:,.0f}"),
        ("CPU s per 1,000 messages", f"{found['cpu'] * 1000 / count:.2f}"),
        ("CPU s of a daily sweep per 10,000 items", f"{sweep:.2f}"),
        ("requests of the daily sweep, to Exchange and to Storage", f"{found['sweep_requests']:.0f}"),
        ("CPU s of a sweep that compacts, every sixth day", f"{compacting:.2f}"),
        ("requests of the sweep that compacts", f"{found['compacting_requests']:.0f}"),
    ]
    figures.values = {
        "first_sync_vs_azurite": round(rate / limit["per_second"], 2),
        "first_sync_cpu_s_per_1000": round(found["cpu"] * 1000 / count, 3),
        "sweep_cpu_s_per_10k": round(sweep, 2),
        "sweep_requests": round(found["sweep_requests"]),
    }
    return figures


def memory(environment: Environment) -> Figures:
    """Eight first syncs at once in one worker."""
    count = environment.size(2_000)
    with environment.canned(count, MIME_BYTES) as canned, environment.storage() as storage:
        found = environment.child(_MODULE, "memory", canned.url, json.dumps(storage), str(PASSES))
    if found["items"] != count * PASSES:
        raise RuntimeError(f"the first syncs brought {found['items']} of {count * PASSES}")
    title = f"System: a worker with {PASSES} first syncs of {count:,} messages at once"
    figures = Figures(title, ("what", "measured"), notes=_MEMORY)
    figures.rows = [("peak memory", f"{found['peak_mb']:.0f} MB")]
    figures.values = {"worker_mb_8_passes": round(found["peak_mb"])}
    return figures


MEASURES: dict[str, Callable[[Environment], Figures]] = {
    "system-idle": idle_pass,
    "system-dispatch": dispatch,
    "system-first": first_sync,
    "system-memory": memory,
}
