"""The callback of a sign-in, from the code to the connected mailbox.

The flow is taken (once, by the same browser), the code is redeemed, the identity is validated and compared with the
expected person, and the mailbox is opened. Only then is anything stored (grants.py).
"""

import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial

from shared.authorization.errors import AccountRefused, FlowUnknown, SignInRefused
from shared.authorization.model import Identity, Tokens
from shared.authorization.onboarding.alias_check import is_same_mailbox
from shared.authorization.onboarding.grants import GrantRecorder
from shared.authorization.onboarding.invitations import Invitations
from shared.authorization.onboarding.primary_address import primary_address_of
from shared.authorization.onboarding.shared_mailboxes import SharedMailboxes
from shared.authorization.onboarding.sign_in_outcome import SignInFailed, SignInOutcome, SignInPurpose
from shared.authorization.port import FlowStore, IdentityProvider
from shared.authorization.sessions.sessions import Sessions
from shared.authorization.sessions.signing import digest
from shared.errors import ActionNeeded, Conflict, MailboxSyncError, NotFound, OperatorMustAct, Reason
from shared.mailboxes import transitions
from shared.mailboxes.commands import MailboxCommands
from shared.mailboxes.model import Mailbox, Status
from shared.mailboxes.port import MailboxRegistry, SyncQueue
from shared.sources.model import Access, AccessMode, SourceName
from shared.sources.port import MailSources
from shared.sources.selection import SourceSelection

_log = logging.getLogger(__name__)


class SignInCallback:
    """Completes sign-ins: opens the session, and connects or renews the mailbox."""

    def __init__(
        self,
        *,
        provider: IdentityProvider,
        flows: FlowStore,
        grants: GrantRecorder,
        registry: MailboxRegistry,
        sources: MailSources,
        selection: SourceSelection,
        queue: SyncQueue,
        sessions: Sessions,
        invitations: Invitations,
        mailbox_commands: MailboxCommands,
        shared: SharedMailboxes,
    ) -> None:
        self._provider = provider
        self._flows = flows
        self._grants = grants
        self._registry = registry
        self._sources = sources
        self._selection = selection
        self._queue = queue
        self._sessions = sessions
        self._invitations = invitations
        self._mailbox_commands = mailbox_commands
        self._shared = shared

    def complete(self, answer: Mapping[str, str], binding: str, *, language: str = "") -> SignInOutcome:
        """Handle the browser's return from Microsoft. `language` is the one of the page that the person will see.

        Raises:
            SignInRefused: the flow cannot be taken, so its purpose is unknown.
            SignInFailed: any later failure, with its cause.
        """
        state = answer.get("state", "")
        if not state:
            raise FlowUnknown
        pending = self._flows.take(state, digest(binding))
        if pending.intent.get("act") not in set(SignInPurpose):
            raise FlowUnknown
        try:
            identity, tokens = self._provider.redeem(pending.flow, answer)
            return self._completed(pending.intent, replace(identity, language=language), tokens)
        except (SignInRefused, ActionNeeded) as cause:
            raise SignInFailed(cause, pending.intent, self._declined_url(cause, pending.intent)) from cause

    def _completed(self, intent: Mapping[str, str], identity: Identity, tokens: Tokens) -> SignInOutcome:
        purpose = SignInPurpose(intent["act"])
        if self._sessions.is_ended(intent.get("session", "")):
            raise SignInRefused("session_expired")  # the person who started it has signed out since
        session = self._sessions.open(identity)
        if purpose is SignInPurpose.CONFIRM:
            self._owned_by(identity, intent["mailbox"])
        if purpose in (SignInPurpose.VIEW, SignInPurpose.CONFIRM):
            return SignInOutcome(purpose, identity, session, intent=intent)
        if not tokens.refresh_token:
            raise OperatorMustAct(Reason.OUR_CONFIGURATION, "no refresh token came: offline_access is not granted")
        if purpose is SignInPurpose.SERVICE:
            return self._service_account(intent, identity, tokens)
        choice = self._selection.choose(partial(self._access, identity, tokens))
        access = choice.access or self._access(identity, tokens, SourceName.EWS)
        existing = self._expected_mailbox(intent, identity, access)
        if choice.refusal is not None:
            # No mailbox, no license, or no source that is allowed: the person is told now.
            raise choice.refusal
        address = primary_address_of(self._sources, None if choice.error else access, identity, existing)
        self._grants.check_address(existing, identity, address)
        group = self._group_of(intent)
        stored = self._grants.store(identity, tokens, AccessMode.DELEGATED)
        try:
            if "invitation" in intent:
                # Used up only after the token is stored, so that a failing vault does not waste the invitation.
                self._invitations.use(intent["invitation"])
            existing, mailbox = self._grants.register(
                existing,
                identity,
                stored,
                address,
                source=choice.source,
                renews=purpose is SignInPurpose.RENEW,
                group=group,
            )
        except MailboxSyncError:
            self._grants.roll_back(stored)
            raise
        self._shared.claim(stored, access, existing.authorization_id if existing is not None else "")
        if existing is not None:
            self._grants.delete_replaced(existing, stored)
        if purpose is SignInPurpose.CHANGE and mailbox.id != intent["mailbox"]:
            with suppress(NotFound):  # erased while the person signed in
                self._mailbox_commands.disconnect(intent["mailbox"], identity.owner_id)
        self._record(existing, mailbox, identity, intent)
        self._queue.send_mailbox(mailbox.id)
        return_url = self._connected_url(intent, mailbox)
        return SignInOutcome(purpose, identity, session, mailbox, stored.id, existing is None, return_url, intent)

    def _record(self, before: Mailbox | None, mailbox: Mailbox, identity: Identity, intent: Mapping[str, str]) -> None:
        """Record the sign-in, and the group that an invitation has put the mailbox into.

        The invitation's id stands for its maker, whom its own audit trail names.
        """
        self._registry.record_audit(mailbox.id, identity.owner_id, intent["act"])
        if mailbox.group != (before.group if before is not None else ""):
            self._registry.record_audit(mailbox.id, intent["invitation"], "set_group")

    def _service_account(self, intent: Mapping[str, str], identity: Identity, tokens: Tokens) -> SignInOutcome:
        """Store a service account's authorization. Its id stays the same, so all mailboxes read with it are renewed.

        The sign-in opens no session: the operator's own session continues, and this identity is the service account.
        """
        access = self._access(identity, tokens, SourceName.EWS)
        # Nothing asks for it again: mailboxes are looked up by this address from then on.
        address = primary_address_of(self._sources, access, identity, waits_for_server=True)
        stored = self._grants.store(replace(identity, address=address), tokens, AccessMode.IMPERSONATION)
        self._registry.record_audit(stored.id, intent["by"], SignInPurpose.SERVICE.value)
        for mailbox in self._registry.of_owner(identity.tenant_id, identity.owner_id, readable_only=True):
            if mailbox.mode is AccessMode.IMPERSONATION and mailbox.status is Status.NEEDS_SIGN_IN:
                try:
                    self._registry.change(mailbox.id, lambda found: transitions.after_sign_in(found, stored.id))
                except (NotFound, Conflict) as error:  # erased in the meantime, or changed all the time
                    _log.warning("mailbox not renewed", exc_info=error, extra={"mailbox_id": mailbox.id})
        return SignInOutcome(SignInPurpose.SERVICE, identity, "", authorization_id=stored.id, intent=intent)

    def _expected_mailbox(self, intent: Mapping[str, str], identity: Identity, access: Access) -> Mailbox | None:
        """Check that the expected person signed in; returns their existing mailbox, unless it is being erased.

        Raises:
            AccountRefused: wrong_account.
        """
        if "invitation" in intent:
            wanted = self._invitations.wanted(intent["invitation"]).address
            if not is_same_mailbox(self._sources, access, wanted):
                raise AccountRefused("wrong_account", wanted=wanted, actual=identity.address)
        if intent["act"] == SignInPurpose.RENEW:
            mailbox = self._owned_by(identity, intent["mailbox"])
            return mailbox if mailbox.erasing_since is None else None
        owned = self._registry.of_owner(identity.tenant_id, identity.owner_id)
        existing = (mailbox for mailbox in owned if mailbox.erasing_since is None)
        return next((mailbox for mailbox in existing if mailbox.mode is AccessMode.DELEGATED), None)

    def _group_of(self, intent: Mapping[str, str]) -> str:
        """The group that the invitation names; empty if it names none, or without one. Raises InvitationRefused."""
        return self._invitations.wanted(intent["invitation"]).group if "invitation" in intent else ""

    def _access(self, identity: Identity, tokens: Tokens, source: SourceName) -> Access:
        """Return access with a token for the source: the sign-in's own for EWS, a refreshed one for Graph."""
        if source is not SourceName.EWS:
            tokens = self._provider.refresh(identity.tenant_id, tokens.refresh_token, source)
        return Access(identity.address, AccessMode.DELEGATED, tokens.access_token, source=source, own=True)

    def _owned_by(self, identity: Identity, mailbox_id: str) -> Mailbox:
        """Return the mailbox if this identity owns it. Raises AccountRefused: wrong_account."""
        mailbox = self._registry.get(mailbox_id)
        if (mailbox.tenant_id, mailbox.owner_id) != (identity.tenant_id, identity.owner_id):
            raise AccountRefused("wrong_account", wanted=mailbox.signs_in_as, actual=identity.address)
        return mailbox

    def _connected_url(self, intent: Mapping[str, str], mailbox: Mailbox) -> str:
        if "invitation" not in intent:
            return ""
        return self._invitations.return_url(intent["invitation"], "connected", mailbox.id)

    def _declined_url(self, cause: Exception, intent: Mapping[str, str]) -> str:
        """Return the inviter's URL for a declined consent. Other failures are not final: the person can try again."""
        if "invitation" not in intent or not isinstance(cause, SignInRefused) or cause.code != "declined":
            return ""
        return self._invitations.return_url(intent["invitation"], "declined")
