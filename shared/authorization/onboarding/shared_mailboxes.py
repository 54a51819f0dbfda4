"""Shared mailboxes, listed in a setting: synced through whoever has access to them and has signed in last.

A shared mailbox belongs to no person, so it is registered once for its tenant, under an owner of its own. Nobody's
own page shows it; the operator's does.
"""

import hashlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from shared.authorization.port import Authorization
from shared.errors import ActionNeeded, Conflict, NotFound, RetryLater
from shared.mailboxes import transitions
from shared.mailboxes.commands import new_mailbox
from shared.mailboxes.model import SHARED_OWNER_PREFIX, Mailbox, Status
from shared.mailboxes.port import MailboxRegistry, SyncQueue
from shared.sources.port import Access, MailSources, SourceName

_log = logging.getLogger(__name__)


class SharedMailboxes:
    """Connects the listed mailboxes that a person who signs in can read."""

    def __init__(
        self,
        addresses: Sequence[str],
        *,
        registry: MailboxRegistry,
        sources: MailSources,
        queue: SyncQueue,
        clock: Callable[[], datetime],
    ) -> None:
        self._addresses = addresses
        self._registry = registry
        self._sources = sources
        self._queue = queue
        self._clock = clock

    def claim(self, authorization: Authorization, access: Access, replaced: str = "") -> list[Mailbox]:
        """Read each listed mailbox with this person's access from now on, if they have it; gives those.

        Never raises for a mailbox that this person cannot read, or cannot just now: the next sign-in tries again.
        What is read with `replaced`, this person's authorization before, is handed on all the same, for that one ends.
        """
        claimed = []
        for address in self._addresses:
            try:
                theirs = self._handed_on(address, authorization, replaced)
                self._check(replace(access, address=address, own=False), theirs=theirs)
                claimed.append(self._connected(address, authorization, access.source))
            except (ActionNeeded, Conflict, NotFound) as error:  # NotFound: erased since it was looked up
                _log.info("a shared mailbox is not read with this access", exc_info=error)
        return claimed

    def _handed_on(self, address: str, authorization: Authorization, replaced: str) -> bool:
        """Whether it was read with this person's authorization before; then it is read with their new one now."""
        existing = self._existing(address, authorization.tenant_id)
        if existing is None or not replaced or existing.authorization_id != replaced:
            return False
        self._registry.change(existing.id, lambda found: _with_new_authorization(found, replaced, authorization.id))
        return True

    def _check(self, access: Access, *, theirs: bool) -> None:
        """A busy server is no reason to doubt an access that the person had before."""
        try:
            self._sources.check(access)
        except RetryLater:
            if not theirs:
                raise

    def _existing(self, address: str, tenant_id: str) -> Mailbox | None:
        owned = self._registry.of_owner(tenant_id, owner_of(address))
        return next((mailbox for mailbox in owned if mailbox.erasing_since is None), None)

    def _connected(self, address: str, authorization: Authorization, source: SourceName) -> Mailbox:
        """A mailbox that an operator has paused or disconnected stays so."""
        existing = self._existing(address, authorization.tenant_id)
        if existing is None:
            mailbox = new_mailbox(authorization, address, address, self._clock(), source)
            added = self._registry.add(mailbox.with_changes(owner_id=owner_of(address)))
            self._registry.record_audit(added.id, authorization.owner_id, "shared")
            self._queue.send_mailbox(added.id)
            return added
        return self._registry.change(existing.id, lambda found: _reauthorized(found, authorization.id))


def owner_of(address: str) -> str:
    """The owner that stands for a shared mailbox: no person's id, and not the address."""
    return f"{SHARED_OWNER_PREFIX}{hashlib.sha256(address.casefold().encode()).hexdigest()[:32]}"


def _with_new_authorization(mailbox: Mailbox, replaced: str, authorization_id: str) -> Mailbox:
    return mailbox.with_changes(authorization_id=authorization_id) if mailbox.authorization_id == replaced else mailbox


def _reauthorized(mailbox: Mailbox, authorization_id: str) -> Mailbox:
    if mailbox.status in (Status.PAUSED, Status.DISCONNECTED):
        return mailbox.with_changes(authorization_id=authorization_id) if mailbox.status is Status.PAUSED else mailbox
    return transitions.after_sign_in(mailbox, authorization_id)
