"""Signing in: from the link to the connected mailbox.

Start: a flow is created and stored; the browser gets a binding cookie and is redirected to Microsoft.
Callback: the flow is taken (once, by the same browser), the code is redeemed, the identity is validated and compared
with the expected person, and the mailbox is opened. Only then is anything stored (grants.py).
"""

import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from shared.authorization.errors import AccountRefused, FlowUnknown, SignInRefused
from shared.authorization.onboarding.alias_check import is_same_mailbox
from shared.authorization.onboarding.authorize_redirect import AuthorizeRedirect, binding_cookie_name
from shared.authorization.onboarding.grants import GrantRecorder
from shared.authorization.onboarding.invitations import Invitations
from shared.authorization.onboarding.primary_address import primary_address_of
from shared.authorization.onboarding.shared_mailboxes import SharedMailboxes
from shared.authorization.onboarding.sign_in_outcome import (
    AFTER_APPROVAL,
    MAIL_PURPOSES,
    SignInFailed,
    SignInOutcome,
    SignInPurpose,
)
from shared.authorization.port import (
    AuthorizationStore,
    FlowStore,
    Identity,
    IdentityProvider,
    PendingFlow,
    Tokens,
    TokenStore,
)
from shared.authorization.sessions.sessions import Session, Sessions
from shared.authorization.sessions.signing import digest
from shared.errors import ActionNeeded, MailboxSyncError, NotFound, OperatorMustAct, Reason
from shared.mailboxes import transitions
from shared.mailboxes.commands import MailboxCommands
from shared.mailboxes.model import Mailbox, Status
from shared.mailboxes.port import MailboxRegistry, SyncQueue
from shared.sources.port import Access, AccessMode, MailSources, SourceName
from shared.sources.selection import SourceSelection


class SignIn:
    """Starts sign-ins and handles their callbacks."""

    def __init__(
        self,
        *,
        provider: IdentityProvider,
        flows: FlowStore,
        authorizations: AuthorizationStore,
        token_store: TokenStore,
        registry: MailboxRegistry,
        sources: MailSources,
        selection: SourceSelection,
        queue: SyncQueue,
        sessions: Sessions,
        invitations: Invitations,
        mailbox_commands: MailboxCommands,
        shared: SharedMailboxes,
        redirect_uri: str,
        minutes: int,
        clock: Callable[[], datetime],
    ) -> None:
        self._provider = provider
        self._flows = flows
        self._grants = GrantRecorder(
            authorizations=authorizations,
            token_store=token_store,
            registry=registry,
            mailbox_commands=mailbox_commands,
            clock=clock,
        )
        self._registry = registry
        self._sources = sources
        self._selection = selection
        self._queue = queue
        self._sessions = sessions
        self._invitations = invitations
        self._mailbox_commands = mailbox_commands
        self._shared = shared
        self._redirect_uri = redirect_uri
        self._lasts = timedelta(minutes=minutes)
        self._clock = clock

    # ---------------------------------------------------------------- the start

    def connect(self, *, choose: bool = False) -> AuthorizeRedirect:
        """Start from the sign-in link. `choose` shows the account picker, after a wrong account."""
        return self._start(SignInPurpose.CONNECT, choose=choose)

    def view(self, to: str = "") -> AuthorizeRedirect:
        """Start a sign-in that only opens a session; `to` is the caller's name of the page to show afterward."""
        return self._start(SignInPurpose.VIEW, {"to": to})

    def invited(self, token: str, *, choose: bool = False, waited: bool = False) -> AuthorizeRedirect:
        """Start from an invitation link; `waited` means resumed after an approval. Raises InvitationRefused."""
        invitation = self._invitations.open(token)
        details = {"invitation": invitation.id, "token": token} | ({AFTER_APPROVAL: "yes"} if waited else {})
        return self._start(SignInPurpose.INVITED, details, hint=invitation.address, choose=choose)

    def renew(self, session: Session, mailbox_id: str) -> AuthorizeRedirect:
        """Sign in again for a mailbox of this session. Raises NotFound for any other mailbox."""
        mailbox = self.own(session, mailbox_id)
        return self._start(
            SignInPurpose.RENEW, {"mailbox": mailbox.id}, hint=mailbox.signs_in_as, claims=mailbox.claims
        )

    def change(self, session: Session, mailbox_id: str) -> AuthorizeRedirect:
        """Connect another account's mailbox instead of this one. Raises NotFound for a mailbox of another person."""
        mailbox = self.own(session, mailbox_id)
        return self._start(SignInPurpose.CHANGE, {"mailbox": mailbox.id, "session": session.id}, choose=True)

    def confirm(self, session: Session, mailbox_id: str) -> AuthorizeRedirect:
        """Have the owner enter their credentials again. Raises NotFound for a mailbox of another person."""
        mailbox = self.own(session, mailbox_id)
        details = {"mailbox": mailbox.id, "session": session.id}
        return self._start(SignInPurpose.CONFIRM, details, hint=mailbox.address, prompt="login")

    def service(self, session: Session) -> AuthorizeRedirect:
        """Sign in a service account, as an operator. Raises NotFound for anybody else."""
        if not session.operator:
            raise NotFound("not an operator")
        return self._start(SignInPurpose.SERVICE, {"by": session.owner_id, "session": session.id}, choose=True)

    def resume(self, intent: Mapping[str, str], session: Session | None, *, choose: bool = False) -> AuthorizeRedirect:
        """Start again, after an approval, with the intent of an earlier sign-in. Also raises what those methods raise.

        `session` is the browser's current session. An approval can take weeks, and the next user of a shared browser
        has the same cookie. So an intent for a mailbox is resumed only in a session of its owner.

        Raises:
            NotFound: no session of the mailbox's owner; or an operator's intent, which is never resumed.
        """
        purpose = SignInPurpose(intent.get("act", SignInPurpose.CONNECT))
        if purpose is SignInPurpose.SERVICE:
            raise NotFound("not without the operator")
        if purpose is SignInPurpose.INVITED:
            return self.invited(intent["token"], choose=choose, waited=True)
        if purpose in (SignInPurpose.RENEW, SignInPurpose.CHANGE):
            return self._resumed_by_owner(purpose, intent["mailbox"], session, choose=choose)
        return self._start(purpose, {**intent, AFTER_APPROVAL: "yes"}, choose=choose)

    def _resumed_by_owner(
        self, purpose: SignInPurpose, mailbox_id: str, session: Session | None, *, choose: bool
    ) -> AuthorizeRedirect:
        """Raises NotFound when there is no session, or the mailbox belongs to another person."""
        if session is None:
            raise NotFound("not without its owner")
        mailbox = self.own(session, mailbox_id)
        hint = mailbox.signs_in_as if purpose is SignInPurpose.RENEW else ""
        details = {"mailbox": mailbox.id, "session": session.id, AFTER_APPROVAL: "yes"}
        return self._start(purpose, details, hint=hint, choose=choose or purpose is SignInPurpose.CHANGE)

    def challenged(self, intent: Mapping[str, str], claims: str) -> AuthorizeRedirect:
        """Start again with a claims challenge from Entra ID (MFA, conditional access); `again` limits this to once."""
        purpose = SignInPurpose(intent["act"])
        details = {**intent, "again": "yes"}
        return self._start(purpose, details, claims=claims)

    def own(self, session: Session, mailbox_id: str) -> Mailbox:
        """Return a mailbox of this session's person. Raises NotFound for any other, as if it did not exist.

        Mailboxes read with a service account belong to other people, whoever signed in the account.
        """
        mailbox = self._registry.get(mailbox_id)
        is_owner = (mailbox.tenant_id, mailbox.owner_id) == (session.tenant_id, session.owner_id)
        if not is_owner or mailbox.mode is not AccessMode.DELEGATED:
            raise NotFound("not this session's")
        return mailbox

    def _start(
        self, purpose: SignInPurpose, details: Mapping[str, str] | None = None, *, hint: str = "", claims: str = "",
        choose: bool = False, prompt: str = "",
    ) -> AuthorizeRedirect:  # fmt: skip
        url, flow = self._provider.begin(
            redirect_uri=self._redirect_uri,
            login_hint="" if choose else hint,
            prompt="select_account" if choose else prompt,
            claims=claims,
            mail=purpose in MAIL_PURPOSES,
        )
        state, binding = str(flow["state"]), secrets.token_urlsafe(32)
        intent = {**(details or {}), "act": purpose.value}
        self._flows.put(PendingFlow(state, digest(binding), flow, intent, self._clock() + self._lasts))
        return AuthorizeRedirect(url, binding_cookie_name(state), binding, int(self._lasts.total_seconds()))

    # ---------------------------------------------------------------- the callback

    def callback(self, answer: Mapping[str, str], binding: str) -> SignInOutcome:
        """Handle the browser's return from Microsoft.

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
            return self._complete(pending.intent, identity, tokens)
        except (SignInRefused, ActionNeeded) as cause:
            raise SignInFailed(cause, pending.intent, self._declined_url(cause, pending.intent)) from cause

    def _complete(self, intent: Mapping[str, str], identity: Identity, tokens: Tokens) -> SignInOutcome:
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
        stored = self._grants.store(identity, tokens, AccessMode.DELEGATED)
        try:
            if "invitation" in intent:
                # Used up only after the token is stored, so that a failing vault does not waste the invitation.
                self._invitations.use(intent["invitation"])
            existing, mailbox = self._grants.register(
                existing, identity, stored, address, source=choice.source, renews=purpose is SignInPurpose.RENEW
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
        self._registry.record_audit(mailbox.id, identity.owner_id, purpose.value)
        self._queue.send_mailbox(mailbox.id)
        return_url = self._connected_url(intent, mailbox)
        return SignInOutcome(purpose, identity, session, mailbox, stored.id, existing is None, return_url, intent)

    def _service_account(self, intent: Mapping[str, str], identity: Identity, tokens: Tokens) -> SignInOutcome:
        """Store a service account's authorization. Its id stays the same, so all mailboxes read with it are renewed.

        The sign-in opens no session: the operator's own session continues, and this identity is the service account.
        """
        address = primary_address_of(self._sources, self._access(identity, tokens, SourceName.EWS), identity)
        stored = self._grants.store(replace(identity, address=address), tokens, AccessMode.IMPERSONATION)
        self._registry.record_audit(stored.id, intent["by"], SignInPurpose.SERVICE.value)
        for mailbox in self._registry.of_owner(identity.tenant_id, identity.owner_id):
            if mailbox.mode is AccessMode.IMPERSONATION and mailbox.status is Status.NEEDS_SIGN_IN:
                with suppress(NotFound):  # erased in the meantime
                    self._registry.change(mailbox.id, lambda found: transitions.after_sign_in(found, stored.id))
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

    # ---------------------------------------------------------------- the inviter

    def _connected_url(self, intent: Mapping[str, str], mailbox: Mailbox) -> str:
        if "invitation" not in intent:
            return ""
        return self._invitations.return_url(intent["invitation"], "connected", mailbox.id)

    def _declined_url(self, cause: Exception, intent: Mapping[str, str]) -> str:
        """Return the inviter's URL for a declined consent. Other failures are not final: the person can try again."""
        if "invitation" not in intent or not isinstance(cause, SignInRefused) or cause.code != "declined":
            return ""
        return self._invitations.return_url(intent["invitation"], "declined")
