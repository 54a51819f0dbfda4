"""Activation of a list of mailboxes that a service account (impersonation) or the app itself (app-only) reads.

Each mailbox is read once before it counts as active. Each failure has its reason, and it does not stop the others.
"""

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from shared.authorization.errors import ActivationRefused
from shared.authorization.onboarding.invitations import is_address
from shared.authorization.port import AccessTokens, Authorization, AuthorizationStore
from shared.errors import ActionNeeded, Conflict, NotFound, Reason, RetryLater
from shared.mailboxes import transitions
from shared.mailboxes.commands import new_mailbox
from shared.mailboxes.model import Mailbox, Status
from shared.mailboxes.port import MailboxRegistry, SyncQueue
from shared.sources.port import AccessMode, MailSources, SourceName
from shared.sources.selection import SourceSelection

MAX_NAMES = 500
"""The most names in one activation; callers split a longer list."""
PARALLEL_CHECKS = 4
TIME_LIMIT = timedelta(seconds=150)
"""When to stop: the platform ends an HTTP request after 230 seconds. Names not begun by then are `not_tried`."""

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class ActivationResult:
    """The result for one name of the list. `result`: active, already, failed, or not_tried; `reason` says why."""

    asked: str
    address: str
    result: str
    mailbox_id: str = ""
    reason: str = ""
    support: str = ""


class Activation:
    """Activates lists of mailboxes."""

    def __init__(
        self,
        *,
        authorizations: AuthorizationStore,
        access_tokens: AccessTokens,
        registry: MailboxRegistry,
        sources: MailSources,
        selection: SourceSelection,
        queue: SyncQueue,
        tenants: Sequence[str],
        clock: Callable[[], datetime],
    ) -> None:
        self._authorizations = authorizations
        self._access_tokens = access_tokens
        self._registry = registry
        self._sources = sources
        self._selection = selection
        self._queue = queue
        self._tenants = tuple(tenants)
        self._clock = clock

    def activate(self, access: Mapping[str, str], names: Sequence[str], actor: str) -> list[ActivationResult]:
        """Activate mailboxes with a service account's `authorization`, or with app-only access in a `tenant`.

        Raises ActivationRefused, NotFound.
        """
        if access.get("authorization"):
            return self.with_service_account(access["authorization"], names, actor)
        return self.app_only(access.get("tenant", ""), names, actor)

    def require_access(self, access: Mapping[str, str]) -> None:
        """Check what `activate` would use, before a long list is left to a job. Raises ActivationRefused, NotFound."""
        if access.get("authorization"):
            self._of_service_account(access["authorization"])
        else:
            self._require_served(access.get("tenant", ""))

    def with_service_account(self, authorization_id: str, names: Sequence[str], actor: str) -> list[ActivationResult]:
        """Activate mailboxes that a service account reads by impersonation. Raises ActivationRefused, NotFound."""
        return self._all(self._of_service_account(authorization_id), names, actor)

    def app_only(self, tenant_id: str, names: Sequence[str], actor: str) -> list[ActivationResult]:
        """Activate mailboxes of an allowed tenant with full_access_as_app. Raises ActivationRefused."""
        self._require_served(tenant_id)
        return self._all(self._of_app(tenant_id), names, actor)

    def _of_service_account(self, authorization_id: str) -> Authorization:
        authorization = self._authorizations.get(authorization_id)
        if authorization.mode is not AccessMode.IMPERSONATION or authorization.revoked:
            raise ActivationRefused("not a service account's authorization", "authorization")
        return authorization

    def _require_served(self, tenant_id: str) -> None:
        served = tenant_id in self._tenants or self._tenants == ("organizations",)
        if not _GUID.fullmatch(tenant_id) or not served:
            raise ActivationRefused("not a tenant that is served", "tenant")

    def _of_app(self, tenant_id: str) -> Authorization:
        """Return the tenant's only app-only authorization. It has no secret, so all mailboxes can share it."""
        try:
            return self._authorizations.get(f"app-{tenant_id}")
        except NotFound:
            return self._authorizations.add(
                Authorization(f"app-{tenant_id}", AccessMode.APP_ONLY, tenant_id, "app", self._clock())
            )

    def _all(self, authorization: Authorization, names: Sequence[str], actor: str) -> list[ActivationResult]:
        names = list(dict.fromkeys(name.strip() for name in names if name.strip()))
        if not names or len(names) > MAX_NAMES or any(len(name) > 320 or not name.isprintable() for name in names):
            raise ActivationRefused(f"a list has 1 to {MAX_NAMES} names")
        anchor = authorization.address or next(filter(is_address, names), "")
        one = partial(self._one, authorization, anchor, actor, self._clock() + TIME_LIMIT)
        with ThreadPoolExecutor(PARALLEL_CHECKS) as pool:
            return list(pool.map(one, names))

    def _one(
        self, authorization: Authorization, anchor: str, actor: str, until: datetime, name: str
    ) -> ActivationResult:
        if self._clock() > until:
            return ActivationResult(name, "", "not_tried")
        address = ""
        try:
            address = name if is_address(name) else self._resolved(authorization, anchor, name)
            choice = self._selection.choose(partial(self._access_tokens.access, authorization.id, address))
            if choice.access is None or choice.error is not None:
                raise choice.error or RetryLater(Reason.UNAVAILABLE)
            address = self._sources.primary_address(choice.access) or address
            return self._added(authorization, name, address, actor, choice.source)
        except ActionNeeded as error:
            return ActivationResult(name, address, "failed", reason=error.reason.value, support=error.support)
        except NotFound as error:
            return ActivationResult(name, address, "failed", reason=str(error))

    def _resolved(self, authorization: Authorization, anchor: str, name: str) -> str:
        """Resolve a name to its one address in the directory. Raises NotFound: unknown_name, ambiguous_name."""
        if not anchor:
            raise NotFound("unknown_name")
        choice = self._selection.choose(partial(self._access_tokens.access, authorization.id, anchor))
        if choice.access is None or choice.error is not None:
            raise choice.error or NotFound("unknown_name")
        found = self._sources.resolve(choice.access, name)
        if len(found) != 1:
            raise NotFound("ambiguous_name" if found else "unknown_name")
        return found[0]

    def _added(
        self, authorization: Authorization, name: str, address: str, actor: str, source: SourceName
    ) -> ActivationResult:
        try:
            mailbox = self._registry.add(new_mailbox(authorization, address, address, self._clock(), source))
        except Conflict:
            return self._existing(ActivationResult(name, address, "already"), authorization, actor)
        self._registry.record_audit(mailbox.id, actor, "activate")
        self._queue.send_mailbox(mailbox.id)
        return ActivationResult(name, address, "active", mailbox.id)

    def _existing(self, result: ActivationResult, authorization: Authorization, actor: str) -> ActivationResult:
        """Report the mailbox that the address already has, however it is read: each address has only one mailbox.

        A disconnected mailbox of the same authorization's owner is connected again, because nobody could sign in for
        it. A disconnected mailbox of a person or of another service account is not: it has to be erased first.
        """
        mailbox = self._registry.at_address(authorization.tenant_id, result.address)
        if mailbox is None:  # created by version 0.1.0, and not in the address index yet
            return result
        is_ours = (mailbox.owner_id, mailbox.mode) == (authorization.owner_id, authorization.mode)
        if mailbox.status is not Status.DISCONNECTED:
            return replace(result, mailbox_id=mailbox.id)
        if not is_ours:
            return replace(result, mailbox_id=mailbox.id, reason="disconnected_copy")
        return self._connected_again(replace(result, mailbox_id=mailbox.id), authorization.id, actor)

    def _connected_again(self, result: ActivationResult, authorization_id: str, actor: str) -> ActivationResult:
        try:
            self._registry.change(result.mailbox_id, partial(_reconnected, authorization_id=authorization_id))
            self._registry.record_audit(result.mailbox_id, actor, "activate")
            self._queue.send_mailbox(result.mailbox_id)
        except ActionNeeded as error:
            return replace(result, result="failed", reason=error.reason.value, support=error.support)
        except NotFound:  # erased in the meantime
            return replace(result, result="failed", reason=Reason.CONFLICT.value)
        return replace(result, result="active")


def _reconnected(mailbox: Mailbox, *, authorization_id: str) -> Mailbox:
    return transitions.after_sign_in(mailbox, authorization_id) if mailbox.status is Status.DISCONNECTED else mailbox


def parse_names(text: str) -> list[str]:
    """Return the names of a typed list or a CSV file: the first cell with an address of each line, else its first cell.

    The first line is a header if it has no address and the second line has one.

    Raises:
        ActivationRefused: the text cannot be parsed.
    """
    try:
        rows = [row for row in _rows(text) if row]
    except csv.Error as exc:
        raise ActivationRefused("the list cannot be read", "csv") from exc
    if len(rows) > 1 and not _addresses(rows[0]) and _addresses(rows[1]):
        rows = rows[1:]
    return [next(iter(_addresses(row)), row[0]) for row in rows]


def _rows(text: str) -> Iterator[list[str]]:
    delimiter = ";" if ";" in text else ","
    for row in csv.reader(io.StringIO(text.lstrip("\ufeff"), newline=None), delimiter=delimiter):
        yield [cell.strip() for cell in row if cell.strip()]


def _addresses(row: list[str]) -> list[str]:
    return [cell for cell in row if is_address(cell)]
