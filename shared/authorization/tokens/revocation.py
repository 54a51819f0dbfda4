"""Revokes authorizations and deletes their tokens, in an order that the daily work can complete after a crash."""

import logging
from collections.abc import Callable, Container, Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

from shared.authorization.model import Authorization
from shared.authorization.port import AuthorizationStore, TokenStore
from shared.authorization.tokens.access_token_cache import AccessTokenCache
from shared.errors import MailboxSyncError, NotFound, OperatorMustAct
from shared.sources.model import AccessMode

UNUSED_AFTER = timedelta(days=7)
"""No sign-in takes this long. An authorization that no mailbox uses by then will never be used."""


MOST_FAILURES = 3
"""After so many failures in a row it is the vault that fails, and the rest waits for the next day."""

_log = logging.getLogger(__name__)


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
        incomplete = [one.id for one in self._authorizations.revoked_with_token()]
        completed = _done_for_each(incomplete, self._delete_revoked_token)
        idle = self._authorizations.idle_since(self._clock() - UNUSED_AFTER)
        in_use = self._in_use() if idle else ()
        unused = [one.id for one in idle if one.mode is AccessMode.DELEGATED and one.id not in in_use]
        return completed + _done_for_each(unused, self.delete)

    def _delete_revoked_token(self, authorization_id: str) -> datetime | None:
        """Delete the token of a revoked authorization, then record that it has none: see delete_unused."""
        held_until = self._token_store.delete(authorization_id)
        with suppress(NotFound):
            self._authorizations.change(authorization_id, _without_token)
        return held_until


def _done_for_each(authorization_ids: Iterable[str], act: Callable[[str], object]) -> int:
    """Act on each authorization; returns on how many. One that fails must not keep the tokens of all others.

    Raises: the error of `MOST_FAILURES` in a row, or of one that concerns all.
    """
    done = failures = 0
    for authorization_id in authorization_ids:
        try:
            act(authorization_id)
        except MailboxSyncError as error:
            failures += 1
            if failures == MOST_FAILURES or (isinstance(error, OperatorMustAct) and not error.of_one):
                raise
            _log.warning("unused token not deleted", exc_info=error)
        else:
            done, failures = done + 1, 0
    return done


def _revoked(authorization: Authorization) -> Authorization:
    return replace(authorization, revoked=True)


def _without_token(authorization: Authorization) -> Authorization:
    return replace(authorization, stored_at=None)
