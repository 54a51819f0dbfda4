"""The components of authorization: Entra ID, the stored tokens, and the sessions."""

from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from shared.app.base import BaseComponents, utc_now

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shared.authorization.identity.entra import EntraIdentityProvider
    from shared.authorization.identity.id_token import TokenValidator
    from shared.authorization.sessions.sessions import Sessions
    from shared.authorization.table import TableAuthorizations, TableFlows
    from shared.authorization.tokens.access_token_cache import AccessTokenCache
    from shared.authorization.tokens.key_vault import VaultKeyRing, VaultTokenStore


class AuthorizationComponents(BaseComponents):
    """How people, the app, and programs are authenticated, and with which tokens mailboxes are read."""

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
    def token_validator(self) -> "TokenValidator":
        """Validates tokens that Entra ID issued to this app or for it."""
        from shared.authorization.identity.entra import fetch_published_keys
        from shared.authorization.identity.id_token import PublishedKeys, TokenValidator

        authority, tenant = self.settings.entra_authority, self.keys_tenant
        keys = PublishedKeys(lambda: fetch_published_keys(authority, tenant), self.monotonic)
        return TokenValidator(authority, self.settings.entra_client_id, keys, utc_now, self.settings.api_clients)

    @property
    def keys_tenant(self) -> str:
        """The tenant whose published keys verify tokens."""
        from shared.authorization.identity.id_token import ANY_TENANT

        tenants = self.settings.entra_tenants
        return tenants[0] if len(tenants) == 1 else ANY_TENANT

    @cached_property
    def identity_provider(self) -> "EntraIdentityProvider":
        """Entra ID."""
        from shared.authorization.identity.entra import EntraIdentityProvider
        from shared.sources.model import SourceName

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

    def credential_ends(self) -> datetime | None:
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

    def _key_ring(self, name: str) -> "VaultKeyRing":
        from shared.authorization.tokens.key_vault import VaultKeyRing

        return VaultKeyRing(self.secrets, name, self.monotonic)
