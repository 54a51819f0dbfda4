"""What a person or an operator does with a connected mailbox: sync now, pause, start, disconnect, erase.

Whoever calls has made sure that the mailbox may be touched by who asks; `actor` is an opaque id for the audit trail.
"""

import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

from shared.authorization.port import Authorization, AuthorizationStore, TokenStore
from shared.authorization.tokens.access_token_cache import AccessTokenCache
from shared.errors import NotFound
from shared.mailboxes import transitions
from shared.mailboxes.erasures.erasing import ErasureReceipt, MailboxErasure
from shared.mailboxes.errors import MailboxStopped, SyncedTooRecently
from shared.mailboxes.model import Mailbox, Status, is_own
from shared.mailboxes.port import Leases, MailboxRegistry, SyncQueue
from shared.replica.port import Replica
from shared.sources.port import AccessMode, SourceName

UNUSED_AFTER = timedelta(days=7)
"""No sign-in is under way for so long: an authorization that no mailbox points to by then never will have one."""
SYNC_NOW_INTERVAL = timedelta(minutes=1)
MAX_REMEMBERED = 4096


class MailboxCommands:
    """The acts upon a mailbox that stands."""

    def __init__(
        self,
        *,
        registry: MailboxRegistry,
        replica: Replica,
        leases: Leases,
        queue: SyncQueue,
        authorizations: AuthorizationStore,
        token_store: TokenStore,
        access_tokens: AccessTokenCache,
        clock: Callable[[], datetime],
        wait: Callable[[float], object],
    ) -> None:
        self._registry = registry
        self._queue = queue
        self._authorizations = authorizations
        self._token_store = token_store
        self._access_tokens = access_tokens
        self._clock = clock
        self._erasure = MailboxErasure(
            registry=registry,
            replica=replica,
            leases=leases,
            revoke=self._delete_token,
            forget=self._forget,
            clock=clock,
            wait=wait,
        )
        self._asked: OrderedDict[str, datetime] = OrderedDict()
        self._guard = threading.Lock()

    def sync_now(self, mailbox_id: str, actor: str) -> None:
        """Queue a pass at once.

        Raises:
            SyncedTooRecently: less than a minute after the last pass or the last request.
            MailboxStopped: disconnected, or waiting for a sign-in.
        """
        mailbox = self._registry.get(mailbox_id)
        if mailbox.status in (Status.DISCONNECTED, Status.NEEDS_SIGN_IN, Status.PAUSED, Status.SUSPENDED):
            raise MailboxStopped
        self._check_interval(mailbox)
        self._queue.send_mailbox(mailbox_id)
        self._registry.record_audit(mailbox_id, actor, "sync_now")

    def pause(self, mailbox_id: str, actor: str) -> Mailbox:
        """No passes until started again."""
        return self._changed(mailbox_id, actor, "pause", transitions.paused)

    def start(self, mailbox_id: str, actor: str) -> Mailbox:
        """Passes again, the first one now."""
        mailbox = self._changed(mailbox_id, actor, "start", transitions.started)
        if mailbox.status is Status.ACTIVE:
            self._queue.send_mailbox(mailbox_id)
        return mailbox

    def disconnect(self, mailbox_id: str, actor: str) -> Mailbox:
        """Stop syncing for good and delete the token at once; the replica stays.

        The mailbox keeps its authorization's id, so that an erasure can say what the vault still holds of it.
        The status goes first: were it last, a pass could begin between the two and ask to sign in again.
        """
        mailbox = self._changed(mailbox_id, actor, "disconnect", _disconnected)
        self._delete_token(mailbox)
        return mailbox

    def erase(self, mailbox_id: str, actor: str) -> ErasureReceipt:
        """Remove everything of a mailbox.

        It is marked before the first deletion. An erasure that breaks off can be asked for again, and the daily round
        finishes it. Whoever signs in from the mark on gets another mailbox; a sign-in that was faster than the mark is
        erased with it.

        Raises:
            PassStillRunning: a pass did not end in time; the mailbox is marked, and nothing of its copy is deleted yet.
        """
        return self._erasure.run(mailbox_id, actor)

    def finish_erasures(self) -> int:
        """Finish the erasures that broke off, and look after those that are done; gives how many were finished."""
        return self._erasure.finish()

    def release_authorization(self, authorization_id: str) -> datetime | None:
        """Forget an authorization that nothing is read with any more, its token included.

        Gives until when the vault's soft delete still holds the token.
        """
        self._access_tokens.forget(authorization_id)
        held_until = self._token_store.delete(authorization_id)
        self._authorizations.delete(authorization_id)
        return held_until

    def release_unused(self) -> int:
        """Give back what something left behind that broke off; gives how many.

        That is a sign-in between its authorization and its mailbox, or a disconnecting before it had deleted the token:
        what a disconnected mailbox is read with is not in use.
        """
        half = self._authorizations.revoked_with_token()
        for one in half:
            self._end(one.id)
        idle = self._authorizations.idle_since(self._clock() - UNUSED_AFTER)
        in_use = self._registry.authorizations_in_use() if idle else {}
        unused = [one.id for one in idle if one.mode is AccessMode.DELEGATED and one.id not in in_use]
        for authorization_id in unused:
            self.release_authorization(authorization_id)
        return len(half) + len(unused)

    def _delete_token(self, mailbox: Mailbox) -> datetime | None:
        """Delete a person's own token."""
        if not _owns_authorization(mailbox):
            return None
        self._access_tokens.forget(mailbox.authorization_id)
        with suppress(NotFound):
            self._authorizations.change(mailbox.authorization_id, _revoked)
        return self._end(mailbox.authorization_id)

    def _end(self, authorization_id: str) -> datetime | None:
        """Delete the token of a revoked authorization, and only then note that there is none: see release_unused."""
        held_until = self._token_store.delete(authorization_id)
        with suppress(NotFound):
            self._authorizations.change(authorization_id, _without_token)
        return held_until

    def _forget(self, mailbox: Mailbox) -> None:
        """Delete the record of a person's own authorization."""
        if _owns_authorization(mailbox):
            self._authorizations.delete(mailbox.authorization_id)

    def _changed(self, mailbox_id: str, actor: str, act: str, change: Callable[[Mailbox], Mailbox]) -> Mailbox:
        mailbox = self._registry.change(mailbox_id, change)
        self._registry.record_audit(mailbox_id, actor, act)
        return mailbox

    def sync_possible_at(self, mailbox: Mailbox) -> datetime | None:
        """When `sync_now` is possible again, after a pass or a request; None: now."""
        with self._guard:
            possible_at = self._possible_at(mailbox)
        return possible_at if possible_at > self._clock() else None

    def _possible_at(self, mailbox: Mailbox) -> datetime:
        """By the last pass, and by what this instance was asked: a queue that lags must not be filled by clicking."""
        asked = (self._asked.get(mailbox.id), mailbox.last_pass_at, mailbox.syncing_since)
        return max((at + SYNC_NOW_INTERVAL for at in asked if at is not None), default=self._clock())

    def _check_interval(self, mailbox: Mailbox) -> None:
        now = self._clock()
        with self._guard:
            possible_at = self._possible_at(mailbox)
            if possible_at > now:
                raise SyncedTooRecently(int((possible_at - now).total_seconds()) + 1)
            self._asked[mailbox.id] = now
            self._asked.move_to_end(mailbox.id)
            while len(self._asked) > MAX_REMEMBERED:
                self._asked.popitem(last=False)


def _owns_authorization(mailbox: Mailbox) -> bool:
    """Whether the mailbox's authorization ends with it: a service account's, the app's, a shared mailbox's do not."""
    return is_own(mailbox) and bool(mailbox.authorization_id)


def _disconnected(mailbox: Mailbox) -> Mailbox:
    return transitions.disconnected(mailbox).with_changes(authorization_id=mailbox.authorization_id)


def _revoked(authorization: Authorization) -> Authorization:
    return replace(authorization, revoked=True)


def _without_token(authorization: Authorization) -> Authorization:
    return replace(authorization, stored_at=None)


def new_mailbox(
    authorization: Authorization,
    address: str,
    display_name: str,
    now: datetime,
    source: SourceName = SourceName.EWS,
) -> Mailbox:
    """A mailbox that has just been connected; its id is opaque, its shard the registry's to say."""
    return Mailbox(
        id=secrets.token_hex(16),
        shard=0,
        tenant_id=authorization.tenant_id,
        owner_id=authorization.owner_id,
        address=address,
        display_name=display_name,
        authorization_id=authorization.id,
        mode=authorization.mode,
        created_at=now,
        source=source,
    )
