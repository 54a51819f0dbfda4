"""Stores the result of a sign-in: authorization, token, mailbox, in this order. Rolls back if no mailbox results.

A crash in between leaves an authorization that the daily work finds and removes, never a mailbox without its token.
"""

import logging
import secrets
from collections.abc import Callable
from datetime import datetime
from functools import partial

from shared.authorization.errors import AccountRefused
from shared.authorization.model import Authorization, Identity, Tokens
from shared.authorization.port import AuthorizationStore, Revocations, TokenStore
from shared.errors import BeingErased, Conflict, MailboxSyncError, NotFound, Reason, RetryLater
from shared.mailboxes import transitions
from shared.mailboxes.commands import new_mailbox
from shared.mailboxes.groups.model import stored_name
from shared.mailboxes.model import Mailbox, Status, is_own
from shared.mailboxes.port import MailboxRegistry
from shared.sources.model import AccessMode, SourceName

_log = logging.getLogger(__name__)

ATTEMPTS = 3
"""How often to try again when the mailbox is connected or marked for erasure between reading and writing it."""


class GrantRecorder:
    """Stores the authorization and the token of a sign-in, and connects the mailbox to them."""

    def __init__(
        self,
        *,
        authorizations: AuthorizationStore,
        token_store: TokenStore,
        registry: MailboxRegistry,
        revocations: Revocations,
        clock: Callable[[], datetime],
    ) -> None:
        self._authorizations = authorizations
        self._token_store = token_store
        self._registry = registry
        self._revocations = revocations
        self._clock = clock

    def store(self, identity: Identity, tokens: Tokens, mode: AccessMode) -> Authorization:
        """Store the authorization, then the token: a token in the vault without an authorization could not be found."""
        stored = self._authorizations.add(self._authorization(identity, mode))
        try:
            self._token_store.write(stored.id, tokens.refresh_token)
        except MailboxSyncError:
            if mode is AccessMode.DELEGATED:
                self.roll_back(stored)
            raise
        return stored

    def _authorization(self, identity: Identity, mode: AccessMode) -> Authorization:
        now = self._clock()
        service = mode is AccessMode.IMPERSONATION
        return Authorization(
            id=self._service_id(identity) if service else secrets.token_hex(16),
            mode=mode,
            tenant_id=identity.tenant_id,
            owner_id=identity.owner_id,
            created_at=now,
            address=identity.address if service else "",
            refreshed_at=now,
            stored_at=now,
        )

    def _service_id(self, identity: Identity) -> str:
        """Return the id that the account already has.

        A revoked account gets a new id, because the vault's soft delete still holds the old name.
        """
        owner = (identity.tenant_id, identity.owner_id)
        existing = self._authorizations.service_accounts()
        return next(
            (one.id for one in existing if (one.tenant_id, one.owner_id) == owner), f"service-{secrets.token_hex(16)}"
        )

    def check_address(self, existing: Mailbox | None, identity: Identity, address: str) -> None:
        """Check that a new mailbox is the only one at its address, however that one is read.

        Raises:
            AccountRefused: synced_by_organization: an operator activated the address; the copy is the organization's.
        """
        other = self._of_somebody_else(identity, address) if existing is None else None
        if other is not None and not is_own(other):
            raise AccountRefused("synced_by_organization")

    def _previous(self, identity: Identity, address: str) -> str:
        """Return the id of the mailbox of the person who had this address before; empty if there is none."""
        other = self._of_somebody_else(identity, address)
        return other.id if other is not None and is_own(other) else ""

    def _of_somebody_else(self, identity: Identity, address: str) -> Mailbox | None:
        other = self._registry.at_address(identity.tenant_id, address)
        return other if other is not None and other.owner_id != identity.owner_id else None

    def register(
        self,
        existing: Mailbox | None,
        identity: Identity,
        authorization: Authorization,
        address: str,
        *,
        source: SourceName = SourceName.EWS,
        renews: bool = False,
        group: str = "",
    ) -> tuple[Mailbox | None, Mailbox]:
        """Connect the mailbox at its primary `address`; returns it as it was before, if it existed, and as it is now.

        A mailbox that is new or was disconnected is put into the `group`, if one is named.

        If another tab of the same person was faster, its mailbox gets this newer authorization. A mailbox that is being
        erased stays unchanged, and the person gets a new one.

        Raises:
            NotFound: the sign-in `renews` a mailbox that was erased in the meantime.
        """
        for _ in range(ATTEMPTS):
            if existing is None:
                now = self._clock()
                mailbox = new_mailbox(authorization, address, identity.display_name, now, source)
                mailbox = mailbox.with_changes(
                    sign_in_name=identity.address, language=identity.language, group=stored_name(group)
                )
                try:
                    return None, self._registry.add(mailbox, instead_of=self._previous(identity, address))
                except Conflict:
                    existing = self._existing_at(identity, mailbox.address)
            try:
                renew = partial(_reauthorized, authorization, identity, address, source=source, group=group)
                return self._reauthorized(existing, renew)
            except BeingErased:
                existing = None
            except NotFound:
                if renews:
                    raise
                existing = None
        raise RetryLater(Reason.CONFLICT, "the mailbox is being connected elsewhere")

    def _reauthorized(self, existing: Mailbox, renew: Callable[[Mailbox], Mailbox]) -> tuple[Mailbox, Mailbox]:
        """Return the mailbox before and after the change. It is read again: another tab may have just renewed it."""
        before = existing

        def change(found: Mailbox) -> Mailbox:
            nonlocal before
            before = found
            return renew(found)

        after = self._registry.change(existing.id, change)
        return before, after

    def _existing_at(self, identity: Identity, address: str) -> Mailbox:
        for mailbox in self._registry.of_owner(identity.tenant_id, identity.owner_id):
            if mailbox.address.casefold() == address.casefold() and mailbox.erasing_since is None:
                return mailbox
        raise RetryLater(Reason.CONFLICT, "the mailbox is being connected elsewhere")

    def delete_replaced(self, existing: Mailbox, authorization: Authorization) -> None:
        """Delete the mailbox's previous authorization. A service account's stays: other mailboxes are read with it."""
        replaced = existing.authorization_id
        if replaced and replaced != authorization.id and existing.mode is AccessMode.DELEGATED:
            self._revocations.delete(replaced)

    def roll_back(self, authorization: Authorization) -> None:
        """Remove an authorization and its token after no mailbox was connected. If this fails, the daily work does it.

        A write can succeed although its response was lost. So an authorization that a mailbox uses is kept.
        """
        try:
            owned = self._registry.of_owner(authorization.tenant_id, authorization.owner_id)
            if all(mailbox.authorization_id != authorization.id for mailbox in owned):
                self._revocations.delete(authorization.id)
        except MailboxSyncError as error:
            _log.warning("unused authorization not deleted", exc_info=error)


def _reauthorized(
    authorization: Authorization, identity: Identity, address: str, mailbox: Mailbox, *, source: SourceName, group: str
) -> Mailbox:
    """Give the mailbox the names and the address of this sign-in: names change, and addresses move to other people.

    A mailbox that was disconnected is put into the group of the invitation. Any other one stays in the group that an
    operator may have chosen since.
    """
    is_chosen = bool(group) and mailbox.status is Status.DISCONNECTED
    return transitions.read_by(transitions.after_sign_in(mailbox, authorization.id), source).with_changes(
        mode=authorization.mode,
        address=address,
        sign_in_name=identity.address,
        display_name=identity.display_name,
        language=identity.language or mailbox.language,
        group=stored_name(group) if is_chosen else mailbox.group,
    )
