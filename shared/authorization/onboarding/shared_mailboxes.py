"""Shared mailboxes, listed in a setting: synced with the access of the person who signed in last and can read them.

A shared mailbox belongs to no person, so it is registered once per tenant, under its own owner id. Only the operator's
page shows it.
"""

import hashlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from shared.authorization.model import Authorization
from shared.errors import ActionNeeded, Conflict, NotFound, RetryLater
from shared.mailboxes import transitions
from shared.mailboxes.commands import new_mailbox
from shared.mailboxes.model import SHARED_OWNER_PREFIX, Mailbox, Status
from shared.mailboxes.port import MailboxRegistry, SyncQueue
from shared.sources.model import Access
from shared.sources.port import MailSources

_log = logging.getLogger(__name__)


class SharedMailboxes:
    """Connects the listed mailboxes that the person who signs in can read."""

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
        """Connect each listed mailbox that this person can read to their access; returns those mailboxes.

        Does not raise for a mailbox that this person cannot read now or at all; the next sign-in tries again.
        A mailbox that is read with `replaced`, this person's previous authorization, always gets the new one, because
        the previous one is deleted.
        """
        claimed = []
        for address in self._addresses:
            try:
                had_access = self._handed_on(address, authorization, replaced)
                shared = replace(access, address=address, own=False)
                self._check(shared, had_access=had_access)
                claimed.append(self._connected(shared, authorization))
            except (ActionNeeded, Conflict, NotFound) as error:  # NotFound: erased in the meantime
                _log.info("shared mailbox not readable", exc_info=error)
        return claimed

    def _handed_on(self, address: str, authorization: Authorization, replaced: str) -> bool:
        """Replace this person's previous authorization by the new one; returns whether the mailbox used it."""
        existing = self._existing(address, authorization.tenant_id)
        if existing is None or not replaced or existing.authorization_id != replaced:
            return False
        self._registry.change(existing.id, lambda found: _with_new_authorization(found, replaced, authorization.id))
        return True

    def _check(self, access: Access, *, had_access: bool) -> None:
        """Check the access. If the server is busy, a person who had access before is assumed to still have it."""
        try:
            self._sources.check(access)
        except RetryLater:
            if not had_access:
                raise

    def _existing(self, address: str, tenant_id: str) -> Mailbox | None:
        owned = self._registry.of_owner(tenant_id, owner_of(address))
        return next((mailbox for mailbox in owned if mailbox.erasing_since is None), None)

    def _connected(self, shared: Access, authorization: Authorization) -> Mailbox:
        """Add or update the mailbox; one that an operator has paused or disconnected stays so.

        Raises:
            Conflict: it is in the registry already, as one that an operator activated.
        """
        existing = self._existing(shared.address, authorization.tenant_id)
        if existing is None:
            address = self._primary_address(shared)
            mailbox = new_mailbox(authorization, address, address, self._clock(), shared.source)
            added = self._registry.add(mailbox.with_changes(owner_id=owner_of(shared.address)))
            self._registry.record_audit(added.id, authorization.owner_id, "shared")
            self._queue.send_mailbox(added.id)
            return added
        return self._registry.change(existing.id, lambda found: _reauthorized(found, authorization.id))

    def _primary_address(self, shared: Access) -> str:
        """Return the primary address; the listed one, which may be a secondary one, if the server does not tell."""
        try:
            return self._sources.primary_address(shared) or shared.address
        except ActionNeeded as error:
            _log.info("the primary address is not known yet", exc_info=error)
            return shared.address


def owner_of(address: str) -> str:
    """Return the owner id of a shared mailbox: not a person's id, and it does not reveal the address."""
    return f"{SHARED_OWNER_PREFIX}{hashlib.sha256(address.casefold().encode()).hexdigest()[:32]}"


def _with_new_authorization(mailbox: Mailbox, replaced: str, authorization_id: str) -> Mailbox:
    return mailbox.with_changes(authorization_id=authorization_id) if mailbox.authorization_id == replaced else mailbox


def _reauthorized(mailbox: Mailbox, authorization_id: str) -> Mailbox:
    if mailbox.status in (Status.PAUSED, Status.DISCONNECTED):
        return mailbox.with_changes(authorization_id=authorization_id) if mailbox.status is Status.PAUSED else mailbox
    return transitions.after_sign_in(mailbox, authorization_id)
