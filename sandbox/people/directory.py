"""The directory: tenants, their people, the apps they may use, and what each has consented to.

Plain data that the services read and the control port changes; nothing outlives a run.
"""

import time
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

EWS_SCOPE = "https://outlook.office365.com/EWS.AccessAsUser.All"
EWS_APP_ROLE = "full_access_as_app"
GRAPH_APP_ROLES = frozenset({"Mail.Read", "Calendars.Read", "Contacts.Read", "Tasks.Read.All", "User.Read.All"})
"""The application permissions of Microsoft Graph that the app requests."""
OPERATOR_ROLE = "Operator"


@dataclass(slots=True)
class Tenant:
    """An organization. `consent` is its policy: `user` (people decide themselves) or `admin` (approval needed).

    `consent_requests` turns on the admin consent workflow: people can request approval, and the app is not told.
    """

    id: str
    name: str
    domain: str
    consent: str = "user"
    consent_requests: bool = False
    requests: list[dict[str, str]] = field(default_factory=list)
    """Who asked for approval, and why."""
    known_apps: set[str] = field(default_factory=set)
    """Client ids with a service principal in this tenant; an app's first consent creates one."""
    admin_grants: dict[str, set[str]] = field(default_factory=dict)
    """By client id: scopes that an administrator has granted for everyone."""
    app_roles: dict[str, set[str]] = field(default_factory=dict)
    """By client id: application permissions that an administrator has granted."""
    ews_block: str = ""
    """How the tenant blocks Exchange Web Services for everyone: a variant of sandbox/ews/ews_403_bodies.py."""


@dataclass(slots=True)
class Person:
    """A person who can sign in. The fields below `notes` are the policies that Entra applies to them."""

    address: str
    password: str
    display_name: str
    tenant_id: str
    oid: str = ""
    sign_in_name: str = ""
    """The user principal name if it is not the primary address; tokens carry it in this letter case."""
    aliases: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    """The app roles of our app that are assigned to them."""
    has_mailbox: bool = True
    may_impersonate: bool = False
    administrator: bool = False
    messages: int | None = None
    """How many messages the mailbox starts with; None: its share of the default corpus."""
    notes: str = ""

    disabled: bool = False
    assigned: bool = True
    """Whether the tenant lets them use the app at all (AADSTS50105 otherwise)."""
    blocked: bool = False
    """Conditional access blocks them (AADSTS53003)."""
    mfa: str = "never"
    """`never`, `always` (asked at every sign-in) or `step_up` (demanded of the token, by a claims challenge)."""
    authorize_error: int = 0
    """An AADSTS number: each of their sign-ins ends with this error, which is sent back to the app."""
    token_error: int = 0
    """An AADSTS number: each token request for them ends with this error."""
    token_seconds: int = 4500
    grants_revoked_at: float = 0.0
    """Seconds since 1970. Refresh tokens from before this time are refused with AADSTS50173."""
    refresh_expired_at: float = 0.0
    """Seconds since 1970. Refresh tokens from before this time are refused with AADSTS700082."""
    grants: dict[str, set[str]] = field(default_factory=dict)
    """By client id: scopes they have consented to."""

    def __post_init__(self) -> None:
        self.address = self.address.lower()
        # Derived from the address, so that a person keeps their object id when the sandbox restarts.
        self.oid = self.oid or str(uuid.uuid5(uuid.NAMESPACE_URL, f"oid:{self.tenant_id}:{self.address}"))

    @property
    def principal_name(self) -> str:
        """The user principal name in tokens."""
        return self.sign_in_name or self.address

    def revoke_grants(self) -> None:
        """Sign them out everywhere: revoke every refresh token issued so far."""
        self.grants_revoked_at = time.time()

    def expire_refresh_tokens(self) -> None:
        """Expire every refresh token issued so far, as ninety days without use would."""
        self.refresh_expired_at = time.time()


@dataclass(slots=True)
class App:
    """An app registration. Credentials: certificates (PEM) and federated (issuer, subject).

    A client secret is accepted only if it is listed.
    """

    client_id: str
    name: str
    home_tenant: str
    redirect_uris: set[str] = field(default_factory=set)
    certificates: list[bytes] = field(default_factory=list)
    federated: set[tuple[str, str]] = field(default_factory=set)
    secrets: set[str] = field(default_factory=set)
    roles: tuple[str, ...] = (OPERATOR_ROLE,)
    broken: int = 0
    """An AADSTS number that refuses each of our client credentials (7000222: the credential has expired)."""


class Directory:
    """All tenants, people and apps, found by the names that protocols use."""

    def __init__(self, tenants: Iterable[Tenant], people: Iterable[Person], apps: Iterable[App] = ()) -> None:
        self._tenants = {tenant.id: tenant for tenant in tenants}
        self._people: list[Person] = []
        self.apps = {app.client_id: app for app in apps}
        self.notes: list[str] = []
        for person in people:
            self.add(person)

    @property
    def tenants(self) -> list[Tenant]:
        """Every tenant."""
        return list(self._tenants.values())

    @property
    def people(self) -> list[Person]:
        """Everyone, in the order they were added."""
        return list(self._people)

    def tenant(self, name: str) -> Tenant | None:
        """A tenant by id or domain."""
        return self._tenants.get(name) or next((t for t in self._tenants.values() if t.domain == name.lower()), None)

    def person(self, name: str) -> Person | None:
        """A person by address, sign-in name, alias or object id."""
        wanted = name.lower()
        return next((p for p in self._people if wanted in (p.address, p.sign_in_name.lower(), p.oid, *p.aliases)), None)

    def add(self, person: Person) -> Person:
        """Add a person. Raises ValueError when the address is taken or the tenant is unknown."""
        if self.person(person.address):
            raise ValueError("somebody has this address already")
        if person.tenant_id not in self._tenants:
            raise ValueError("no such tenant")
        self._people.append(person)
        return person

    def note(self, text: str) -> None:
        """Record an unusual request of a client for the control port. The list is bounded."""
        if text not in self.notes[-500:]:
            self.notes.append(text)

    def __iter__(self) -> Iterator[Person]:
        return iter(self._people)
