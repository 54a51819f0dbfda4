"""Administrators' approval: the link that a person forwards, the redirect to Microsoft, and the callback.

The callback proves only that a browser that we sent to Microsoft has returned; anybody can change its `tenant` value.
An approval is therefore recorded for the link it was started from, and it only causes another try.
"""

import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

from shared.authorization.errors import APPROVABLE, SignInRefused
from shared.authorization.identity.entra_errors import OAuthStep, error_for_response
from shared.authorization.model import Approval, PendingFlow
from shared.authorization.onboarding.authorize_redirect import AuthorizeRedirect, binding_cookie_name
from shared.authorization.port import ApprovalStore, FlowStore, IdentityProvider
from shared.authorization.sessions.sessions import Session
from shared.authorization.sessions.signing import digest
from shared.errors import ActionNeeded, NotFound
from shared.mailboxes import transitions
from shared.mailboxes.model import Mailbox, Status
from shared.mailboxes.port import MailboxRegistry


class AdminConsent:
    """Starts administrators' approvals and handles their callbacks."""

    def __init__(
        self,
        *,
        provider: IdentityProvider,
        flows: FlowStore,
        approvals: ApprovalStore,
        registry: MailboxRegistry,
        redirect_uri: str,
        approval_url: str,
        minutes: int,
        clock: Callable[[], datetime],
    ) -> None:
        self._provider = provider
        self._flows = flows
        self._approvals = approvals
        self._registry = registry
        self._redirect_uri = redirect_uri
        self._approval_url = approval_url
        self._lasts = timedelta(minutes=minutes)
        self._clock = clock

    def wait(self, resume: Mapping[str, str]) -> str:
        """Record that a person waits for approval and what to resume; returns the secret for their browser's cookie.

        The link that they forward holds only a digest of the secret: whoever has the link can approve, but cannot
        continue in the person's place.
        """
        secret = secrets.token_urlsafe(32)
        self._approvals.put(Approval(_link_id(secret), dict(resume), "", self._clock()))
        return secret

    def link(self, approval: Approval) -> str:
        """Return the link that the person sends to their administrator."""
        return f"{self._approval_url}/for/{approval.id}"

    def link_for(self, session: Session) -> str:
        """Return a link for the session's tenant; the tenant's stopped mailboxes are tried again after the approval.

        A session always gets the same link, because each link is a row that is kept for a month.
        """
        link_id = _link_id(f"session {session.id}")
        try:
            approval = self._approvals.get(link_id)
        except NotFound:
            approval = Approval(link_id, {"act": "connect"}, session.tenant_id, self._clock())
            self._approvals.put(approval)
        return self.link(approval)

    def waiting(self, secret: str) -> Approval:
        """Return the approval, granted or not, for the secret in a browser's cookie. Raises NotFound."""
        return self._approvals.get(_link_id(secret))

    def start(self, approval_id: str = "") -> AuthorizeRedirect:
        """Send an administrator to Microsoft. Raises NotFound for an unknown link."""
        tenant = self._approvals.get(approval_id).tenant_id if approval_id else ""
        state, binding = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        url = self._provider.admin_consent_url(tenant=tenant, redirect_uri=self._redirect_uri, state=state)
        ends = self._clock() + self._lasts
        self._flows.put(PendingFlow(state, digest(binding), {}, {"act": "approve", "approval": approval_id}, ends))
        return AuthorizeRedirect(url, binding_cookie_name(state), binding, int(self._lasts.total_seconds()))

    def callback(self, answer: Mapping[str, str], binding: str) -> int:
        """Handle an administrator's return: record the approval for the link that it was started from.

        Returns how many were waiting: the link's person, or the tenant's mailboxes that had stopped for this reason.

        Raises:
            SignInRefused: approval_declined, approval_failed, or the error of the flow.
        """
        pending = self._flows.take(answer.get("state", ""), digest(binding))
        if pending.intent.get("act") != "approve":
            raise SignInRefused("flow_unknown")
        # A refusal carries admin_consent=True as well, so only `error` distinguishes the two.
        if answer.get("error"):
            raise _error_in(answer)
        if answer.get("admin_consent", "").lower() != "true":
            raise SignInRefused("approval_failed")
        return self._grant(pending.intent["approval"]) if pending.intent["approval"] else 0

    def _grant(self, approval_id: str) -> int:
        try:
            approval = self._approvals.get(approval_id)
        except NotFound:
            return 0
        self._approvals.put(replace(approval, granted_at=self._clock()))
        return self._try_again(approval.tenant_id) if approval.tenant_id else 1

    def _try_again(self, tenant_id: str) -> int:
        """Make the tenant's waiting mailboxes due at the next tick; if the approval was not real, they wait again."""
        waiting = [
            mailbox for mailbox in self._registry.all() if mailbox.tenant_id == tenant_id and _awaits_approval(mailbox)
        ]
        for mailbox in waiting:
            with suppress(NotFound):  # erased in the meantime
                self._registry.change(
                    mailbox.id, lambda found: transitions.started(found) if _awaits_approval(found) else found
                )
        return len(waiting)


def _link_id(secret: str) -> str:
    return digest(secret)[:40]


def _awaits_approval(mailbox: Mailbox) -> bool:
    return mailbox.status is Status.NEEDS_ADMIN and mailbox.reason in APPROVABLE


def _error_in(answer: Mapping[str, str]) -> SignInRefused:
    error = error_for_response(answer, OAuthStep.CALLBACK)
    declined = isinstance(error, SignInRefused) and error.code == "declined"
    support = error.support if isinstance(error, SignInRefused | ActionNeeded) else ""
    return SignInRefused("approval_declined" if declined else "approval_failed", support=support)
