"""The start of a sign-in: a flow is stored, the browser gets a binding cookie and is redirected to Microsoft.

`sign_in_callback.py` continues when the browser comes back.
"""

import secrets
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from shared.authorization.model import PendingFlow
from shared.authorization.onboarding.authorize_redirect import AuthorizeRedirect, binding_cookie_name
from shared.authorization.onboarding.invitations import Invitations
from shared.authorization.onboarding.sign_in_outcome import AFTER_APPROVAL, MAIL_PURPOSES, SignInPurpose
from shared.authorization.port import FlowStore, IdentityProvider
from shared.authorization.sessions.sessions import Session
from shared.authorization.sessions.signing import digest
from shared.errors import NotFound
from shared.mailboxes.model import Mailbox
from shared.mailboxes.port import MailboxRegistry
from shared.sources.model import AccessMode


class SignIn:
    """Starts sign-ins, each for one purpose."""

    def __init__(
        self,
        *,
        provider: IdentityProvider,
        flows: FlowStore,
        registry: MailboxRegistry,
        invitations: Invitations,
        redirect_uri: str,
        minutes: int,
        clock: Callable[[], datetime],
    ) -> None:
        self._provider = provider
        self._flows = flows
        self._registry = registry
        self._invitations = invitations
        self._redirect_uri = redirect_uri
        self._lasts = timedelta(minutes=minutes)
        self._clock = clock

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
