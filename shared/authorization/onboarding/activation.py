"""Activation of a list of mailboxes that a service account (impersonation) or the app itself (app-only) reads.

Each mailbox is read once before it counts as active. Each failure has its reason, and it does not stop the others.
A new mailbox, and one that is connected again, can be put into a group, whose settings its first pass uses.
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
from shared.authorization.model import GUID, Authorization
from shared.authorization.onboarding.invitations import is_address
from shared.authorization.port import AccessTokens, AuthorizationStore
from shared.errors import ActionNeeded, Conflict, NotFound, Reason, RetryLater
from shared.mailboxes import transitions
from shared.mailboxes.commands import new_mailbox
from shared.mailboxes.groups.errors import GroupUnknown
from shared.mailboxes.groups.model import stored_name
from shared.mailboxes.model import Mailbox, Status
from shared.mailboxes.port import MailboxRegistry, SyncQueue
from shared.sources.model import AccessMode, SourceName
from shared.sources.port import MailSources
from shared.sources.selection import SourceSelection

MAX_NAMES = 500
"""The most names in one activation; callers split a longer list."""
PARALLEL_CHECKS = 4
TIME_LIMIT = timedelta(seconds=150)
"""When to stop: the platform ends an HTTP request after 230 seconds. Names not begun by then are `not_tried`."""

_GUID = re.compile(GUID)


@dataclass(frozen=True, slots=True)
class ActivationResult:
    """The result for one name of the list. `result`: active, already, failed, or not_tried; `reason` says why."""

    asked: str
    address: str
    result: str
    mailbox_id: str = ""
    reason: str = ""
    support: str = ""


@dataclass(frozen=True, slots=True)
class _Batch:
    """What the names of one list have in common. `anchor` is the address whose access looks names up."""

    authorization: Authorization
    actor: str
    group: str
    """The group for the mailboxes; empty: none was named."""
    anchor: str
    until: datetime


class Activation:
    """Activates lists of mailboxes. `require_group` raises GroupUnknown for a group that cannot take mailboxes."""

    def __init__(
        self,
        *,
        authorizations: AuthorizationStore,
        access_tokens: AccessTokens,
        registry: MailboxRegistry,
        sources: MailSources,
        selection: SourceSelection,
        queue: SyncQueue,
        require_group: Callable[[str], None],
        tenants: Sequence[str],
        clock: Callable[[], datetime],
    ) -> None:
        self._authorizations = authorizations
        self._access_tokens = access_tokens
        self._registry = registry
        self._sources = sources
        self._selection = selection
        self._queue = queue
        self._require_group = require_group
        self._tenants = tuple(tenants)
        self._clock = clock

    def activate(self, given: Mapping[str, str], names: Sequence[str], actor: str) -> list[ActivationResult]:
        """Activate mailboxes with a service account's `authorization`, or with app-only access in a `tenant`.

        `given` may also have a `group`. Raises ActivationRefused, NotFound.
        """
        group = given.get("group", "")
        if given.get("authorization"):
            return self.with_service_account(given["authorization"], names, actor, group=group)
        return self.app_only(given.get("tenant", ""), names, actor, group=group)

    def require_usable(self, given: Mapping[str, str]) -> None:
        """Check what `activate` would use, before a long list is left to a job. Raises ActivationRefused, NotFound."""
        if given.get("authorization"):
            self._of_service_account(given["authorization"])
        else:
            self._require_served(given.get("tenant", ""))
        self._check_group(given.get("group", ""))

    def with_service_account(
        self, authorization_id: str, names: Sequence[str], actor: str, *, group: str = ""
    ) -> list[ActivationResult]:
        """Activate mailboxes that a service account reads by impersonation. Raises ActivationRefused, NotFound."""
        return self._all(self._of_service_account(authorization_id), names, actor, group)

    def app_only(self, tenant_id: str, names: Sequence[str], actor: str, *, group: str = "") -> list[ActivationResult]:
        """Activate mailboxes of an allowed tenant with full_access_as_app. Raises ActivationRefused."""
        self._require_served(tenant_id)
        return self._all(self._of_app(tenant_id), names, actor, group)

    def _check_group(self, name: str) -> None:
        """Raises ActivationRefused: there is no such group."""
        try:
            if name:
                self._require_group(name)
        except GroupUnknown as exc:
            raise ActivationRefused("there is no group with this name", "group") from exc

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

    def _all(
        self, authorization: Authorization, names: Sequence[str], actor: str, group: str
    ) -> list[ActivationResult]:
        names = list(dict.fromkeys(name.strip() for name in names if name.strip()))
        if not names or len(names) > MAX_NAMES or any(len(name) > 320 or not name.isprintable() for name in names):
            raise ActivationRefused(f"a list has 1 to {MAX_NAMES} names")
        self._check_group(group)
        anchor = authorization.address or next(filter(is_address, names), "")
        batch = _Batch(authorization, actor, group, anchor, self._clock() + TIME_LIMIT)
        with ThreadPoolExecutor(PARALLEL_CHECKS) as pool:
            return list(pool.map(partial(self._one, batch), names))

    def _one(self, batch: _Batch, name: str) -> ActivationResult:
        if self._clock() > batch.until:
            return ActivationResult(name, "", "not_tried")
        address = ""
        try:
            address = name if is_address(name) else self._resolved(batch, name)
            choice = self._selection.choose(partial(self._access_tokens.access, batch.authorization.id, address))
            if choice.access is None or choice.error is not None:
                raise choice.error or RetryLater(Reason.UNAVAILABLE)
            address = self._sources.primary_address(choice.access) or address
            return self._added(batch, name, address, choice.source)
        except ActionNeeded as error:
            return ActivationResult(name, address, "failed", reason=error.reason.value, support=error.support)
        except NotFound as error:
            return ActivationResult(name, address, "failed", reason=str(error))

    def _resolved(self, batch: _Batch, name: str) -> str:
        """Resolve a name to its one address in the directory. Raises NotFound: unknown_name, ambiguous_name."""
        if not batch.anchor:
            raise NotFound("unknown_name")
        choice = self._selection.choose(partial(self._access_tokens.access, batch.authorization.id, batch.anchor))
        if choice.access is None or choice.error is not None:
            raise choice.error or NotFound("unknown_name")
        found = self._sources.resolve(choice.access, name)
        if len(found) != 1:
            raise NotFound("ambiguous_name" if found else "unknown_name")
        return found[0]

    def _added(self, batch: _Batch, name: str, address: str, source: SourceName) -> ActivationResult:
        mailbox = new_mailbox(batch.authorization, address, address, self._clock(), source)
        try:
            mailbox = self._registry.add(mailbox.with_changes(group=stored_name(batch.group)))
        except Conflict:
            return self._existing(ActivationResult(name, address, "already"), batch)
        self._begin(mailbox.id, batch)
        return ActivationResult(name, address, "active", mailbox.id)

    def _begin(self, mailbox_id: str, batch: _Batch) -> None:
        """Record the activation and queue the first pass."""
        self._registry.record_audit(mailbox_id, batch.actor, "activate")
        if batch.group:
            self._registry.record_audit(mailbox_id, batch.actor, "set_group")
        self._queue.send_mailbox(mailbox_id)

    def _existing(self, result: ActivationResult, batch: _Batch) -> ActivationResult:
        """Report the mailbox that the address already has, however it is read: each address has only one mailbox.

        A disconnected mailbox of the same authorization's owner is connected again, because nobody could sign in for
        it. A disconnected mailbox of a person or of another service account is not: it has to be erased first. A
        mailbox that is not connected again keeps its group.
        """
        authorization = batch.authorization
        mailbox = self._registry.at_address(authorization.tenant_id, result.address)
        if mailbox is None:  # created by version 0.1.0, and not in the address index yet
            return result
        is_ours = (mailbox.owner_id, mailbox.mode) == (authorization.owner_id, authorization.mode)
        if mailbox.status is not Status.DISCONNECTED:
            return replace(result, mailbox_id=mailbox.id)
        if not is_ours:
            return replace(result, mailbox_id=mailbox.id, reason="disconnected_copy")
        return self._connected_again(replace(result, mailbox_id=mailbox.id), batch)

    def _connected_again(self, result: ActivationResult, batch: _Batch) -> ActivationResult:
        try:
            self._registry.change(result.mailbox_id, partial(_reconnected, batch))
            self._begin(result.mailbox_id, batch)
        except ActionNeeded as error:
            return replace(result, result="failed", reason=error.reason.value, support=error.support)
        except NotFound:  # erased in the meantime
            return replace(result, result="failed", reason=Reason.CONFLICT.value)
        return replace(result, result="active")


def _reconnected(batch: _Batch, mailbox: Mailbox) -> Mailbox:
    if mailbox.status is not Status.DISCONNECTED:
        return mailbox
    connected = transitions.after_sign_in(mailbox, batch.authorization.id)
    return connected.with_changes(group=stored_name(batch.group)) if batch.group else connected


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
