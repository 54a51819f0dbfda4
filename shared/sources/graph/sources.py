"""Opens mailboxes over Graph. Fast to import: the client is loaded only when the first mailbox is opened."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from shared.sources.account_queries import AccountQueries
from shared.sources.graph.transport.throttling import ThrottleWatch
from shared.sources.model import Access
from shared.sources.port import MailSource

if TYPE_CHECKING:
    from shared.machine_settings import MachineSettings
    from shared.sources.graph.folders.states import Memory
    from shared.sources.graph.mailbox import GraphMailbox
    from shared.sources.graph.transport.client import Channel
    from shared.sources.https_pool import RequestLimits

MOST_CONNECTIONS = 4
"""Graph serves this many requests about one mailbox at a time."""

VERSION = "v1.0"
"""The beta version changes without notice, so it is not used."""

_REMEMBERED = 10_000


def _now() -> datetime:
    return datetime.now(UTC)


class GraphSources(AccountQueries):
    """Mailboxes of one Graph endpoint (https://graph.microsoft.com). Fulfills MailSources.

    Safe to use from several threads. `connections` a mailbox, four at most; contents above `largest_item_bytes` are
    left out; `limits` on single requests, and `connect`, which gives a mailbox its connections, for tests.

    Only addresses and sign-in names are resolved: names would need the permission People.Read, which people do not
    expect.
    """

    def __init__(
        self,
        url: str,
        *,
        connections: int = MOST_CONNECTIONS,
        largest_item_bytes: int = 150 << 20,
        limits: "RequestLimits | None" = None,
        connect: "Callable[[], Channel] | None" = None,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self._connect = connect
        self._url = f"{url.rstrip('/')}/{VERSION}"
        self._connections = min(connections, MOST_CONNECTIONS)
        self._largest = largest_item_bytes
        self._limits = limits
        self._clock = clock
        self._memories: OrderedDict[str, Memory] = OrderedDict()
        self._throttled = ThrottleWatch(clock)
        self._machine: MachineSettings | None = None
        self._lock = threading.Lock()

    def open(self, access: Access, *, isolate_failures: bool = False) -> MailSource:
        """Open one mailbox; makes no request yet."""
        from shared.sources.graph.ews_spelling import EwsSpelledMailbox

        return EwsSpelledMailbox(self._open(access, isolate_failures=isolate_failures))

    def _open(self, access: Access, *, isolate_failures: bool = False) -> "GraphMailbox":
        from shared.sources.graph.mailbox import GraphMailbox
        from shared.sources.graph.transport.client import GraphClient

        pool = self._connect() if self._connect is not None else self._pool()
        key = access.address.lower()
        with self._lock:
            remembered = self._memories.get(key)
        return GraphMailbox(
            GraphClient(self._url, access, pool, self._clock, lambda: self._throttled.is_tenant_wide(access.address)),
            connections=self._connections,
            largest_item_bytes=self._largest,
            remembered=remembered,
            remember=lambda memory: self._remember(key, memory),
            isolate_failures=isolate_failures,
        )

    def _pool(self) -> "Channel":
        from shared.machine_settings import machine_settings
        from shared.sources.https_pool import HttpsPool, RequestLimits

        if self._machine is None:
            self._machine = machine_settings(self._url)
        return HttpsPool(self._url, self._limits or RequestLimits(), self._connections, self._machine)

    def _remember(self, address: str, memory: "Memory") -> None:
        """Keep a mailbox's well-known folders, so that this process requests them once."""
        with self._lock:
            self._memories[address] = memory
            self._memories.move_to_end(address)
            while len(self._memories) > _REMEMBERED:
                self._memories.popitem(last=False)
