"""In-memory fakes of the authorization ports: a test can run a complete sign-in without a socket."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from shared.authorization.errors import FlowExpired, FlowReplayed, FlowUnknown, OtherBrowser
from shared.authorization.model import Approval, Authorization, Identity, Invitation, PendingFlow, SigningKey, Tokens
from shared.errors import AdministratorMustAct, Conflict, NotFound, OperatorMustAct, Reason
from shared.sources.model import Access, AccessMode, Folder, FolderKind, FolderRole, SourceName
from shared.sources.port import MailSource

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
TENANT = "6f9619ff-8b86-4011-b42d-00c04fc964ff"
OTHER_TENANT = "1b671a64-40d5-491e-99b0-da01ff1f3341"


def an_identity(address: str = "alex@contoso.example", **changes: Any) -> Identity:
    """An identity in the tenant Contoso; its object id is derived from the address."""
    digits = address.encode().hex().ljust(32, "0")
    owner = f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:32]}"
    return replace(Identity(TENANT, owner, address, address.partition("@")[0].title()), **changes)


class FakeEntra:
    """Implements IdentityProvider. `person` signs in next; each exception in `refuse` is raised once.

    A refresh token is valid while it is in `valid`.
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self.person = an_identity()
        self.refuse: list[Exception] = []
        self.begun: list[Mapping[str, Any]] = []
        self.valid: set[str] = set()
        self.refreshed: list[str] = []
        self.lifetime = timedelta(hours=1)

    def begin(
        self, *, redirect_uri: str, login_hint: str = "", prompt: str = "", claims: str = "", mail: bool = True
    ) -> tuple[str, Mapping[str, object]]:
        state = secrets.token_hex(8)
        self.begun.append({"hint": login_hint, "prompt": prompt, "claims": claims, "mail": mail, "state": state})
        return f"https://login.example/authorize?state={state}", {"state": state, "mail": mail}

    def redeem(self, flow: Mapping[str, object], answer: Mapping[str, str]) -> tuple[Identity, Tokens]:
        self._refuse()
        assert answer["state"] == flow["state"]
        return self.person, self._tokens()

    def refresh(self, tenant_id: str, refresh_token: str, source: SourceName = SourceName.EWS) -> Tokens:
        self.refreshed.append(refresh_token)
        self._refuse()
        assert refresh_token in self.valid
        return self._tokens()

    def app_token(self, tenant_id: str, source: SourceName = SourceName.EWS) -> Tokens:
        self._refuse()
        return replace(self._tokens(), refresh_token="")

    def admin_consent_url(self, *, tenant: str, redirect_uri: str, state: str) -> str:
        self.begun.append({"tenant": tenant, "state": state})
        return f"https://login.example/{tenant or 'organizations'}/adminconsent?state={state}"

    def _tokens(self) -> Tokens:
        refresh_token = f"refresh-{secrets.token_hex(4)}"
        self.valid.add(refresh_token)
        return Tokens(f"access-{secrets.token_hex(4)}", self._clock() + self.lifetime, refresh_token)

    def _refuse(self) -> None:
        if self.refuse:
            raise self.refuse.pop(0)


class MemoryTokens:
    """Implements TokenStore. Each exception in `refuse` is raised by one write or deletion."""

    def __init__(self, clock: Callable[[], datetime] = lambda: NOW) -> None:
        self._clock = clock
        self.stored: dict[str, str] = {}
        self.deleted: dict[str, datetime] = {}
        self.writes = 0
        self.refuse: list[Exception] = []
        self.disabled: set[str] = set()
        """Secrets that were disabled in the vault."""

    def read(self, authorization_id: str) -> str:
        if authorization_id in self.disabled:
            raise OperatorMustAct(Reason.OUR_STORAGE, support="SecretDisabled", of_one=True)
        if authorization_id not in self.stored:
            raise NotFound("no such token")
        return self.stored[authorization_id]

    def write(self, authorization_id: str, refresh_token: str) -> None:
        if self.refuse:
            raise self.refuse.pop(0)
        if authorization_id in self.deleted:
            raise Conflict("the name is held by the soft delete")
        self.writes += 1
        self.stored[authorization_id] = refresh_token

    def delete(self, authorization_id: str) -> datetime | None:
        if self.refuse:
            raise self.refuse.pop(0)
        if self.stored.pop(authorization_id, None) is not None:
            self.deleted[authorization_id] = self._clock() + timedelta(days=90)
        return self.deleted.get(authorization_id)


class MemoryFlows:
    """Implements FlowStore."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._flows: dict[str, PendingFlow] = {}
        self._taken: dict[str, datetime] = {}

    def put(self, pending: PendingFlow) -> None:
        self._flows[pending.state] = pending

    def take(self, state: str, binding_digest: str) -> PendingFlow:
        if state in self._taken:
            raise FlowReplayed
        pending = self._flows.get(state)
        if pending is None:
            raise FlowUnknown
        if pending.binding_digest != binding_digest:
            raise OtherBrowser
        if pending.expires_at <= self._clock():
            raise FlowExpired
        self._taken[state] = self._flows.pop(state).expires_at
        return pending

    def sweep(self, now: datetime) -> int:
        before = now - timedelta(days=1)
        lapsed = [state for state, flow in self._flows.items() if flow.expires_at < before]
        for state in lapsed:
            del self._flows[state]
        self._taken = {state: ended for state, ended in self._taken.items() if ended >= before}
        return len(lapsed)


class MemoryRevokedSessions:
    """Implements RevokedSessions."""

    def __init__(self) -> None:
        self._ended: set[str] = set()

    def add(self, session_id: str, until: datetime) -> None:
        self._ended.add(session_id)

    def contains(self, session_id: str) -> bool:
        return session_id in self._ended


class MemoryStartCounter:
    """Implements StartCounter."""

    def __init__(self) -> None:
        self.added = 0
        self._starts: dict[tuple[datetime, str], int] = {}

    def add(self, window: datetime, instance: str, starts: int) -> int:
        self.added += 1
        self._starts[window, instance] = starts
        return sum(count for (ends, _), count in self._starts.items() if ends == window)


class MemoryAuthorizations:
    """Implements AuthorizationStore."""

    def __init__(self) -> None:
        self.stored: dict[str, Authorization] = {}
        self.changes = 0

    def add(self, authorization: Authorization) -> Authorization:
        self.stored[authorization.id] = authorization
        return authorization

    def get(self, authorization_id: str) -> Authorization:
        if authorization_id not in self.stored:
            raise NotFound("no such authorization")
        return self.stored[authorization_id]

    def change(self, authorization_id: str, change: Callable[[Authorization], Authorization]) -> Authorization:
        after = change(self.get(authorization_id))
        self.changes += after != self.stored[authorization_id]
        self.stored[authorization_id] = after
        return after

    def idle_since(self, before: datetime) -> list[Authorization]:
        return [
            found
            for found in self.stored.values()
            if found.refreshed_at is not None and found.refreshed_at < before and not found.revoked
        ]

    def revoked_with_token(self) -> list[Authorization]:
        return [found for found in self.stored.values() if found.revoked and found.stored_at is not None]

    def service_accounts(self) -> list[Authorization]:
        return [found for found in self.stored.values() if found.mode is AccessMode.IMPERSONATION and not found.revoked]

    def delete(self, authorization_id: str) -> None:
        self.stored.pop(authorization_id, None)


class MemoryInvitations:
    """Implements InvitationStore. `reads` counts reads: a guessed id must cost none. `use` raises those in `refuse`."""

    def __init__(self) -> None:
        self.stored: dict[str, Invitation] = {}
        self.reads = 0
        self.refuse: list[Exception] = []

    def put(self, invitation: Invitation) -> None:
        self.stored[invitation.id] = invitation

    def get(self, invitation_id: str) -> Invitation:
        self.reads += 1
        if invitation_id not in self.stored:
            raise NotFound("no such invitation")
        return self.stored[invitation_id]

    def use(self, invitation_id: str, at: datetime) -> bool:
        if self.refuse:
            raise self.refuse.pop(0)
        found = self.get(invitation_id)
        if found.used_at is not None:
            return False
        self.stored[invitation_id] = replace(found, used_at=at, address="")
        return True

    def recent(self, limit: int, after: str = "") -> tuple[list[Invitation], str]:
        ordered = sorted(self.stored.values(), key=lambda one: (-one.expires_at.timestamp(), one.id))
        first = next((n + 1 for n, one in enumerate(ordered) if one.id == after), 0)
        found = ordered[first : first + limit]
        return found, found[-1].id if len(found) == limit else ""


class MemoryApprovals:
    """Implements ApprovalStore."""

    def __init__(self) -> None:
        self.stored: dict[str, Approval] = {}

    def put(self, approval: Approval) -> None:
        self.stored[approval.id] = approval

    def get(self, approval_id: str) -> Approval:
        if approval_id not in self.stored:
            raise NotFound("no such approval")
        return self.stored[approval_id]


class Ring:
    """Implements SigningKeyRing. `rotate` adds a newer key, which a fresh read returns."""

    def __init__(self, secret: bytes = b"1" * 32) -> None:
        self._published = [SigningKey("k1", secret)]
        self._seen = tuple(self._published)
        self.fresh_reads = 0

    def rotate(self, secret: bytes = b"2" * 32) -> None:
        self._published.insert(0, SigningKey(f"k{len(self._published) + 1}", secret))

    def valid(self, *, fresh: bool = False) -> Sequence[SigningKey]:
        if fresh:
            self.fresh_reads += 1
            self._seen = tuple(self._published)
        return self._seen


@dataclass
class Folders:
    """The part of a MailSource that a sign-in uses: folders with these ids, or `trouble` as the error."""

    ids: list[str]
    trouble: Exception | None

    def prefetch(self, stored: Mapping[str, str]) -> None:
        """Do nothing."""

    def folders(self) -> list[Folder]:
        if self.trouble:
            raise self.trouble
        return [Folder(one, "", one, one, FolderKind.MAIL, FolderRole.NONE, 0) for one in self.ids]

    def close(self) -> None:
        pass


@dataclass
class FakeSources:
    """Implements MailSources: `trouble` has the error to raise for an address, `directory` the addresses for a name.

    `aliases` has the mailbox that an alias address opens. `ews_blocked` are addresses for which EWS is blocked but
    Graph is not. `meanwhile` is called while a mailbox is being checked.
    """

    trouble: dict[str, Exception] = field(default_factory=dict)
    directory: dict[str, list[str]] = field(default_factory=dict)
    aliases: dict[str, str | Exception] = field(default_factory=dict)
    checked: list[Access] = field(default_factory=list)
    ews_blocked: set[str] = field(default_factory=set)
    meanwhile: Callable[[], object] = lambda: None
    primary: dict[str, str | Exception] = field(default_factory=dict)
    """By sign-in name: the primary address of the person's own mailbox, or the error to raise."""

    def open(self, access: Access, *, isolate_failures: bool = False) -> MailSource:
        opened = str(self.aliases.get(access.address, access.address))
        return cast(MailSource, Folders([f"{opened}/inbox", f"{opened}/sent"], self.trouble.get(opened)))

    def check(self, access: Access) -> None:
        self.checked.append(access)
        self.meanwhile()
        if access.source is SourceName.EWS and access.address in self.ews_blocked:
            raise AdministratorMustAct(Reason.EWS_BLOCKED, support="app_not_listed")
        if access.address in self.trouble:
            raise self.trouble[access.address]

    def resolve(self, access: Access, query: str) -> list[str]:
        return self.directory.get(query, [])

    def primary_address(self, access: Access) -> str:
        """The primary address. A person's own mailbox opens with every sign-in name."""
        names: Mapping[str, str | Exception] = self.primary if access.own else self.aliases
        found = names.get(access.address, access.address)
        if isinstance(found, Exception):
            raise found
        return found
