"""Signing in: from the link to the connected mailbox.

start: a flow is begun and kept on our side; the browser gets a binding cookie and goes to Microsoft.
callback: the flow is taken (once, by the browser it belongs to), the code redeemed, the identity validated and held
against who was wanted, the mailbox tried, and only then anything is stored: authorization, token, mailbox, in this
order, so that a crash between them leaves what the daily round finds and gives back, never a mailbox without its token.
"""

import logging
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta

from shared.authorization.acts import MAIL, WAITED, Act, Outcome, SignInFailed
from shared.authorization.connections import Connections, new_mailbox
from shared.authorization.errors import AccountRefused, FlowUnknown, SignInRefused
from shared.authorization.invitations import Invitations
from shared.authorization.port import (
    Authorization,
    AuthorizationStore,
    FlowStore,
    Identity,
    IdentityProvider,
    PendingFlow,
    Tokens,
    TokenStore,
)
from shared.authorization.same_mailbox import is_same_mailbox
from shared.authorization.sessions import Session, Sessions
from shared.authorization.shared_mailboxes import SharedMailboxes
from shared.authorization.signing import digest
from shared.authorization.start import Start, binding_cookie
from shared.errors import ActionNeeded, Conflict, MailboxSyncError, NotFound, OperatorMustAct, Reason, RetryLater
from shared.mailboxes import life
from shared.mailboxes.model import Mailbox, Status
from shared.mailboxes.port import MailboxRegistry, SyncQueue
from shared.sources.port import Access, AccessMode, MailSources

_log = logging.getLogger(__name__)


class SignIn:
    """Begins and ends sign-ins."""

    def __init__(
        self,
        *,
        provider: IdentityProvider,
        flows: FlowStore,
        authorizations: AuthorizationStore,
        token_store: TokenStore,
        registry: MailboxRegistry,
        sources: MailSources,
        queue: SyncQueue,
        sessions: Sessions,
        invitations: Invitations,
        connections: Connections,
        shared: SharedMailboxes,
        redirect_uri: str,
        minutes: int,
        clock: Callable[[], datetime],
    ) -> None:
        self._provider = provider
        self._flows = flows
        self._authorizations = authorizations
        self._token_store = token_store
        self._registry = registry
        self._sources = sources
        self._queue = queue
        self._sessions = sessions
        self._invitations = invitations
        self._connections = connections
        self._shared = shared
        self._redirect_uri = redirect_uri
        self._lasts = timedelta(minutes=minutes)
        self._clock = clock

    # ---------------------------------------------------------------- the start

    def connect(self, *, choose: bool = False) -> Start:
        """From the sign-in link. `choose`: show the account picker, after a wrong account."""
        return self._start(Act.CONNECT, choose=choose)

    def view(self, to: str = "") -> Start:
        """Only to see one's settings; `to` says which page of ours comes next (a word of the caller's)."""
        return self._start(Act.VIEW, {"to": to})

    def invited(self, token: str, *, choose: bool = False) -> Start:
        """From an invitation link. Raises InvitationRefused."""
        invitation = self._invitations.open(token)
        return self._start(
            Act.INVITED, {"invitation": invitation.id, "token": token}, hint=invitation.address, choose=choose
        )

    def renew(self, session: Session, mailbox_id: str) -> Start:
        """Sign in again for a mailbox of this session. Raises NotFound for anybody else's."""
        mailbox = self.own(session, mailbox_id)
        return self._start(Act.RENEW, {"mailbox": mailbox.id}, hint=mailbox.address, claims=mailbox.claims)

    def change(self, session: Session, mailbox_id: str) -> Start:
        """Change the account: another mailbox will be connected instead. Raises NotFound for anybody else's."""
        mailbox = self.own(session, mailbox_id)
        return self._start(Act.CHANGE, {"mailbox": mailbox.id}, choose=True)

    def service(self, session: Session) -> Start:
        """An operator signs a service account in. Raises NotFound for anybody else."""
        if not session.operator:
            raise NotFound("not an operator")
        return self._start(Act.SERVICE, {"by": session.owner_id}, choose=True)

    def resume(self, intent: Mapping[str, str], *, choose: bool = False) -> Start:
        """Begin again, after an approval, what an earlier sign-in was for. Raises as they do.

        Raises:
            NotFound: what an operator begins ends with their session; whoever uses the browser next has no part in it.
        """
        act = Act(intent.get("act", Act.CONNECT))
        if act is Act.SERVICE:
            raise NotFound("not without the operator")
        if act is Act.INVITED:
            return self.invited(intent["token"], choose=choose)
        if act in (Act.RENEW, Act.CHANGE):
            mailbox = self._registry.get(intent["mailbox"])
            hint = mailbox.address if act is Act.RENEW else ""
            return self._start(act, {"mailbox": mailbox.id}, hint=hint, choose=choose or act is Act.CHANGE)
        return self._start(act, {**intent, WAITED: "yes"}, choose=choose)

    def challenged(self, intent: Mapping[str, str], claims: str) -> Start:
        """Begin again with the claims challenge that Entra ID gave (MFA, conditional access); once, by `again`."""
        act = Act(intent["act"])
        details = {**intent, "again": "yes"}
        return self._start(act, details, claims=claims)

    def own(self, session: Session, mailbox_id: str) -> Mailbox:
        """A mailbox, if it is this session's; else NotFound, as if there were none.

        Those that are read with a service account are other people's, whoever signed the account in.
        """
        mailbox = self._registry.get(mailbox_id)
        theirs = (mailbox.tenant_id, mailbox.owner_id) == (session.tenant_id, session.owner_id)
        if not theirs or mailbox.mode is not AccessMode.DELEGATED:
            raise NotFound("not this session's")
        return mailbox

    def _start(
        self, act: Act, details: Mapping[str, str] | None = None, *, hint: str = "", claims: str = "",
        choose: bool = False,
    ) -> Start:  # fmt: skip
        url, flow = self._provider.begin(
            redirect_uri=self._redirect_uri,
            login_hint="" if choose else hint,
            prompt="select_account" if choose else "",
            claims=claims,
            mail=act in MAIL,
        )
        state, binding = str(flow["state"]), secrets.token_urlsafe(32)
        intent = {**(details or {}), "act": act.value}
        self._flows.put(PendingFlow(state, digest(binding), flow, intent, self._clock() + self._lasts))
        return Start(url, binding_cookie(state), binding, int(self._lasts.total_seconds()))

    # ---------------------------------------------------------------- the callback

    def callback(self, answer: Mapping[str, str], binding: str) -> Outcome:
        """The browser is back from Microsoft.

        Raises:
            SignInRefused: the flow cannot be taken; nothing more is known.
            SignInFailed: anything later, with its cause.
        """
        state = answer.get("state", "")
        if not state:
            raise FlowUnknown
        pending = self._flows.take(state, digest(binding))
        if pending.intent.get("act") not in set(Act):
            raise FlowUnknown
        try:
            identity, tokens = self._provider.redeem(pending.flow, answer)
            return self._ended(pending.intent, identity, tokens)
        except (SignInRefused, ActionNeeded) as cause:
            raise SignInFailed(cause, pending.intent, self._bad_news(cause, pending.intent)) from cause

    def _ended(self, intent: Mapping[str, str], identity: Identity, tokens: Tokens) -> Outcome:
        act = Act(intent["act"])
        session = self._sessions.open(identity)
        if act is Act.VIEW:
            return Outcome(act, identity, session, intent=intent)
        if not tokens.refresh_token:
            raise OperatorMustAct(Reason.OUR_CONFIGURATION, "no refresh token came: offline_access is not granted")
        if act is Act.SERVICE:
            return self._service_account(intent, identity, tokens)
        access = Access(identity.address, AccessMode.DELEGATED, tokens.access_token)
        standing = self._pinned(intent, identity, access)
        self._tried(access)
        stored = self._store(identity, tokens, AccessMode.DELEGATED)
        try:
            standing, mailbox = self._registered(intent, standing, identity, stored)
        except MailboxSyncError:
            self._taken_back(stored)
            raise
        self._shared.claim(stored, access, standing.authorization_id if standing is not None else "")
        if standing is not None:
            self._forget_replaced(standing, stored)
        if act is Act.CHANGE and mailbox.id != intent["mailbox"]:
            with suppress(NotFound):  # erased while its person was at Microsoft
                self._connections.disconnect(intent["mailbox"], identity.owner_id)
        self._registry.record_audit(mailbox.id, identity.owner_id, act.value)
        self._queue.send_mailbox(mailbox.id)
        return Outcome(
            act, identity, session, mailbox, stored.id, standing is None, self._good_news(intent, mailbox), intent
        )

    def _service_account(self, intent: Mapping[str, str], identity: Identity, tokens: Tokens) -> Outcome:
        """Its authorization keeps its id, so that signing it in again serves all mailboxes read with it.

        No session comes of it: the operator's own goes on, and who was signed in here is the service account.
        """
        stored = self._store(identity, tokens, AccessMode.IMPERSONATION)
        for mailbox in self._registry.of_owner(identity.tenant_id, identity.owner_id):
            if mailbox.mode is AccessMode.IMPERSONATION and mailbox.status is Status.NEEDS_SIGN_IN:
                self._registry.change(mailbox.id, lambda found: life.after_sign_in(found, stored.id))
        return Outcome(Act.SERVICE, identity, "", authorization_id=stored.id, intent=intent)

    def _pinned(self, intent: Mapping[str, str], identity: Identity, access: Access) -> Mailbox | None:
        """The mailbox that stands already, if who signed in is who was wanted.

        Raises:
            AccountRefused: wrong_account.
        """
        if "invitation" in intent:
            wanted = self._invitations.wanted(intent["invitation"]).address
            if not is_same_mailbox(self._sources, access, wanted):
                raise AccountRefused("wrong_account", wanted=wanted, actual=identity.address)
        if intent["act"] == Act.RENEW:
            mailbox = self._registry.get(intent["mailbox"])
            if (mailbox.tenant_id, mailbox.owner_id) != (identity.tenant_id, identity.owner_id):
                raise AccountRefused("wrong_account", wanted=mailbox.address, actual=identity.address)
            return mailbox
        owned = self._registry.of_owner(identity.tenant_id, identity.owner_id)
        return next((mailbox for mailbox in owned if mailbox.mode is AccessMode.DELEGATED), None)

    def _tried(self, access: Access) -> None:
        """Whoever has no mailbox, no licence, or EWS blocked learns it now; a busy server is no reason to refuse."""
        try:
            self._sources.check(access)
        except RetryLater:
            return

    def _store(self, identity: Identity, tokens: Tokens, mode: AccessMode) -> Authorization:
        """The record goes first: a token in the vault that none tells of would be found by nobody."""
        stored = self._authorizations.add(self._authorization(identity, mode))
        try:
            self._token_store.write(stored.id, tokens.refresh_token)
        except MailboxSyncError:
            if mode is AccessMode.DELEGATED:
                self._taken_back(stored)
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
        standing = self._authorizations.service_accounts()
        return next(
            (one.id for one in standing if (one.tenant_id, one.owner_id) == theirs), f"service-{secrets.token_hex(16)}"
        )

    def _registered(
        self, intent: Mapping[str, str], standing: Mailbox | None, identity: Identity, authorization: Authorization
    ) -> tuple[Mailbox | None, Mailbox]:
        """What stood before, if anything, and the mailbox with its new authorization.

        The invitation is used up after the token is safe, so that a failing vault does not cost the person theirs.
        If the same person's other tab was faster, the mailbox is that one's, with the newer authorization.
        """
        if "invitation" in intent:
            self._invitations.use(intent["invitation"])
        if standing is None:
            mailbox = new_mailbox(authorization, identity.address, identity.display_name, self._clock())
            try:
                return None, self._registry.add(mailbox)
            except Conflict:
                standing = self._standing_at(identity, mailbox.address)
        return self._reauthorized(standing, identity, authorization)

    def _reauthorized(
        self, standing: Mailbox, identity: Identity, authorization: Authorization
    ) -> tuple[Mailbox, Mailbox]:
        """The mailbox just before and after; since it was looked up another tab may have renewed it."""
        before = standing

        def change(found: Mailbox) -> Mailbox:
            nonlocal before
            before = found
            return _reauthorized(found, authorization, identity)

        after = self._registry.change(standing.id, change)
        return before, after

    def _standing_at(self, identity: Identity, address: str) -> Mailbox:
        for mailbox in self._registry.of_owner(identity.tenant_id, identity.owner_id):
            if mailbox.address.casefold() == address.casefold():
                return mailbox
        raise RetryLater(Reason.CONFLICT, "the mailbox is being connected elsewhere")

    def _forget_replaced(self, standing: Mailbox, authorization: Authorization) -> None:
        """The authorization before, unless other mailboxes are read with it, as with a service account's."""
        replaced = standing.authorization_id
        if replaced and replaced != authorization.id and standing.mode is AccessMode.DELEGATED:
            self._connections.release_authorization(replaced)

    def _taken_back(self, authorization: Authorization) -> None:
        """No mailbox came of it, so its token must not stay. What cannot be done now the daily round does.

        A write whose answer was lost has failed here and is done all the same: what a mailbox is read with then stays.
        """
        try:
            owned = self._registry.of_owner(authorization.tenant_id, authorization.owner_id)
            if all(mailbox.authorization_id != authorization.id for mailbox in owned):
                self._connections.release_authorization(authorization.id)
        except MailboxSyncError as error:
            _log.warning("an authorization without a mailbox was not given back", exc_info=error)

    # ---------------------------------------------------------------- the inviter

    def _good_news(self, intent: Mapping[str, str], mailbox: Mailbox) -> str:
        if "invitation" not in intent:
            return ""
        return self._invitations.way_back(intent["invitation"], "connected", mailbox.id)

    def _bad_news(self, cause: Exception, intent: Mapping[str, str]) -> str:
        """Only a refusal is final enough to be told; whoever signed in with the wrong account tries again here."""
        if "invitation" not in intent or not isinstance(cause, SignInRefused) or cause.code != "declined":
            return ""
        return self._invitations.way_back(intent["invitation"], "declined")


def _reauthorized(mailbox: Mailbox, authorization: Authorization, identity: Identity) -> Mailbox:
    """Names change, and an address that was given up may be another's by now: it goes with who has just signed in."""
    return life.after_sign_in(mailbox, authorization.id).having(
        mode=authorization.mode, address=identity.address, display_name=identity.display_name
    )
