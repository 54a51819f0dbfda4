"""What a sign-in has given is kept: authorization, token, mailbox, in this order; taken back if no mailbox comes of it.

A crash between them leaves what the daily round finds and gives back, never a mailbox without its token.
"""

import logging
import secrets
from collections.abc import Callable
from datetime import datetime
from functools import partial

from shared.authorization.errors import AccountRefused
from shared.authorization.port import Authorization, AuthorizationStore, Identity, Tokens, TokenStore
from shared.errors import BeingErased, Conflict, MailboxSyncError, NotFound, Reason, RetryLater
from shared.mailboxes import transitions
from shared.mailboxes.commands import MailboxCommands, new_mailbox
from shared.mailboxes.model import Mailbox, is_own
from shared.mailboxes.port import MailboxRegistry
from shared.sources.port import AccessMode, SourceName

_log = logging.getLogger(__name__)

ATTEMPTS = 3
"""How often a mailbox may be connected, or marked for erasure, between looking and writing."""


class GrantRecorder:
    """Stores what signing in gave, and puts it to the mailbox."""

    def __init__(
        self,
        *,
        authorizations: AuthorizationStore,
        token_store: TokenStore,
        registry: MailboxRegistry,
        mailbox_commands: MailboxCommands,
        clock: Callable[[], datetime],
    ) -> None:
        self._authorizations = authorizations
        self._token_store = token_store
        self._registry = registry
        self._mailbox_commands = mailbox_commands
        self._clock = clock

    def store(self, identity: Identity, tokens: Tokens, mode: AccessMode) -> Authorization:
        """The record goes first: a token in the vault that none tells of would be found by nobody."""
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
        """The id that the account has already; once given up it gets another, for the vault holds on to the name."""
        theirs = (identity.tenant_id, identity.owner_id)
        existing = self._authorizations.service_accounts()
        return next(
            (one.id for one in existing if (one.tenant_id, one.owner_id) == theirs), f"service-{secrets.token_hex(16)}"
        )

    def check_address(self, existing: Mailbox | None, identity: Identity, address: str) -> None:
        """A new mailbox must be the only one of its address: one an address, whatever way it is read.

        Raises:
            AccountRefused: synced_by_organization: an operator has activated it, and its copy is the organization's.
        """
        standing = self._of_somebody_else(identity, address) if existing is None else None
        if standing is not None and not is_own(standing):
            raise AccountRefused("synced_by_organization")

    def _previous(self, identity: Identity, address: str) -> str:
        """The mailbox of another person who had this address before it was given to who signs in now."""
        standing = self._of_somebody_else(identity, address)
        return standing.id if standing is not None and is_own(standing) else ""

    def _of_somebody_else(self, identity: Identity, address: str) -> Mailbox | None:
        standing = self._registry.at_address(identity.tenant_id, address)
        return standing if standing is not None and standing.owner_id != identity.owner_id else None

    def register(
        self,
        existing: Mailbox | None,
        identity: Identity,
        authorization: Authorization,
        address: str,
        *,
        source: SourceName = SourceName.EWS,
        renews: bool = False,
    ) -> tuple[Mailbox | None, Mailbox]:
        """What stood before, if anything, and the mailbox with its new authorization and its primary `address`.

        If the same person's other tab was faster, the mailbox is that one's, with the newer authorization. One that is
        being erased is never touched: the person gets another.

        Raises:
            NotFound: the sign-in `renews` a mailbox that has been erased meanwhile.
        """
        for _ in range(ATTEMPTS):
            if existing is None:
                now = self._clock()
                mailbox = new_mailbox(authorization, address, identity.display_name, now, source)
                mailbox = mailbox.with_changes(sign_in_name=identity.address)
                try:
                    return None, self._registry.add(mailbox, instead_of=self._previous(identity, address))
                except Conflict:
                    existing = self._existing_at(identity, mailbox.address)
            try:
                return self._reauthorized(existing, partial(_reauthorized, authorization, identity, address, source))
            except BeingErased:
                existing = None
            except NotFound:
                if renews:
                    raise
                existing = None
        raise RetryLater(Reason.CONFLICT, "the mailbox is being connected elsewhere")

    def _reauthorized(self, existing: Mailbox, renew: Callable[[Mailbox], Mailbox]) -> tuple[Mailbox, Mailbox]:
        """The mailbox just before and after; since it was looked up another tab may have renewed it."""
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
        """The authorization before, unless other mailboxes are read with it, as with a service account's."""
        replaced = existing.authorization_id
        if replaced and replaced != authorization.id and existing.mode is AccessMode.DELEGATED:
            self._mailbox_commands.release_authorization(replaced)

    def roll_back(self, authorization: Authorization) -> None:
        """No mailbox came of it, so its token must not stay. What cannot be done now the daily round does.

        A write whose answer was lost has failed here and is done all the same: what a mailbox is read with then stays.
        """
        try:
            owned = self._registry.of_owner(authorization.tenant_id, authorization.owner_id)
            if all(mailbox.authorization_id != authorization.id for mailbox in owned):
                self._mailbox_commands.release_authorization(authorization.id)
        except MailboxSyncError as error:
            _log.warning("an authorization without a mailbox was not given back", exc_info=error)


def _reauthorized(
    authorization: Authorization, identity: Identity, address: str, source: SourceName, mailbox: Mailbox
) -> Mailbox:
    """Names change, and an address that was given up may be another's by now: it goes with who has just signed in."""
    return transitions.read_by(transitions.after_sign_in(mailbox, authorization.id), source).with_changes(
        mode=authorization.mode,
        address=address,
        sign_in_name=identity.address,
        display_name=identity.display_name,
    )
