"""Who there is: tenants, their people, the apps they may use, and what each has agreed to.

Plain data that the services read and the control port changes; a run forgets it all.
"""

import time
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

EWS_SCOPE = "https://outlook.office365.com/EWS.AccessAsUser.All"
EWS_APP_ROLE = "full_access_as_app"
GRAPH_APP_ROLES = frozenset({"Mail.Read", "Calendars.Read", "Contacts.Read", "Tasks.Read.All", "User.Read.All"})
"""The application permissions of Microsoft Graph that the app asks for."""
OPERATOR_ROLE = "Operator"


@dataclass(slots=True)
class Tenant:
    """An organization. `consent` is its policy: `user` (people decide themselves) or `admin` (approval needed).

    `consent_requests` plays the admin consent workflow: people may ask, and the app never hears of it.
    """

    id: str
    name: str
    domain: str
    consent: str = "user"
    consent_requests: bool = False
    requests: list[dict[str, str]] = field(default_factory=list)
    """Who asked for approval, and why."""
    known_apps: set[str] = field(default_factory=set)
    """Client ids with a service principal here: an app's first consent makes one."""
    admin_grants: dict[str, set[str]] = field(default_factory=dict)
    """By client id: scopes an administrator has granted for everybody."""
    app_roles: dict[str, set[str]] = field(default_factory=dict)
    """By client id: application permissions an administrator has granted."""
    ews_block: str = ""
    """How the tenant refuses Exchange Web Services to everybody: a variant of sandbox/ews/ews_403_bodies.py."""


@dataclass(slots=True)
class Person:
    """Somebody who can sign in. The fields below `notes` are the policies that Entra plays on them."""

    address: str
    password: str
    display_name: str
    tenant_id: str
    oid: str = ""
    sign_in_name: str = ""
    """The user principal name where it is not the primary address: what tokens say, in its own letter case."""
    aliases: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    """Our app's roles assigned to them."""
    has_mailbox: bool = True
    may_impersonate: bool = False
    administrator: bool = False
    messages: int | None = None
    """How many messages the mailbox begins with; None: its share of the default corpus."""
    notes: str = ""

    disabled: bool = False
    assigned: bool = True
    """Whether the tenant lets them use the app at all (AADSTS50105 otherwise)."""
    blocked: bool = False
    """Conditional access refuses them (AADSTS53003)."""
    mfa: str = "never"
    """`never`, `always` (asked at every sign-in) or `step_up` (demanded of the token, by a claims challenge)."""
    authorize_error: int = 0
    """An AADSTS number that every sign-in of theirs ends with, sent back to the app."""
    token_error: int = 0
    """An AADSTS number that every token request for them ends with."""
    token_seconds: int = 4500
    grants_revoked_at: float = 0.0
    """Refresh tokens from before are refused with AADSTS50173."""
    refresh_expired_at: float = 0.0
    """Refresh tokens from before are refused with AADSTS700082."""
    grants: dict[str, set[str]] = field(default_factory=dict)
    """By client id: scopes they have consented to."""

    def __post_init__(self) -> None:
        self.address = self.address.lower()
        # Derived, so that a person is the same one after the sandbox was started again.
        self.oid = self.oid or str(uuid.uuid5(uuid.NAMESPACE_URL, f"oid:{self.tenant_id}:{self.address}"))

    @property
    def principal_name(self) -> str:
        """What tokens call them."""
        return self.sign_in_name or self.address

    def revoke_grants(self) -> None:
        """Sign them out everywhere: every refresh token issued so far is dead."""
        self.grants_revoked_at = time.time()

    def expire_refresh_tokens(self) -> None:
        """As if every refresh token issued so far had been idle for ninety days."""
        self.refresh_expired_at = time.time()


@dataclass(slots=True)
class App:
    """An app registration. Credentials: certificates (PEM) and federated (issuer, subject).

    No secret is accepted unless one is listed.
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
    """An AADSTS number that every proof of ours is refused with (7000222: our credential has expired)."""


class Directory:
    """Everybody and everything there is, found by the names that protocols use."""

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
        """Everybody, in the order they came."""
        return list(self._people)

    def tenant(self, name: str) -> Tenant | None:
        """A tenant by id or domain."""
        return self._tenants.get(name) or next((t for t in self._tenants.values() if t.domain == name.lower()), None)

    def person(self, name: str) -> Person | None:
        """Somebody by address, sign-in name, alias or object id."""
        wanted = name.lower()
        return next((p for p in self._people if wanted in (p.address, p.sign_in_name.lower(), p.oid, *p.aliases)), None)

    def add(self, person: Person) -> Person:
        """Add somebody. Raises ValueError when the address is taken or the tenant unknown."""
        if self.person(person.address):
            raise ValueError("somebody has this address already")
        if person.tenant_id not in self._tenants:
            raise ValueError("no such tenant")
        self._people.append(person)
        return person

    def note(self, text: str) -> None:
        """Remember something odd that a client did; the control port shows it. Bounded."""
        if text not in self.notes[-500:]:
            self.notes.append(text)

    def __iter__(self) -> Iterator[Person]:
        return iter(self._people)
