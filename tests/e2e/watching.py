"""Somebody whose mailbox the app syncs by itself, in its own process, while a test changes the mailbox and looks on."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import Any, cast

from requests import RequestException

from sandbox.compare import Comparison, compare
from sandbox.local.form_browser import FormBrowser
from sandbox.local.local_stack import LocalStack
from shared.app import App
from shared.mailboxes.model import Mailbox
from shared.sources.model import SourceName
from tests.e2e.fault_bench import fill
from tests.e2e.people import new_person, password_of
from tests.waiting import LONGEST_PAUSE, eventually

TICK_SECONDS = 4
"""Between two ticks, or two askings, of a test that waits: one may find the mailbox still held."""

PATIENCE_SECONDS = 300


class Watched:
    """One person, their mailbox, and the app's doings with it."""

    def __init__(self, stack: LocalStack, messages: int, **policy: Any) -> None:
        self.stack = stack
        self.address = new_person(stack.sandbox, **policy)
        self.parts: App = stack.parts()
        fill(stack.sandbox.control, self.address, messages)
        self._id = ""

    def sign_in(self) -> str:
        """Sign in through the real pages; gives the last page's heading."""
        browser = FormBrowser(self.stack.ca, self.address, password_of(self.stack.sandbox, self.address))
        try:
            return browser.sign_in(self.stack.url)
        finally:
            browser.close()

    @property
    def id(self) -> str:
        """The mailbox's id, once there is one."""
        if not self._id:
            self._id = next(box.id for box in self.parts.registry.all() if box.address == self.address)
        return self._id

    @property
    def mailbox(self) -> Mailbox:
        """The mailbox as registered."""
        return self.parts.registry.get(self.id)

    def control(self, act: str, **body: object) -> Any:
        """An act of the control port upon the mailbox."""
        return self.stack.sandbox.control.post(f"/mailboxes/{self.address}/{act}", body)

    def change(self, kinds: Sequence[str], seed: int) -> None:
        """One change of each of these kinds."""
        for number, kind in enumerate(kinds):
            self.control("change", kinds=[kind], count=1, seed=seed * 1000 + number)

    def truth(self) -> dict[str, Any]:
        """What the mailbox holds."""
        return cast(dict[str, Any], self.stack.sandbox.control.get(f"/mailboxes/{self.address}/truth"))

    def compared(self) -> Comparison:
        """The replica beside the truth."""
        over_graph, was_moved = self.mailbox.source is SourceName.GRAPH, self.mailbox.moved_at is not None
        return compare(self.truth(), self.parts.replica, self.id, over_graph=over_graph, was_moved=was_moved)

    def has(self, outcome: str, since: datetime) -> bool:
        """Whether a pass that began since then has ended so."""
        runs = self.parts.registry.runs(self.id)
        return any(run.outcome == outcome and run.started_at >= since for run in runs)

    def ask(self, *, sweep: bool = False) -> None:
        """Ask for a pass, or for a sweep; one that finds the mailbox held comes to nothing, or in minutes only."""
        self.parts.queue.send_mailbox(self.id, sweep=sweep)

    def swept(self) -> None:
        """Ask for a sweep until one has ended."""
        before = self.mailbox.swept_at
        insist("a sweep", partial(self.ask, sweep=True), lambda: self.mailbox.swept_at != before)

    def synced(self, outcome: str = "done", since: datetime | None = None) -> None:
        """Let the timer tick until a pass that begins from now on has ended so."""
        wait_for([self], since or datetime.now(UTC), outcome)


def wait_for(
    everybody: Sequence[Watched], since: datetime, outcome: str = "done", seconds: float = PATIENCE_SECONDS
) -> None:
    """Let the timer tick until each of them has had a pass, begun since then, that ended so."""

    def look() -> bool:
        return all(one.has(outcome, since) for one in everybody)

    insist(f"a pass of each that ends as {outcome}", partial(tick, everybody[0].stack), look, seconds)


def tick(stack: LocalStack) -> None:
    """Let the timer tick once; an app that is just starting misses it."""
    with suppress(RequestException):
        stack.host.fire("dispatch")


def insist(
    what: str,
    ask: Callable[[], None],
    look: Callable[[], bool],
    seconds: float = PATIENCE_SECONDS,
    longest_pause: float = LONGEST_PAUSE,
) -> None:
    """Ask for something, and again every few seconds, until `look` says that it is there."""
    asked: datetime | None = None

    def asking() -> bool:
        nonlocal asked
        if asked is None or (datetime.now(UTC) - asked).total_seconds() > TICK_SECONDS:
            ask()
            asked = datetime.now(UTC)
        return look()

    eventually(what, asking, seconds, longest_pause)
