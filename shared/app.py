"""The composition root: the only place that names concrete classes. Everything is created on first use.

To add a component, add a cached property here that creates it from the components it needs.
"""

import functools
import time
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from shared.pages import paths
from shared.storage.azure_clients import AzureClients

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shared.authorization.identity.entra import EntraIdentityProvider
    from shared.authorization.identity.id_token import TokenValidator
    from shared.authorization.onboarding.activation import Activation
    from shared.authorization.onboarding.admin_consent import AdminConsent
    from shared.authorization.onboarding.invitations import Invitations
    from shared.authorization.onboarding.service_accounts import ServiceAccounts
    from shared.authorization.onboarding.shared_mailboxes import SharedMailboxes
    from shared.authorization.onboarding.sign_in import SignIn
    from shared.authorization.onboarding.start_limit import StartLimit
    from shared.authorization.sessions.sessions import Sessions
    from shared.authorization.table import TableAuthorizations, TableFlows
    from shared.authorization.tokens.access_token_cache import AccessTokenCache
    from shared.authorization.tokens.key_vault import VaultKeyRing, VaultTokenStore
    from shared.mailboxes.blob import BlobLeases
    from shared.mailboxes.commands import MailboxCommands
    from shared.mailboxes.move_commands import MoveCommands
    from shared.mailboxes.queue import StorageSyncQueue
    from shared.mailboxes.table import TableRegistry
    from shared.mailboxes.transitions import Thresholds
    from shared.pages.pages import Pages
    from shared.replica.store import BlobTableReplica
    from shared.scheduling.daily import Daily
    from shared.scheduling.dispatch import Dispatch
    from shared.scheduling.poison import Poison
    from shared.sources.selection import MoveSchedule, SelectedSources, SourceSelection
    from shared.sync.engine import SyncEngine
    from shared.sync.limits import Limits
    from shared.sync.scope import Scope


def utc_now() -> datetime:
    """The clock, in aware UTC."""
    return datetime.now(UTC)


class App(AzureClients):
    """The components of one process. Vendor packages are imported when a component that needs them is first used."""

    monotonic = staticmethod(time.monotonic)

    @cached_property
    def interval(self) -> timedelta:
        """How often a mailbox is due."""
        from shared.scheduling.ncrontab import Schedule

        return Schedule.parse(self.settings.sync_schedule).interval()

    @cached_property
    def thresholds(self) -> "Thresholds":
        """The numbers of consecutive failures after which somebody has to act."""
        from shared.mailboxes.transitions import Thresholds

        return Thresholds(self.settings.rejections_before_sign_in, self.settings.failures_before_suspension)

    @cached_property
    def registry(self) -> "TableRegistry":
        """All connected mailboxes."""
        from shared.mailboxes.table import TableRegistry

        return TableRegistry(self.tables, self.settings.sync_shards, utc_now)

    @cached_property
    def leases(self) -> "BlobLeases":
        """Leases that allow one pass per mailbox at a time."""
        from shared.mailboxes.blob import BlobLeases

        return BlobLeases(self.blobs)

    @cached_property
    def queue(self) -> "StorageSyncQueue":
        """The dispatch's queues."""
        from shared.mailboxes.queue import StorageSyncQueue

        return StorageSyncQueue(self.queues)

    @cached_property
    def dispatch(self) -> "Dispatch":
        """The dispatch, which queues the due mailboxes."""
        from shared.scheduling.dispatch import Dispatch

        return Dispatch(self.registry, self.queue, self.settings.sync_shards, self.interval, utc_now)

    @cached_property
    def daily(self) -> "Daily":
        """The daily work."""
        from shared.scheduling.daily import Daily

        return Daily(
            self.dispatch,
            self.flows,
            finish_erasures=self.mailbox_commands.finish_erasures,
            release_unused=self.mailbox_commands.release_unused,
            keep_alive=self.access_tokens.refresh_idle,
            index_addresses=self.registry.index_addresses,
            credential_ends=self._credential_ends,
            clock=utc_now,
        )

    @cached_property
    def poison(self) -> "Poison":
        """Handles messages that failed at every attempt."""
        from shared.scheduling.poison import Poison

        return Poison(self.registry, self.thresholds, self.interval, utc_now)

    @cached_property
    def pages(self) -> "Pages":
        """The HTML pages."""
        from shared.pages.pages import Pages

        return Pages(self.settings.organization, self.settings.support_contact)

    # Authorization

    @cached_property
    def token_store(self) -> "VaultTokenStore":
        """The store of refresh tokens."""
        from shared.authorization.tokens.key_vault import VaultTokenStore

        return VaultTokenStore(self.secrets)

    @cached_property
    def authorizations(self) -> "TableAuthorizations":
        """Authorizations, without their secrets."""
        from shared.authorization.table import TableAuthorizations

        return TableAuthorizations(self.tables)

    @cached_property
    def flows(self) -> "TableFlows":
        """Sign-ins in progress."""
        from shared.authorization.table import TableFlows

        return TableFlows(self.tables, utc_now)

    @cached_property
    def start_limit(self) -> "StartLimit":
        """The limit on how many sign-ins all instances together may start."""
        from shared.authorization.onboarding.start_limit import STARTS_TOGETHER, STARTS_WINDOW, StartLimit
        from shared.authorization.table import TableStartCounter

        return StartLimit(TableStartCounter(self.tables), STARTS_TOGETHER, STARTS_WINDOW, utc_now)

    @cached_property
    def token_validator(self) -> "TokenValidator":
        """Validates tokens that Entra ID issued to this app or for it."""
        from shared.authorization.identity.entra import fetch_published_keys
        from shared.authorization.identity.id_token import ANY_TENANT, PublishedKeys, TokenValidator

        authority, tenants = self.settings.entra_authority, self.settings.entra_tenants
        tenant = tenants[0] if len(tenants) == 1 else ANY_TENANT
        keys = PublishedKeys(lambda: fetch_published_keys(authority, tenant), self.monotonic)
        return TokenValidator(authority, self.settings.entra_client_id, keys, utc_now, self.settings.api_clients)

    @cached_property
    def identity_provider(self) -> "EntraIdentityProvider":
        """Entra ID."""
        from shared.authorization.identity.entra import EntraIdentityProvider
        from shared.sources.port import SourceName

        settings = self.settings
        return EntraIdentityProvider(
            authority=settings.entra_authority,
            client_id=settings.entra_client_id,
            tenants=settings.entra_tenants,
            scopes=(settings.ews_delegated_scope, *settings.graph_scopes),
            mail_scopes={SourceName.EWS: (settings.ews_delegated_scope,), SourceName.GRAPH: settings.graph_scopes},
            app_scopes={SourceName.EWS: settings.ews_app_scope, SourceName.GRAPH: settings.graph_app_scope},
            client_credential=self._client_credential,
            validator=self.token_validator,
            clock=utc_now,
        )

    def _client_credential(self) -> "Mapping[str, object]":
        """How the app authenticates to Entra ID. Read each time, so that a renewed certificate is picked up."""
        from shared.authorization.identity import credentials

        if self.settings.entra_credential == "certificate":
            return credentials.certificate(self._certificate)
        return credentials.federated(self.credential, self.settings.entra_assertion_scope)

    def _certificate(self) -> str:
        """The app's certificate with its private key, in PEM."""
        from shared.authorization.tokens.key_vault import read_secret

        return read_secret(self.secrets, self.settings.entra_certificate_secret)

    def _credential_ends(self) -> datetime | None:
        """When the app's certificate expires; a federated identity does not expire."""
        from shared.authorization.identity import credentials

        return credentials.certificate_ends(self._certificate()) if self.settings.entra_certificate_secret else None

    @cached_property
    def access_tokens(self) -> "AccessTokenCache":
        """Access tokens, in memory only."""
        from shared.authorization.tokens.access_token_cache import AccessTokenCache

        return AccessTokenCache(self.identity_provider, self.token_store, self.authorizations, utc_now)

    @cached_property
    def sessions(self) -> "Sessions":
        """The sessions of people who are signed in."""
        from shared.authorization.revoked_sessions.table import TableRevokedSessions
        from shared.authorization.sessions.sessions import Sessions, operator_tenant_of

        operators = self.settings.operator_tenant or operator_tenant_of(self.settings.entra_tenants)
        revoked = TableRevokedSessions(self.tables, utc_now, self.monotonic)
        return Sessions(self._key_ring("signing-sessions"), self.settings.session_minutes, operators, utc_now, revoked)

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
        )

    def _key_ring(self, name: str) -> "VaultKeyRing":
        from shared.authorization.tokens.key_vault import VaultKeyRing

        return VaultKeyRing(self.secrets, name, self.monotonic)

    @cached_property
    def sign_in(self) -> "SignIn":
        """Sign-ins, from their start to the connected mailbox."""
        from shared.authorization.onboarding.sign_in import SignIn

        return SignIn(
            provider=self.identity_provider,
            flows=self.flows,
            authorizations=self.authorizations,
            token_store=self.token_store,
            registry=self.registry,
            sources=self.sources,
            selection=self.source_selection,
            queue=self.queue,
            sessions=self.sessions,
            invitations=self.invitations,
            mailbox_commands=self.mailbox_commands,
            shared=self.shared_mailboxes,
            redirect_uri=self.settings.app_url + paths.SIGN_IN_CALLBACK,
            minutes=self.settings.sign_in_minutes,
            clock=utc_now,
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
            tenants=self.settings.entra_tenants,
            clock=utc_now,
        )

    @cached_property
    def service_accounts(self) -> "ServiceAccounts":
        """Service accounts, each of which reads many mailboxes."""
        from shared.authorization.onboarding.service_accounts import ServiceAccounts

        return ServiceAccounts(
            registry=self.registry, authorizations=self.authorizations, mailbox_commands=self.mailbox_commands
        )

    @cached_property
    def mailbox_commands(self) -> "MailboxCommands":
        """The commands on connected mailboxes."""
        from shared.mailboxes.commands import MailboxCommands

        return MailboxCommands(
            registry=self.registry,
            replica=self.replica,
            leases=self.leases,
            queue=self.queue,
            authorizations=self.authorizations,
            token_store=self.token_store,
            access_tokens=self.access_tokens,
            clock=utc_now,
            wait=time.sleep,
        )

    # Sources, replica, and the sync between them

    @cached_property
    def sources(self) -> "SelectedSources":
        """All mailboxes, each over its own source."""
        from shared.sources.ews.sources import EwsSources
        from shared.sources.graph.sources import GraphSources
        from shared.sources.port import SourceName
        from shared.sources.selection import SelectedSources

        settings = self.settings
        largest = settings.largest_item_mb << 20
        ews = EwsSources(
            settings.ews_url,
            connections=settings.sync_connections,
            largest_item_bytes=largest,
            archives=settings.archives,
        )
        graph = GraphSources(settings.graph_url, largest_item_bytes=largest)
        return SelectedSources({SourceName.EWS: ews, SourceName.GRAPH: graph})

    @cached_property
    def source_selection(self) -> "SourceSelection":
        """Selects the source that reads a mailbox."""
        from shared.sources.selection import SourceSelection, SourceSetting, is_exchange_online

        return SourceSelection(
            SourceSetting(self.settings.sync_source),
            self.sources,
            is_online=is_exchange_online(self.settings.ews_delegated_scope),
        )

    @cached_property
    def replica(self) -> "BlobTableReplica":
        """The copies of mailboxes."""
        from shared.replica.store import BlobTableReplica

        return BlobTableReplica.at(self.settings.blob_url, self.settings.table_url, self.credential)

    @cached_property
    def engine(self) -> "SyncEngine":
        """Handles one queue message about one mailbox."""
        from shared.scheduling.dispatch import spread_offset
        from shared.sync.engine import SyncEngine
        from shared.sync.table import TableTenantBackOff

        return SyncEngine(
            sources=self.sources,
            replica=self.replica,
            registry=self.registry,
            leases=self.leases,
            queue=self.queue,
            access_tokens=self.access_tokens,
            scope=self._scope,
            limits=self._limits,
            back_off=TableTenantBackOff(self.tables, self.monotonic),
            clock=utc_now,
            monotonic=self.monotonic,
            source_after=self.source_selection.after,
            move_schedule=self._move_schedule,
            spread_offset=spread_offset,
        )

    @property
    def _move_schedule(self) -> "MoveSchedule":
        """When mailboxes leave EWS."""
        from shared.sources.port import SourceName
        from shared.sources.selection import MoveSchedule

        is_used = SourceName.GRAPH in self.source_selection.candidates
        ends = datetime.fromisoformat(self.settings.ews_ends).replace(tzinfo=UTC)
        return MoveSchedule(ends, self.settings.cut_over_days, is_used)

    @cached_property
    def move_commands(self) -> "MoveCommands":
        """What an operator does about moves between sources."""
        from shared.mailboxes.move_commands import MoveCommands

        return MoveCommands(self.registry, self.source_selection.can_use)

    @property
    def _scope(self) -> "Scope":
        """What is synced of a mailbox."""
        from shared.sources.port import ContentLevel
        from shared.sync.scope import Scope

        settings = self.settings
        return Scope(
            folders_in=settings.folders_in,
            folders_out=settings.folders_out,
            mail_days=settings.mail_days,
            content=ContentLevel(settings.content),
            largest_item_bytes=settings.largest_item_mb << 20,
            private_items=settings.private_items,
            exclude=settings.exclude,
        )

    @property
    def _limits(self) -> "Limits":
        """The sync's limits of time, amount and frequency."""
        from shared.sync.limits import Limits

        settings = self.settings
        return Limits(
            budget_seconds=settings.sync_budget_seconds,
            interval=self.interval,
            thresholds=self.thresholds,
            deleted_days=settings.deleted_days,
            occurrence_days_back=settings.occurrence_days_back,
            occurrence_days_ahead=settings.occurrence_days_ahead,
        )


@functools.cache
def app() -> App:
    """The components of this process."""
    return App()
