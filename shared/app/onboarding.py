"""The ways to connect mailboxes: sign-in, invitations, an administrator's consent, activation."""

from functools import cached_property
from typing import TYPE_CHECKING

from shared.app.base import utc_now
from shared.app.mailboxes import MailboxComponents
from shared.pages import paths

if TYPE_CHECKING:
    from shared.authorization.onboarding.activation import Activation
    from shared.authorization.onboarding.admin_consent import AdminConsent
    from shared.authorization.onboarding.invitations import Invitations
    from shared.authorization.onboarding.service_accounts import ServiceAccounts
    from shared.authorization.onboarding.shared_mailboxes import SharedMailboxes
    from shared.authorization.onboarding.sign_in import SignIn
    from shared.authorization.onboarding.sign_in_callback import SignInCallback
    from shared.authorization.onboarding.start_limit import StartLimit


class OnboardingComponents(MailboxComponents):
    """Everything that connects mailboxes."""

    @cached_property
    def start_limit(self) -> "StartLimit":
        """The limit on how many sign-ins all instances together may start."""
        from shared.authorization.onboarding.start_limit import STARTS_TOGETHER, STARTS_WINDOW, StartLimit
        from shared.authorization.table import TableStartCounter

        return StartLimit(TableStartCounter(self.tables), STARTS_TOGETHER, STARTS_WINDOW, utc_now)

    @cached_property
    def invitations(self) -> "Invitations":
        """Links that connect one address each."""
        from shared.authorization.onboarding.invitations import Invitations
        from shared.authorization.table import TableInvitations

        return Invitations(
            TableInvitations(self.tables),
            self._key_ring("signing-invitations"),
            self._key_ring("signing-outcomes"),
            app_url=self.settings.app_url,
            path=paths.INVITATION,
            return_urls=self.settings.return_urls,
            days=self.settings.invitation_days,
            clock=utc_now,
            require_group=self.group_commands.require,
        )

    @cached_property
    def sign_in(self) -> "SignIn":
        """Starts sign-ins."""
        from shared.authorization.onboarding.sign_in import SignIn

        return SignIn(
            provider=self.identity_provider,
            flows=self.flows,
            registry=self.registry,
            invitations=self.invitations,
            redirect_uri=self.settings.app_url + paths.SIGN_IN_CALLBACK,
            minutes=self.settings.sign_in_minutes,
            clock=utc_now,
        )

    @cached_property
    def sign_in_callback(self) -> "SignInCallback":
        """Completes sign-ins, up to the connected mailbox."""
        from shared.authorization.onboarding.grants import GrantRecorder
        from shared.authorization.onboarding.sign_in_callback import SignInCallback

        grants = GrantRecorder(
            authorizations=self.authorizations,
            token_store=self.token_store,
            registry=self.registry,
            revocations=self.token_revocation,
            clock=utc_now,
        )
        return SignInCallback(
            provider=self.identity_provider,
            flows=self.flows,
            grants=grants,
            registry=self.registry,
            sources=self.sources,
            selection=self.source_selection,
            queue=self.queue,
            sessions=self.sessions,
            invitations=self.invitations,
            mailbox_commands=self.mailbox_commands,
            shared=self.shared_mailboxes,
        )

    @cached_property
    def shared_mailboxes(self) -> "SharedMailboxes":
        """Mailboxes that belong to no person."""
        from shared.authorization.onboarding.shared_mailboxes import SharedMailboxes

        return SharedMailboxes(
            self.settings.shared_mailboxes,
            registry=self.registry,
            sources=self.sources,
            queue=self.queue,
            clock=utc_now,
        )

    @cached_property
    def consent(self) -> "AdminConsent":
        """Administrators' approvals."""
        from shared.authorization.onboarding.admin_consent import AdminConsent
        from shared.authorization.table import TableApprovals

        return AdminConsent(
            provider=self.identity_provider,
            flows=self.flows,
            approvals=TableApprovals(self.tables),
            registry=self.registry,
            redirect_uri=self.settings.app_url + paths.APPROVAL_CALLBACK,
            approval_url=self.settings.app_url + paths.APPROVAL,
            minutes=self.settings.sign_in_minutes,
            clock=utc_now,
        )

    @cached_property
    def activation(self) -> "Activation":
        """Connects many mailboxes at once."""
        from shared.authorization.onboarding.activation import Activation

        return Activation(
            authorizations=self.authorizations,
            access_tokens=self.access_tokens,
            registry=self.registry,
            sources=self.sources,
            selection=self.source_selection,
            queue=self.queue,
            require_group=self.group_commands.require,
            tenants=self.settings.entra_tenants,
            clock=utc_now,
        )

    @cached_property
    def service_accounts(self) -> "ServiceAccounts":
        """Service accounts, each of which reads many mailboxes."""
        from shared.authorization.onboarding.service_accounts import ServiceAccounts

        return ServiceAccounts(
            registry=self.registry, authorizations=self.authorizations, revocations=self.token_revocation
        )
