"""Revokes authorizations and deletes their tokens, in an order that the daily work can complete after a crash."""

from collections.abc import Callable, Container
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

from shared.authorization.model import Authorization
from shared.authorization.port import AuthorizationStore, TokenStore
from shared.authorization.tokens.access_token_cache import AccessTokenCache
from shared.errors import NotFound
from shared.sources.model import AccessMode

UNUSED_AFTER = timedelta(days=7)
"""No sign-in takes this long. An authorization that no mailbox uses by then will never be used."""


class TokenRevocation:
    """Implements Revocations. `in_use` returns the ids of the authorizations that connected mailboxes are read with."""

    def __init__(
        self,
        *,
        authorizations: AuthorizationStore,
        token_store: TokenStore,
        access_tokens: AccessTokenCache,
        in_use: Callable[[], Container[str]],
        clock: Callable[[], datetime],
    ) -> None:
        self._authorizations = authorizations
        self._token_store = token_store
        self._access_tokens = access_tokens
        self._in_use = in_use
        self._clock = clock

    def revoke(self, authorization_id: str) -> datetime | None:
        """Mark the authorization as revoked and delete its token; its record stays."""
        self._access_tokens.forget(authorization_id)
        with suppress(NotFound):
            self._authorizations.change(authorization_id, _revoked)
        return self._delete_revoked_token(authorization_id)

    def delete(self, authorization_id: str) -> datetime | None:
        """Delete the token, then the record."""
        self._access_tokens.forget(authorization_id)
        held_until = self._token_store.delete(authorization_id)
        self._authorizations.delete(authorization_id)
        return held_until

    def delete_record(self, authorization_id: str) -> None:
        """Delete the record of an authorization whose token is deleted."""
        self._authorizations.delete(authorization_id)

    def delete_unused(self) -> int:
        """Delete what interrupted operations left behind; return how many authorizations were affected.

        Such an operation is a sign-in that stored its authorization but no mailbox, or a disconnect that did not get to
        delete the token. The authorization of a disconnected mailbox does not count as in use.
        """
        incomplete = self._authorizations.revoked_with_token()
        for authorization in incomplete:
            self._delete_revoked_token(authorization.id)
        idle = self._authorizations.idle_since(self._clock() - UNUSED_AFTER)
        in_use = self._in_use() if idle else ()
        unused = [one.id for one in idle if one.mode is AccessMode.DELEGATED and one.id not in in_use]
        for authorization_id in unused:
            self.delete(authorization_id)
        return len(incomplete) + len(unused)

    def _delete_revoked_token(self, authorization_id: str) -> datetime | None:
        """Delete the token of a revoked authorization, then record that it has none: see delete_unused."""
        held_until = self._token_store.delete(authorization_id)
        with suppress(NotFound):
            self._authorizations.change(authorization_id, _without_token)
        return held_until


def _revoked(authorization: Authorization) -> Authorization:
    return replace(authorization, revoked=True)


def _without_token(authorization: Authorization) -> Authorization:
    return replace(authorization, stored_at=None)
