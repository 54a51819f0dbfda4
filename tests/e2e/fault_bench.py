"""One mailbox synced in this process, through the real adapters, while the services behind them misbehave.

The program's parts are those of production; only patience with silence is shorter, and the engine's clocks can be
moved, so that what has to wait for minutes is waited for at once.
"""

import secrets
import zlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urljoin

import requests
from azure.core.exceptions import HttpResponseError
from azure.storage.blob import BlobLeaseClient

from sandbox.compare import Comparison, compare
from sandbox.local.form_browser import Form, Page
from sandbox.local.sandbox_process import Control, Sandbox
from sandbox.mailboxes.samples import item_samples
from sandbox.storage.provision import provision
from shared import logs
from shared.app import App
from shared.errors import ActionNeeded
from shared.mailboxes.model import Mailbox, Status
from shared.settings import Settings
from shared.sources.ews.sources import EwsSources
from shared.sources.ews.transport.session import EwsLimits as Patience
from shared.sources.model import SourceName
from shared.sources.selection import SelectedSources
from shared.sync.back_off.table import TableTenantBackOff
from shared.sync.engine import SyncEngine
from tests.conftest import Faults

if TYPE_CHECKING:
    from shared.mailboxes.port import SyncQueue
    from shared.mailboxes.queue import StorageSyncQueue

APP_URL = "https://localhost:7071"
"""Registered with the sandbox's Entra ID; nobody listens there, for a sign-in here is posted to nobody."""

PATIENCE = Patience(connect=5, silence=1.5, total=3)
MOST_PAGES = 8
MOST_PASSES = 8
A_WHILE = timedelta(hours=2, minutes=30)
"""Longer than any wait that a pass asks for, and than the first two of an issue."""

FOLDERS = ("inbox", "sentitems", "inbox/Projects")
KINDS = ("create", "create", "update", "read_flag", "move", "hard_delete")


def fill(control: Control, address: str, messages: int, size: int = 3000) -> None:
    """Put messages into three folders of a mailbox, one of them a person's own, and one item of every other kind."""
    for part, folder in enumerate(FOLDERS):
        count = messages // len(FOLDERS) + (part < messages % len(FOLDERS))
        control.post(f"/mailboxes/{address}/generate", {"folder": folder, "count": count, "size": size})
    for kind in item_samples.MAKERS:
        control.post(f"/mailboxes/{address}/items", {"kind": kind})


@dataclass(slots=True)
class Clocks:
    """The engine's clocks, which can be put forward."""

    ahead: timedelta = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def monotonic(self) -> float:
        return App.monotonic() + self.ahead.total_seconds()


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that asks for a pass."""

    mailbox_id: str
    delay: int
    continuation: int | None


@dataclass(slots=True)
class Remembering:
    """A queue that remembers what was sent, after it really was."""

    queue: "SyncQueue"
    sent: list[Sent] = field(default_factory=list)

    def send_shard(
        self, shard: int, *, sweep: bool = False, tick: datetime | None = None, seconds_to_live: int | None = None
    ) -> None:
        self.queue.send_shard(shard, sweep=sweep, tick=tick, seconds_to_live=seconds_to_live)

    def send_mailbox(
        self,
        mailbox_id: str,
        *,
        delay_seconds: int = 0,
        continuation: int | None = None,
        sweep: bool = False,
        scheduled: datetime | None = None,
    ) -> None:
        self.queue.send_mailbox(
            mailbox_id,
            delay_seconds=delay_seconds,
            continuation=continuation,
            sweep=sweep,
            scheduled=scheduled,
        )
        self.sent.append(Sent(mailbox_id, delay_seconds, continuation))


class ImpatientApp(App):
    """The program's parts, with shorter patience, movable clocks and a queue that remembers."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = dict(environment)
        self.clocks = Clocks()

    @cached_property
    def settings(self) -> Settings:
        return Settings.from_environ({"APP_URL": APP_URL} | self.environment)

    @cached_property
    def sources(self) -> SelectedSources:
        ews = EwsSources(self.settings.ews_url, connections=self.settings.sync_connections, limits=PATIENCE)
        return SelectedSources(dict.fromkeys(SourceName, ews))

    @cached_property
    def queue(self) -> "StorageSyncQueue":
        from shared.mailboxes.queue import StorageSyncQueue

        return cast("StorageSyncQueue", Remembering(StorageSyncQueue(self.queues)))

    @property
    def sent(self) -> list[Sent]:
        """What has been sent to the mailboxes' queue."""
        return cast(Remembering, self.queue).sent

    @cached_property
    def engine(self) -> SyncEngine:
        return SyncEngine(
            sources=self.sources,
            replica=self.replica,
            registry=self.registry,
            leases=self.leases,
            queue=self.queue,
            access_tokens=self.access_tokens,
            scope_of=self._scope_of,
            limits=self._limits,
            back_off=TableTenantBackOff(self.tables, self.clocks.monotonic),
            clock=self.clocks.now,
            monotonic=self.clocks.monotonic,
            jitter=lambda: 0.0,
        )


@dataclass(frozen=True, slots=True)
class After:
    """What one pass has left behind: what it raised, what its mailbox says, when it is to be tried again."""

    raised: str = ""
    outcome: str = ""
    """Of the pass as it is remembered; empty when it is not."""
    status: str = "active"
    reason: str = ""
    failures: int = 0
    rejections: int = 0
    delay: int | None = None
    """Seconds until the message that was sent becomes visible; None: no message."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """One fault, and where it strikes; `times` None: for as long as it is there."""

    service: str
    operation: str
    fault: Mapping[str, Any]
    times: int | None = None
    skip: int = 0

    def begin(self, faults: Faults) -> str:
        """Let it begin; gives the rule's id."""
        match = {"operation": self.operation}
        return faults.add(self.service, self.fault, match=match, times=self.times, skip=self.skip)


class Bench:
    """One connected mailbox and the means to sync it, spoil things, and compare."""

    def __init__(self, sandbox: Sandbox, environment: Mapping[str, str], messages: int = 12) -> None:
        logs.configure()
        self.sandbox = sandbox
        self.app = ImpatientApp(environment)
        blob, queue, table = (sandbox.endpoints[name] for name in ("blob", "queue", "table"))
        provision(blob, queue, table, self.app.credential)
        self._forget_back_offs()
        name = f"f{secrets.token_hex(4)}"
        self.address = f"{name}@contoso.example"
        self._password = name
        sandbox.control.post("/people", {"address": self.address, "password": name})
        fill(sandbox.control, self.address, messages)
        self.mailbox_id = self.sign_in().id
        self.spoilt = True
        """Whether a trouble has begun that the mailbox has not got over yet."""

    def _forget_back_offs(self) -> None:
        """Another bench of this run, whose clock was ahead, may have had its tenant left alone until then."""
        table = self.app.tables.get_table_client("backoffs")
        for entity in list(table.list_entities()):
            table.delete_entity(entity["PartitionKey"], entity["RowKey"])

    # ---------------------------------------------------------------- signing in

    def sign_in(self) -> Mailbox:
        """Sign in through Entra's pages; the browser's way back to the app is a call."""
        start = self.app.sign_in.connect()
        with requests.Session() as browser:
            browser.trust_env = False
            browser.verify = str(self.sandbox.endpoints["ca"])
            fields = self._through_the_pages(browser, start.url)
        outcome = self.app.sign_in_callback.complete(fields, start.binding)
        assert outcome.mailbox
        return outcome.mailbox

    def _through_the_pages(self, browser: requests.Session, url: str) -> dict[str, str]:
        answer = browser.get(url, timeout=60)
        for _ in range(MOST_PAGES):
            form = Page(answer.text).forms[0]
            if form.action.startswith(APP_URL):
                return form.fields
            answer = browser.post(urljoin(answer.url, form.action), data=self._filled(form), timeout=60)
        raise AssertionError("no form led back to the app")

    def _filled(self, form: Form) -> dict[str, str]:
        written = {"password": self._password, "text": self.address, "email": self.address}
        filled = {name: value or written.get(form.kinds[name], "") for name, value in form.fields.items()}
        button = next((one for one in form.buttons if one[2].lower() in ("accept", "sign in", "continue")), None)
        return filled | ({button[0]: button[1]} if button and button[0] else {})

    # ---------------------------------------------------------------- the mailbox

    @property
    def mailbox(self) -> Mailbox:
        """The mailbox as registered."""
        return self.app.registry.get(self.mailbox_id)

    def control(self, act: str, **body: object) -> Any:
        """An act of the control port upon the mailbox."""
        return self.sandbox.control.post(f"/mailboxes/{self.address}/{act}", body)

    def change(self, name: str, kinds: Sequence[str] = KINDS) -> None:
        """Change something of each kind in the mailbox; the same name does the same to the same mailbox."""
        for number, kind in enumerate(kinds):
            self.control("change", kinds=[kind], count=1, seed=zlib.crc32(f"{name} {number}".encode()))

    def truth(self) -> dict[str, Any]:
        """What the mailbox holds."""
        return cast(dict[str, Any], self.sandbox.control.get(f"/mailboxes/{self.address}/truth"))

    def compared(self) -> Comparison:
        """The replica beside the truth."""
        return compare(self.truth(), self.app.replica, self.mailbox_id)

    # ---------------------------------------------------------------- passes

    def run(self) -> str:
        """One pass; gives what it raised."""
        del self.app.sent[:]
        try:
            self.app.engine.sync(self.mailbox_id)
        except ActionNeeded as error:
            return type(error).__name__
        return ""

    def outcome(self, since: datetime) -> str:
        """How the newest pass that began after that moment ended."""
        runs = self.app.registry.runs(self.mailbox_id, 1)
        return runs[0].outcome if runs and runs[0].started_at >= since else ""

    def suffer(self, faults: Faults, *troubles: Trouble, kinds: Sequence[str] = KINDS) -> After:
        """One pass with something to do, while these troubles last; they are over afterward."""
        self.spoilt = True
        self.change(repr(troubles), kinds)
        self.app.access_tokens.forget(self.mailbox.authorization_id)
        since = self.app.clocks.now()
        rules = [trouble.begin(faults) for trouble in troubles]
        raised = self.run()
        met = [faults.hits(rule) for rule in rules]
        faults.clear()
        assert all(met), "the pass never met the trouble"
        mailbox, delay = self.mailbox, self.app.sent[-1].delay if self.app.sent else None
        counts = (mailbox.failures, mailbox.rejections)
        return After(raised, self.outcome(since), mailbox.status.value, mailbox.reason, *counts, delay)

    def two_together(self, faults: Faults, *troubles: Trouble) -> None:
        """Each trouble strikes twice, whenever its turn comes; no one is asked to sign in, and all ends whole."""
        self.spoilt = True
        self.change(repr(troubles))
        self.app.access_tokens.forget(self.mailbox.authorization_id)
        for trouble in troubles:
            replace(trouble, times=2).begin(faults)
        self.run()
        assert self.mailbox.status is Status.ACTIVE
        self.get_over_it()
        faults.clear()
        self.assert_whole()

    def get_over_it(self) -> None:
        """Let time go by and passes happen until one is done with nothing left to do."""
        if self.mailbox.status is Status.NEEDS_SIGN_IN:
            assert self.sign_in().id == self.mailbox_id
        for _ in range(MOST_PASSES):
            self.app.clocks.ahead += A_WHILE
            self._free_the_lease()
            since = self.app.clocks.now()
            self.run()
            if self.outcome(since) == "done" and not self.app.registry.issues(self.mailbox_id):
                self.spoilt = False
                return
        raise AssertionError(f"not done after {MOST_PASSES} passes: {self.mailbox}")

    def _free_the_lease(self) -> None:
        """A lease whose giving was lost on the way ends with its term; here nobody waits for that."""
        with suppress(HttpResponseError):
            BlobLeaseClient(self.app.blobs.get_blob_client("leases", self.mailbox_id)).break_lease(0)

    def assert_whole(self) -> None:
        """The mailbox is as if nothing had ever happened."""
        mailbox = self.mailbox
        assert self.compared().is_equal, self.compared()
        assert (mailbox.status, mailbox.reason, mailbox.failures, mailbox.rejections) == (Status.ACTIVE, "", 0, 0)
        assert mailbox.issues == 0
