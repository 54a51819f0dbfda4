"""Whether a feed page may follow the stored cursor: if the registry proves that none does, a pass looks for none.

A page is committed by creating it in the feed; a pass that ends before it has replaced the cursor leaves a page that
the next pass has to apply. The proof is the cursor's ETag in the mailbox's row. It is written with the figures of a
pass that ended without an error, and deleted before a pass creates its first page. So the row has no proof whenever a
pass may have broken off, also if another pass, which had lost its lease without noticing, is about to create a page.

    row read under the lease ─► proof deleted ─► lease checked ─► pages ─► cursor ─► proof written with the figures

A pass that finds no proof looks for the page. It writes a new proof only if whatever deleted the last one must
have ended long ago. The passes of a first sync write no proof, so they have none to delete.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

from shared.errors import NotFound
from shared.mailboxes.model import Mailbox
from shared.mailboxes.port import MailboxRegistry

SURELY_ENDED = timedelta(hours=1)
"""After this time no request of a pass can be left: the host ends a function after half an hour (functionTimeout)."""


class SettledCursor:
    """The proof of one mailbox, during one pass. Not thread-safe: one thread writes the pages of a pass."""

    def __init__(self, mailbox: Mailbox, registry: MailboxRegistry, clock: Callable[[], datetime]) -> None:
        self._found = mailbox
        self._latest = mailbox
        self._registry = registry
        self._clock = clock
        self._is_announced = False

    @property
    def etag(self) -> str:
        """The ETag of the cursor that no page follows; empty if a page may follow."""
        return self._found.settled_cursor

    @property
    def mailbox(self) -> Mailbox:
        """The mailbox as last read or written here."""
        return self._latest

    def announce_page(self) -> None:
        """Delete the proof, before the first page of the pass is created. An erased mailbox has none."""
        if self._is_announced or not self._found.first_sync_done:
            return
        now = self._clock()
        with suppress(NotFound):
            self._latest = self._registry.change(
                self._found.id, lambda before: before.with_changes(settled_cursor="", unsettled_since=now)
            )
        self._is_announced = True

    def settle(self, mailbox: Mailbox, etag: str) -> Mailbox:
        """The mailbox with a new proof, after a pass that has written all it began to write.

        If another pass may still be left, the time since when is kept instead.
        """
        since = self._unaccounted_since()
        if since is not None and self._clock() - since < SURELY_ENDED:
            return mailbox.with_changes(settled_cursor="", unsettled_since=since)
        return mailbox.with_changes(settled_cursor=etag, unsettled_since=None)

    def _unaccounted_since(self) -> datetime | None:
        """Since when a pass other than this one may have been about to create a page; None if there is none."""
        if self._found.settled_cursor:
            return None
        if not self._found.first_sync_done:
            return self._clock()
        # A row of an earlier version says nothing; its last pass may have broken off.
        return self._found.unsettled_since or self._found.last_pass_at
