"""Opens mailboxes over EWS. Fast to import: exchangelib is loaded only when the first mailbox is opened."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from shared.sources.account_queries import AccountQueries
from shared.sources.model import Access, FolderRole
from shared.sources.port import MailSource

if TYPE_CHECKING:
    from shared.sources.ews.mailbox import EwsMailbox
    from shared.sources.ews.transport.session import EwsLimits, EwsSession, TransportSettings

_REMEMBERED = 10_000


def _now() -> datetime:
    return datetime.now(UTC)


class EwsSources(AccountQueries):
    """Opens mailboxes of one Exchange endpoint. Implements MailSources; safe to use from several threads.

    `connections` is the number of connections per mailbox. Contents above `largest_item_bytes` are left out. `archives`
    says whether online archives are listed too. `limits` applies to single requests and is meant for tests.
    """

    def __init__(
        self,
        url: str,
        *,
        connections: int = 3,
        largest_item_bytes: int = 150 << 20,
        archives: bool = False,
        limits: "EwsLimits | None" = None,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self._url = url
        self._connections = connections
        self._largest = largest_item_bytes
        self._archives = archives
        self._limits = limits
        self._clock = clock
        self._names: OrderedDict[str, dict[str, FolderRole]] = OrderedDict()
        self._transport_settings: TransportSettings | None = None
        self._lock = threading.Lock()

    def open(self, access: Access, *, isolate_failures: bool = False) -> MailSource:
        """Open one mailbox; makes no request yet."""
        return self._open(access, isolate_failures=isolate_failures)

    def _open(self, access: Access, *, isolate_failures: bool = False) -> "EwsMailbox":
        # Importing exchangelib takes 0.3 s, most of what a cold start may take.
        from shared.sources.ews.mailbox import EwsMailbox
        from shared.sources.ews.transport.session import EwsLimits

        limits = self._limits or EwsLimits()
        return EwsMailbox(
            self._session(access, limits),
            access,
            limits,
            connections=self._connections,
            largest_item_bytes=self._largest,
            archives=self._archives,
            names=self._names_of(access.address),
            isolate_failures=isolate_failures,
        )

    def _session(self, access: Access, limits: "EwsLimits") -> "EwsSession":
        from shared.sources.ews.transport.session import EwsSession, transport_settings_for

        if self._transport_settings is None:
            self._transport_settings = transport_settings_for(self._url)
        return EwsSession(
            self._url,
            access,
            limits,
            connections=self._connections,
            transport_settings=self._transport_settings,
            clock=self._clock,
        )

    def _names_of(self, address: str) -> dict[str, FolderRole]:
        """The cached well-known folders of this mailbox, so that a pass without changes makes one request only."""
        with self._lock:
            names = self._names.setdefault(address.lower(), {})
            self._names.move_to_end(address.lower())
            while len(self._names) > _REMEMBERED:
                self._names.popitem(last=False)
            return names
