"""Access tokens: fetched when a pass needs one, held in memory only; refresh tokens kept alive and stored seldom."""

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from shared.authorization.port import (
    Authorization,
    AuthorizationStore,
    IdentityProvider,
    Tokens,
    TokenStore,
)
from shared.errors import (
    AdministratorMustAct,
    MailboxSyncError,
    NotFound,
    OperatorMustAct,
    PersonMustSignIn,
    Reason,
    RetryLater,
)
from shared.mailboxes.transitions import OUTAGES
from shared.sources.port import Access, AccessMode, SourceName

EXPIRY_MARGIN = timedelta(minutes=5)
"""A token that ends sooner is not handed out: it has to outlast most of a pass."""
STORE_INTERVAL = timedelta(days=3)
"""The vault keeps every version for ever and takes few a second, and the token stored before stays good for weeks."""
NOTE_INTERVAL = timedelta(days=1)
IDLE_AFTER = timedelta(days=7)
MAX_TOKENS = 4096
LOCKS = 64
MAX_REFRESH_MINUTES = 8

_log = logging.getLogger(__name__)


class AccessTokenCache:
    """Implements AccessTokens. One instance a process; safe from several threads.

    Several processes may refresh one authorization at the same time: Entra ID leaves the older refresh token valid,
    so whichever is stored last is good, and none is ever the only one.
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
        """Access to one mailbox; its `renew` gives another token once the server has rejected this one."""
        authorization = self._authorization(authorization_id)
        token = self._token(authorization, source, rejected="")
        renew = partial(self._token, authorization, source, token)
        return Access(address, authorization.mode, token, renew, source, own)

    def forget(self, authorization_id: str) -> None:
        """Drop the token in memory, after a disconnect. Other instances' copies end by themselves within the hour."""
        with self._guard:
            for source in SourceName:
                self._live.pop((authorization_id, source), None)

    def refresh_idle(self, now: datetime) -> int:
        """Refresh what has lain idle for a week (paused mailboxes, suspended ones) and store the new token.

        What was refreshed last comes first: what is lost for good stays idle for ever, and thousands of it must not
        take up the time every day.

        Stops at our own fault, unless it is that of one secret, and in time: the rest is still idle tomorrow. An outage
        lasts for its tenant alone: one that exists no more looks like one (see entra.py), and it must not keep the
        others from their turn every day.
        """
        refreshed, aside = 0, set[str]()
        idle = self._authorizations.idle_since(now - IDLE_AFTER)
        for authorization in sorted(idle, key=lambda one: one.refreshed_at or one.created_at, reverse=True):
            if self._clock() > now + timedelta(minutes=MAX_REFRESH_MINUTES):
                break
            if authorization.tenant_id in aside:
                continue
            try:
                refreshed += self._kept_alive(authorization)
            except OperatorMustAct as error:
                if error.of_one:
                    _log.error("an idle authorization cannot be kept alive", exc_info=error)
                    continue
                _log.warning("keeping idle authorizations alive was cut short", exc_info=error)
                break
            except RetryLater as error:
                _log.warning("idle authorizations are left for tomorrow", exc_info=error)
                aside |= {authorization.tenant_id} if error.reason in OUTAGES else set()
        return refreshed

    def _kept_alive(self, authorization: Authorization) -> bool:
        """Whether there was something to keep alive, and it is."""
        if authorization.mode is AccessMode.APP_ONLY:
            return False
        try:
            with self._lock(authorization.id):
                self._keep((authorization.id, SourceName.EWS), self._refreshed(authorization, SourceName.EWS))
        except (PersonMustSignIn, AdministratorMustAct) as error:
            # Nobody is asked now: the mailbox says so itself as soon as it is started.
            _log.info("an idle authorization is lost", extra={"reason": error.reason.value})
            return False
        return True

    def _authorization(self, authorization_id: str) -> Authorization:
        try:
            authorization = self._authorizations.get(authorization_id)
        except NotFound as exc:
            raise PersonMustSignIn(Reason.GRANT_REVOKED, "there is no authorization (any more)") from exc
        if authorization.revoked:
            raise PersonMustSignIn(Reason.GRANT_REVOKED, "the authorization was given back")
        return authorization

    def _token(self, authorization: Authorization, source: SourceName, rejected: str) -> str:
        """A token from memory, unless it ends soon or is the rejected one; else a new one, fetched once for all."""
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
        """Of the tokens only the access token stays in memory."""
        with self._guard:
            self._live[key] = Tokens(tokens.access_token, tokens.expires_at)
            while len(self._live) > self._most_tokens:
                self._live.popitem(last=False)

    def _lock(self, authorization_id: str) -> threading.Lock:
        """One of a fixed number of locks: two authorizations may share one, which costs a wait and nothing else."""
        return self._locks[hash(authorization_id) % LOCKS]

    def _obtained(self, authorization: Authorization, source: SourceName) -> Tokens:
        if authorization.mode is AccessMode.APP_ONLY:
            return self._provider.app_token(authorization.tenant_id, source)
        return self._refreshed(authorization, source)

    def _refreshed(self, authorization: Authorization, source: SourceName) -> Tokens:
        tokens = self._provider_refresh(authorization, source)
        try:
            self._remember(authorization, tokens)
        except MailboxSyncError as error:
            # We hold a good access token, and the stored refresh token is good for weeks: the pass need not suffer.
            _log.warning("a rotated token was not stored", exc_info=error)
        return tokens

    def _provider_refresh(self, authorization: Authorization, source: SourceName) -> Tokens:
        """Refresh; before a refusal is believed, look whether another instance, or a new sign-in, stored another."""
        stored = self._stored(authorization.id)
        try:
            return self._provider.refresh(authorization.tenant_id, stored, source)
        except PersonMustSignIn:
            newer = self._stored(authorization.id)
            if newer == stored:
                raise
            return self._provider.refresh(authorization.tenant_id, newer, source)

    def _stored(self, authorization_id: str) -> str:
        try:
            return self._store.read(authorization_id)
        except NotFound as exc:
            raise PersonMustSignIn(Reason.GRANT_REVOKED, "there is no refresh token (any more)") from exc

    def _remember(self, authorization: Authorization, tokens: Tokens) -> None:
        """Store the rotated token and note the use, both seldom. The token goes first: a note must not outrun it."""
        now = self._clock()
        store = bool(tokens.refresh_token) and _is_older(authorization.stored_at, now, STORE_INTERVAL)
        if not store and not _is_older(authorization.refreshed_at, now, NOTE_INTERVAL):
            return
        if store:
            self._store.write(authorization.id, tokens.refresh_token)
        if store and not self._stands(authorization.id):
            self._store.delete(authorization.id)
            return
        self._authorizations.change(authorization.id, partial(_with_refresh_noted, now=now, stored=store))

    def _stands(self, authorization_id: str) -> bool:
        """Whether it has been given back while a token was being refreshed with it: that token must not stay."""
        try:
            return not self._authorizations.get(authorization_id).revoked
        except NotFound:
            return False


def _is_older(at: datetime | None, now: datetime, age: timedelta) -> bool:
    return at is None or now - at > age


def _with_refresh_noted(authorization: Authorization, *, now: datetime, stored: bool) -> Authorization:
    return replace(authorization, refreshed_at=now, stored_at=now if stored else authorization.stored_at)
