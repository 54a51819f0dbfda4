"""Counts and prints the calls from a queue message to the committed row: python -m tests.architecture.call_chain.

One pass with one new message runs over EWS, whose answers are canned, and on the fakes of everything else. The chain is
what a reader has to follow: the functions of functions/ and shared/ that are on the stack whenever the pass calls a
port (registry, lease, blobs, rows) or sends a request, up to the transaction that writes the item's row. The second
figure counts every function that runs until then, helpers and constructors included.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FrameType
from typing import cast

import azure.functions as func

from functions import sync
from shared.app import app
from shared.replica.store import BlobTableReplica
from shared.sources.ews.mailbox import EwsMailbox
from shared.sources.ews.transport.session import EwsLimits
from shared.sources.model import Access
from tests.bench.canned import Mailbox
from tests.fakes.source import FakeSources
from tests.fakes.storage import MemoryBlobs, MemoryRows
from tests.fakes.sync_harness import ID, SyncHarness

ROOT = Path(__file__).parents[2]
PRODUCTION = (f"{ROOT}/functions/", f"{ROOT}/shared/")
FAKES = f"{ROOT}/tests/fakes/"
CLOCK = f"{FAKES}clock.py"
REQUEST = "CannedChannel.ask"
COMMIT = "MemoryRows.transact"
"""The fake's method that writes rows. The chain ends with its first call."""


@dataclass
class CallChain:
    """The functions in the order of their first call, each as `file: function`."""

    chain: dict[str, None] = field(default_factory=dict)
    all: dict[str, None] = field(default_factory=dict)
    is_committed: bool = False

    def profile(self, frame: FrameType, event: str, _: object) -> None:
        """Take note of one call; see sys.setprofile."""
        code = frame.f_code
        if event != "call" or self.is_committed:
            return
        if _is_production(code):
            self.all.setdefault(_name(code))
        elif frame.f_back is not None and _is_production(frame.f_back.f_code) and _is_port(code):
            self.chain |= dict.fromkeys(reversed(list(_stack(frame.f_back))))
            self.is_committed = code.co_qualname == COMMIT


def _is_production(code: CodeType) -> bool:
    return code.co_filename.startswith(PRODUCTION)


def _is_port(code: CodeType) -> bool:
    if code.co_filename == __file__:
        return code.co_qualname == REQUEST
    return code.co_filename.startswith(FAKES) and code.co_filename != CLOCK


def _stack(frame: FrameType | None) -> Iterator[str]:
    """Yield the named functions of the program on the stack, the innermost first."""
    while frame is not None:
        if _is_production(frame.f_code) and not frame.f_code.co_name.startswith("<"):
            yield _name(frame.f_code)
        frame = frame.f_back


def _name(code: CodeType) -> str:
    return f"{Path(code.co_filename).relative_to(ROOT)}: {code.co_qualname}"


def files(functions: dict[str, None]) -> set[str]:
    """Return the files that contain these functions."""
    return {name.partition(":")[0] for name in functions}


class DispatchMessage(func.QueueMessage):
    """The dispatch's message about the mailbox, as the worker delivers it."""

    def get_body(self) -> bytes:
        return f'{{"mailbox": "{ID}"}}'.encode()


@dataclass
class Context:
    """As much of func.Context as the trigger uses."""

    invocation_id: str = "1"


class CannedChannel:
    """Answers the requests of an EWS mailbox from memory."""

    def __init__(self, mailbox: Mailbox) -> None:
        self.mailbox = mailbox
        self.requests = self.bytes_received = 0

    def ask(self, envelope: bytes, answer_bytes: int | None = None) -> bytes:
        """Return the canned answer."""
        return self.mailbox.answer(envelope.decode())[1]

    def close(self) -> None:
        """There is nothing to close."""


class CannedSources(FakeSources):
    """Opens every mailbox over EWS, with canned answers."""

    def __init__(self, mailbox: Mailbox) -> None:
        super().__init__()
        self.mailbox = mailbox

    def open(self, access: Access, *, isolate_failures: bool = False) -> EwsMailbox:  # type: ignore[override]
        """Open the mailbox."""
        return EwsMailbox(
            CannedChannel(self.mailbox),
            access,
            EwsLimits(),
            connections=1,
            largest_item_bytes=150 << 20,
            archives=False,
            names={},
            isolate_failures=isolate_failures,
        )


def measure() -> CallChain:
    """Run a pass with one new message and return its calls."""
    mailbox = Mailbox(1, 2_000)
    harness = a_synced_mailbox(mailbox)
    before = len(harness.items())
    mailbox.arrive()
    trigger, calls = sync.sync_mailbox.build().get_user_function(), CallChain()
    with engine_of(harness):
        sys.setprofile(calls.profile)
        try:
            trigger(DispatchMessage(), cast(func.Context, Context()))
        finally:
            sys.setprofile(None)
    assert len(harness.items()) == before + 1
    return calls


def a_synced_mailbox(mailbox: Mailbox) -> SyncHarness:
    """Return a mailbox whose first sync is done, an hour ago."""
    harness = SyncHarness()
    harness.sources = CannedSources(mailbox)
    harness.replica = BlobTableReplica(MemoryBlobs(), MemoryRows())  # type: ignore[assignment]
    harness.engine = harness.new_engine()
    for _ in range(2):
        harness.sync()
        harness.clock.pass_by(hours=1)
    return harness


@contextmanager
def engine_of(harness: SyncHarness) -> Iterator[None]:
    """Give the queue trigger the harness's engine, as the composition root would create it at first use."""
    components = app().__dict__
    components["engine"] = harness.engine
    try:
        yield
    finally:
        del components["engine"]


if __name__ == "__main__":
    calls = measure()
    print(*calls.chain, sep="\n")
    print(f"chain: {len(calls.chain)} functions in {len(files(calls.chain))} files")
    print(f"all: {len(calls.all)} functions in {len(files(calls.all))} files")
