"""The service accounts that operators have signed in: the list, the mailboxes read with each, and revoking one."""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime

from shared.authorization.errors import ServiceAccountInUse
from shared.authorization.model import Authorization
from shared.authorization.port import AuthorizationStore, Revocations
from shared.errors import NotFound
from shared.mailboxes.port import MailboxRegistry
from shared.sources.model import AccessMode


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """One service account. `id` is its authorization's; `mailboxes` counts those read with it, without disconnected."""

    id: str
    address: str
    signed_in_at: datetime
    mailboxes: int


class ServiceAccounts:
    """Lists and revokes the service accounts.

    Their tokens outlive their mailboxes, and the daily work keeps them valid. So only an operator revokes them, here.
    """

    def __init__(
        self,
        *,
        registry: MailboxRegistry,
        authorizations: AuthorizationStore,
        revocations: Revocations,
    ) -> None:
        self._registry = registry
        self._authorizations = authorizations
        self._revocations = revocations

    def all(self) -> list[ServiceAccount]:
        """Return every service account that is not revoked, sorted by address."""
        existing = self._authorizations.service_accounts()
        read_with = self._registry.authorizations_in_use() if existing else Counter[str]()
        accounts = [ServiceAccount(one.id, one.address, one.created_at, read_with[one.id]) for one in existing]
        return sorted(accounts, key=lambda account: (account.address, account.id))

    def revoke(self, authorization_id: str, actor: str) -> datetime | None:
        """Delete a service account's token; returns until when the vault's soft delete still holds it. Idempotent.

        The authorization is marked as revoked first, so that the daily work can finish after a crash.

        Raises:
            NotFound: there is no such service account.
            ServiceAccountInUse: connected mailboxes are read with it.
        """
        if self._authorizations.get(authorization_id).mode is not AccessMode.IMPERSONATION:
            raise NotFound("not a service account's")
        if self._registry.authorizations_in_use()[authorization_id]:
            raise ServiceAccountInUse
        self._authorizations.change(authorization_id, _revoked)
        self._registry.record_audit(authorization_id, actor, "give_up")
        return self._revocations.delete(authorization_id)


def _revoked(authorization: Authorization) -> Authorization:
    return replace(authorization, revoked=True, address="")
