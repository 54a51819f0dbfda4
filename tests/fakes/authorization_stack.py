"""Builds the authorization components on fakes, as shared.app builds them on the real adapters."""

from collections.abc import Mapping

from shared.authorization.model import Identity
from shared.authorization.onboarding.activation import Activation
from shared.authorization.onboarding.admin_consent import AdminConsent
from shared.authorization.onboarding.authorize_redirect import AuthorizeRedirect
from shared.authorization.onboarding.grants import GrantRecorder
from shared.authorization.onboarding.invitations import Invitations
from shared.authorization.onboarding.service_accounts import ServiceAccounts
from shared.authorization.onboarding.shared_mailboxes import SharedMailboxes
from shared.authorization.onboarding.sign_in import SignIn
from shared.authorization.onboarding.sign_in_callback import SignInCallback
from shared.authorization.onboarding.sign_in_outcome import SignInOutcome
from shared.authorization.sessions.sessions import Session, Sessions
from shared.authorization.tokens.access_token_cache import AccessTokenCache
from shared.authorization.tokens.revocation import TokenRevocation
from shared.mailboxes.commands import MailboxCommands
from shared.mailboxes.groups.commands import GroupCommands
from shared.mailboxes.groups.model import ScopeSettings
from shared.mailboxes.model import Mailbox
from shared.sources.selection import SourceSelection, SourceSetting
from tests.fakes.authorization import (
    TENANT,
    FakeEntra,
    FakeSources,
    MemoryApprovals,
    MemoryAuthorizations,
    MemoryFlows,
    MemoryInvitations,
    MemoryRevokedSessions,
    MemoryTokens,
    Ring,
)
from tests.fakes.clock import FakeClock
from tests.fakes.groups import MemoryGroups
from tests.fakes.leases import FakeLeases
from tests.fakes.queue import FakeQueue
from tests.fakes.registry import FakeDirectory, FakeRegistry
from tests.fakes.replica import FakeReplica

APP = "https://sync.example"


class AuthorizationStack:
    def __init__(
        self,
        tokens: MemoryTokens | None = None,
        registry: FakeRegistry | None = None,
        *,
        authorizations: MemoryAuthorizations | None = None,
        leases: FakeLeases | None = None,
        clock: FakeClock | None = None,
    ) -> None:
        self.clock = clock or FakeClock()
        self.entra = FakeEntra(self.clock)
        self.tokens = tokens or MemoryTokens(self.clock)
        self.flows = MemoryFlows(self.clock)
        self.authorizations = authorizations or MemoryAuthorizations()
        self.invited = MemoryInvitations()
        self.approvals = MemoryApprovals()
        self.registry = registry or FakeRegistry(clock=self.clock)
        self.queue = FakeQueue()
        self.leases = leases or FakeLeases()
        self.sources = FakeSources()
        self.replica = FakeReplica()
        self.waited = 0.0
        self.sessions = Sessions(Ring(b"s" * 32), 30, TENANT, self.clock, MemoryRevokedSessions())
        self.outcomes = Ring(b"o" * 32)
        self.groups = GroupCommands(
            MemoryGroups(), self.registry, FakeDirectory(self.registry), ScopeSettings(), self.clock
        )
        self.invitations = Invitations(
            self.invited,
            Ring(b"i" * 32),
            self.outcomes,
            app_url=APP,
            path="/invitation",
            return_urls=["https://crm.example/back"],
            days=7,
            clock=self.clock,
            require_group=self.groups.require,
        )
        self.access_tokens = AccessTokenCache(self.entra, self.tokens, self.authorizations, self.clock)
        self.token_revocation = TokenRevocation(
            authorizations=self.authorizations,
            token_store=self.tokens,
            access_tokens=self.access_tokens,
            in_use=self.registry.authorizations_in_use,
            clock=self.clock,
        )
        self.mailbox_commands = MailboxCommands(
            registry=self.registry,
            replica=self.replica,
            leases=self.leases,
            queue=self.queue,
            revocations=self.token_revocation,
            clock=self.clock,
            wait=self._wait,
        )
        self.selection = SourceSelection(SourceSetting.AUTO, self.sources, is_online=True)
        self.shared_addresses: list[str] = []
        self.sign_in = SignIn(
            provider=self.entra,
            flows=self.flows,
            registry=self.registry,
            invitations=self.invitations,
            redirect_uri=f"{APP}/sign-in/callback",
            minutes=15,
            clock=self.clock,
        )
        self.sign_in_callback = SignInCallback(
            provider=self.entra,
            flows=self.flows,
            grants=GrantRecorder(
                authorizations=self.authorizations,
                token_store=self.tokens,
                registry=self.registry,
                revocations=self.token_revocation,
                clock=self.clock,
            ),
            registry=self.registry,
            sources=self.sources,
            selection=self.selection,
            queue=self.queue,
            sessions=self.sessions,
            invitations=self.invitations,
            mailbox_commands=self.mailbox_commands,
            shared=SharedMailboxes(
                self.shared_addresses,
                registry=self.registry,
                sources=self.sources,
                queue=self.queue,
                clock=self.clock,
            ),
        )
        self.consent = AdminConsent(
            provider=self.entra,
            flows=self.flows,
            approvals=self.approvals,
            registry=self.registry,
            redirect_uri=f"{APP}/approval/callback",
            approval_url=f"{APP}/approval",
            minutes=15,
            clock=self.clock,
        )
        self.activation = Activation(
            authorizations=self.authorizations,
            access_tokens=self.access_tokens,
            registry=self.registry,
            sources=self.sources,
            selection=self.selection,
            queue=self.queue,
            require_group=self.groups.require,
            tenants=[TENANT],
            clock=self.clock,
        )

        self.service_accounts = ServiceAccounts(
            registry=self.registry, authorizations=self.authorizations, revocations=self.token_revocation
        )

    @property
    def mailboxes(self) -> list[Mailbox]:
        return list(self.registry.all())

    @property
    def queued(self) -> list[str]:
        return [message.mailbox_id for message in self.queue.mailboxes]

    def _wait(self, seconds: float) -> None:
        self.waited += seconds

    def answer(self, start: AuthorizeRedirect) -> Mapping[str, str]:
        """The parameters that Microsoft sends to the callback for this start."""
        return {"state": start.url.rpartition("state=")[2], "code": "good"}

    def come_back(self, start: AuthorizeRedirect) -> SignInOutcome:
        """Call the callback from the same browser."""
        return self.sign_in_callback.complete(self.answer(start), start.binding)

    def connect(self, person: Identity | None = None) -> Mailbox:
        """Connect a person's mailbox through the sign-in link."""
        self.entra.person = person or self.entra.person
        outcome = self.come_back(self.sign_in.connect())
        assert outcome.mailbox is not None
        return outcome.mailbox

    def session(self, person: Identity) -> Session:
        """Open a session for a person."""
        session = self.sessions.read(self.sessions.open(person))
        assert session is not None
        return session
