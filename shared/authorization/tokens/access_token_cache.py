"""Access tokens, kept only in memory and fetched on demand; refresh tokens, kept valid and rarely written."""

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from shared.authorization.model import Authorization, Tokens
from shared.authorization.port import AuthorizationStore, IdentityProvider, TokenStore
from shared.errors import (
    ActionNeeded,
    AdministratorMustAct,
    MailboxSyncError,
    NotFound,
    OperatorMustAct,
    PersonMustSignIn,
    Reason,
    RetryLater,
)
from shared.mailboxes.transitions import OUTAGES
from shared.metrics.instruments import TOKEN_REFRESHES
from shared.sources.model import Access, AccessMode, SourceName

EXPIRY_MARGIN = timedelta(minutes=5)
"""A token that expires sooner is not used, because it has to outlast most of a pass."""
STORE_INTERVAL = timedelta(days=3)
"""How often a rotated refresh token is stored.

The vault keeps every version forever and accepts only a few writes a second; the stored token stays valid for weeks.
"""
NOTE_INTERVAL = timedelta(days=1)
"""How often the authorization's row notes that its token was refreshed."""
IDLE_AFTER = timedelta(days=7)
"""After how long without a refresh the daily work refreshes a token, so that it does not expire unused."""
MAX_TOKENS = 4096
LOCKS = 64
"""How many locks keep two threads from refreshing one authorization at once."""
MAX_REFRESH_MINUTES = 8
"""How long the daily work refreshes idle tokens; the next day continues."""

_log = logging.getLogger(__name__)


class AccessTokenCache:
    """Implements AccessTokens. There is one instance per process, and it is thread-safe.

    Several processes may refresh one authorization at the same time. Entra ID leaves the older refresh tokens valid, so
    whichever is stored last works.
    """

    def __init__(
        self,
        provider: IdentityProvider,
        store: TokenStore,
        authorizations: AuthorizationStore,
        clock: Callable[[], datetime],
        most_tokens: int = MAX_TOKENS,
    ) -> None:
        self._most_tokens = most_tokens
        self._provider = provider
        self._store = store
        self._authorizations = authorizations
        self._clock = clock
        self._live: OrderedDict[tuple[str, SourceName], Tokens] = OrderedDict()
        self._guard = threading.Lock()
        self._locks = [threading.Lock() for _ in range(LOCKS)]

    def access(
        self, authorization_id: str, address: str, source: SourceName = SourceName.EWS, *, own: bool = False
    ) -> Access:
        """Return access to one mailbox; its `renew` returns a new token after the server has rejected this one."""
        authorization = self._authorization(authorization_id)
        token = self._token(authorization, source, rejected="")
        renew = partial(self._token, authorization, source, token)
        return Access(address, authorization.mode, token, renew, source, own)

    def is_renewed(self, authorization_id: str, since: datetime) -> bool:
        """Whether a token was stored after this time, by a sign-in or another pass. A revoked one counts as refused."""
        try:
            found = self._authorizations.get(authorization_id)
        except NotFound:
            return False
        return not found.revoked and found.stored_at is not None and found.stored_at > since

    def forget(self, authorization_id: str) -> None:
        """Drop the tokens in memory after a disconnect. The copies of other instances expire within the hour."""
        with self._guard:
            for source in SourceName:
                self._live.pop((authorization_id, source), None)

    def refresh_idle(self, now: datetime) -> int:
        """Refresh authorizations that were idle for a week (of paused or suspended mailboxes); store the new tokens.

        The most recently refreshed come first. Authorizations that are lost for good stay idle forever, and thousands
        of them must not use up the time every day.

        Stops when the time is up, and at an operator error unless it concerns one secret only; the rest is still idle
        tomorrow. An outage only skips its own tenant, because a tenant that was deleted looks like an outage (see
        entra.py) and must not block the others every day.
        """
        refreshed, skipped_tenants = 0, set[str]()
        idle = self._authorizations.idle_since(now - IDLE_AFTER)
        for authorization in sorted(idle, key=lambda one: one.refreshed_at or one.created_at, reverse=True):
            if self._clock() > now + timedelta(minutes=MAX_REFRESH_MINUTES):
                break
            if authorization.tenant_id in skipped_tenants:
                continue
            try:
                refreshed += self._kept_alive(authorization)
            except OperatorMustAct as error:
                if error.of_one:
                    _log.error("idle authorization not refreshed", exc_info=error)
                    continue
                _log.warning("refresh of idle authorizations stopped", exc_info=error)
                break
            except RetryLater as error:
                _log.warning("refresh of idle authorization postponed", exc_info=error)
                skipped_tenants |= {authorization.tenant_id} if error.reason in OUTAGES else set()
        return refreshed

    def _kept_alive(self, authorization: Authorization) -> bool:
        """Refresh one authorization; returns whether it had a refresh token and is still valid."""
        if authorization.mode is AccessMode.APP_ONLY:
            return False
        try:
            with self._lock(authorization.id):
                self._keep((authorization.id, SourceName.EWS), self._refreshed(authorization, SourceName.EWS))
        except (PersonMustSignIn, AdministratorMustAct) as error:
            # Nobody is asked to act now; the mailbox reports it when it is started again.
            _log.info("idle authorization no longer valid", extra={"reason": error.reason.value})
            return False
        return True

    def _authorization(self, authorization_id: str) -> Authorization:
        try:
            authorization = self._authorizations.get(authorization_id)
        except NotFound as exc:
            raise PersonMustSignIn(Reason.GRANT_REVOKED, "there is no authorization (any more)") from exc
        if authorization.revoked:
            raise PersonMustSignIn(Reason.GRANT_REVOKED, "the authorization was revoked")
        return authorization

    def _token(self, authorization: Authorization, source: SourceName, rejected: str) -> str:
        """Return the token in memory, or a new one if that expires soon or was rejected. Only one thread fetches it."""
        key = (authorization.id, source)
        with self._lock(authorization.id):
            live = self._alive(key)
            if live is None or live.access_token == rejected:
                live = self._obtained(authorization, source)
                self._keep(key, live)
            return live.access_token

    def _alive(self, key: tuple[str, SourceName]) -> Tokens | None:
        with self._guard:
            live = self._live.get(key)
            if live is not None:
                self._live.move_to_end(key)
        return live if live is not None and live.expires_at - EXPIRY_MARGIN > self._clock() else None

    def _keep(self, key: tuple[str, SourceName], tokens: Tokens) -> None:
        """Keep the access token in memory, but not the refresh token."""
        with self._guard:
            self._live[key] = Tokens(tokens.access_token, tokens.expires_at)
            while len(self._live) > self._most_tokens:
                self._live.popitem(last=False)

    def _lock(self, authorization_id: str) -> threading.Lock:
        """Return one of a fixed number of locks. Two authorizations may share one, which only costs a wait."""
        return self._locks[hash(authorization_id) % LOCKS]

    def _obtained(self, authorization: Authorization, source: SourceName) -> Tokens:
        """Request a new token; count the request by its outcome."""
        try:
            tokens = self._requested(authorization, source)
        except ActionNeeded as error:
            TOKEN_REFRESHES.add(outcome=error.reason.value, source=source)
            raise
        TOKEN_REFRESHES.add(outcome="done", source=source)
        return tokens

    def _requested(self, authorization: Authorization, source: SourceName) -> Tokens:
        if authorization.mode is AccessMode.APP_ONLY:
            return self._provider.app_token(authorization.tenant_id, source)
        return self._refreshed(authorization, source)

    def _refreshed(self, authorization: Authorization, source: SourceName) -> Tokens:
        used, tokens = self._provider_refresh(authorization, source)
        try:
            self._remember(authorization, tokens, used)
        except MailboxSyncError as error:
            # The access token is valid, and so is the stored refresh token for weeks: the pass can go on.
            _log.warning("rotated token not stored", exc_info=error)
        return tokens

    def _provider_refresh(self, authorization: Authorization, source: SourceName) -> tuple[str, Tokens]:
        """Refresh; returns the refresh token that was used, and the new tokens.

        After a refusal, try once more if another instance or a new sign-in has stored a newer token.
        """
        stored = self._stored(authorization.id)
        try:
            return stored, self._provider.refresh(authorization.tenant_id, stored, source)
        except PersonMustSignIn:
            newer = self._stored(authorization.id)
            if newer == stored:
                raise
            return newer, self._provider.refresh(authorization.tenant_id, newer, source)

    def _stored(self, authorization_id: str) -> str:
        try:
            return self._store.read(authorization_id)
        except NotFound as exc:
            raise PersonMustSignIn(Reason.GRANT_REVOKED, "there is no refresh token (any more)") from exc

    def _remember(self, authorization: Authorization, tokens: Tokens, used: str) -> None:
        """Store the rotated token, then record the refresh, both rarely. A record must never precede its token.

        A token that was stored since `used` was read stays: it may be that of a new sign-in, and this one of before.
        """
        now = self._clock()
        store = bool(tokens.refresh_token) and _is_older(authorization.stored_at, now, STORE_INTERVAL)
        if not store and not _is_older(authorization.refreshed_at, now, NOTE_INTERVAL):
            return
        if store and self._stored(authorization.id) != used:
            return
        if store:
            self._store.write(authorization.id, tokens.refresh_token)
        if store and not self._is_valid(authorization.id):
            self._store.delete(authorization.id)
            return
        self._authorizations.change(authorization.id, partial(_with_refresh_noted, now=now, stored=store))

    def _is_valid(self, authorization_id: str) -> bool:
        """Whether the authorization still exists unrevoked. If it was revoked meanwhile, the new token must go too."""
        try:
            return not self._authorizations.get(authorization_id).revoked
        except NotFound:
            return False


def _is_older(at: datetime | None, now: datetime, age: timedelta) -> bool:
    return at is None or now - at > age


def _with_refresh_noted(authorization: Authorization, *, now: datetime, stored: bool) -> Authorization:
    return replace(authorization, refreshed_at=now, stored_at=now if stored else authorization.stored_at)
