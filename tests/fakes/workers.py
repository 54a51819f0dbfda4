"""Worker threads that pause before every request and that a test continues or kills there.

    workers = Workers()
    worker = workers.start(lambda: engine.sync(ID))   # runs until its first request
    worker.go_on(3)                                   # three requests, then it pauses again
    worker.kill()                                     # Crash at the next request, and at each one after it

The fakes that a worker uses call `workers.step()` before each of their requests; stepped_storage.py has its storage.
"""

import threading
from collections.abc import Callable
from datetime import datetime

from shared.errors import MailboxSyncError
from shared.mailboxes.model import Mailbox
from shared.mailboxes.port import Run
from tests.fakes.authorization import MemoryAuthorizations, MemoryTokens
from tests.fakes.leases import FakeLease, FakeLeases
from tests.fakes.registry import FakeRegistry
from tests.fakes.replica import Crash
from tests.fakes.source import FakeSources

PATIENCE_SECONDS = 60
"""The time limit for one wait; only an error in a test reaches it."""


class Workers:
    """All workers of a test. One at a time runs; the others are paused."""

    def __init__(self) -> None:
        self._by_thread: dict[int, Worker] = {}

    def start(self, act: Callable[[], object]) -> "Worker":
        """Start a worker and run it until its first request."""
        worker = Worker(act, self._by_thread)
        worker.start()
        worker.wait()
        return worker

    def step(self) -> None:
        """Pause the calling worker before a request. Does nothing in other threads. Called by the fakes."""
        if worker := self._by_thread.get(threading.get_ident()):
            worker.stand_still()


class Worker(threading.Thread):
    """One action in a separate thread. `result` is its return value, `error` the error that ended it."""

    def __init__(self, act: Callable[[], object], by_thread: dict[int, "Worker"]) -> None:
        super().__init__(daemon=True)
        self.over = False
        self.result: object = None
        self.error: BaseException | None = None
        self._act = act
        self._by_thread = by_thread
        self._killed = False
        self._arrived, self._go = threading.Semaphore(0), threading.Semaphore(0)

    def run(self) -> None:
        """Run the action until it ends or the worker is killed."""
        self._by_thread[threading.get_ident()] = self
        try:
            self.result = self._act()
        except BaseException as error:
            self.error = error
        finally:
            del self._by_thread[threading.get_ident()]
            self.over = True
            self._arrived.release()

    def stand_still(self) -> None:
        """Pause the worker's thread until the test continues it."""
        if not self._killed:
            self._arrived.release()
            assert self._go.acquire(timeout=PATIENCE_SECONDS)
        if self._killed:
            raise Crash

    def wait(self) -> None:
        """Wait until the worker pauses or ends. Raises any error that is not one of the program's own."""
        assert self._arrived.acquire(timeout=PATIENCE_SECONDS)
        if self.over:
            self.join()
            if self.error is not None and not isinstance(self.error, MailboxSyncError | Crash):
                raise self.error

    def go_on(self, requests: int = 1_000_000) -> None:
        """Continue for a number of requests, or to the end."""
        for _ in range(requests):
            if self.over:
                return
            self._go.release()
            self.wait()

    def kill(self) -> None:
        """Kill the worker as if its process died."""
        if not self.over:
            self._killed = True
            self._go.release()
            self.wait()


class SlowRegistry(FakeRegistry):
    """A registry that pauses the worker before each request, and in a change between reading and writing."""

    def __init__(self, workers: Workers, clock: Callable[[], datetime]) -> None:
        super().__init__(clock=clock)
        self._workers = workers

    def add(self, mailbox: Mailbox, *, instead_of: str = "") -> Mailbox:
        self._workers.step()
        return super().add(mailbox, instead_of=instead_of)

    def get(self, mailbox_id: str) -> Mailbox:
        self._workers.step()
        return super().get(mailbox_id)

    def change(self, mailbox_id: str, change: Callable[[Mailbox], Mailbox], known: Mailbox | None = None) -> Mailbox:
        def slow(found: Mailbox) -> Mailbox:
            after = change(found)
            self._workers.step()
            return after

        return super().change(mailbox_id, slow, known)

    def of_owner(self, tenant_id: str, owner_id: str, *, readable_only: bool = False) -> list[Mailbox]:
        self._workers.step()
        return super().of_owner(tenant_id, owner_id, readable_only=readable_only)

    def record_run(self, run: Run) -> None:
        self._workers.step()
        super().record_run(run)

    def record_audit(self, mailbox_id: str, actor: str, act: str) -> None:
        self._workers.step()
        super().record_audit(mailbox_id, actor, act)

    def erase(self, mailbox_id: str) -> dict[str, int]:
        self._workers.step()
        return super().erase(mailbox_id)


class SlowTokens(MemoryTokens):
    """A token store that pauses the worker before each request."""

    def __init__(self, workers: Workers, clock: Callable[[], datetime]) -> None:
        super().__init__(clock)
        self._workers = workers

    def read(self, authorization_id: str) -> str:
        self._workers.step()
        return super().read(authorization_id)

    def write(self, authorization_id: str, refresh_token: str) -> None:
        self._workers.step()
        super().write(authorization_id, refresh_token)

    def delete(self, authorization_id: str) -> datetime | None:
        self._workers.step()
        return super().delete(authorization_id)


class SlowAuthorizations(MemoryAuthorizations):
    """An authorization store that pauses the worker before each deletion."""

    def __init__(self, workers: Workers) -> None:
        super().__init__()
        self._workers = workers

    def delete(self, authorization_id: str) -> None:
        self._workers.step()
        super().delete(authorization_id)


class SlowLeases(FakeLeases):
    """Leases that pause the worker before each request."""

    def __init__(self, workers: Workers) -> None:
        super().__init__()
        self._workers = workers

    def acquire(self, mailbox_id: str, seconds: int = 60) -> FakeLease | None:
        self._workers.step()
        return super().acquire(mailbox_id, seconds)

    def forget(self, mailbox_id: str) -> None:
        self._workers.step()
        super().forget(mailbox_id)


class SlowSources(FakeSources):
    """Mail sources that pause the worker before each request."""

    def __init__(self, workers: Workers, page: int, batch: int) -> None:
        super().__init__(page, batch)
        self._workers = workers

    def request(self, name: str) -> None:
        self._workers.step()
        super().request(name)
