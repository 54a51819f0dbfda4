"""Who asks, whether their token lets them, and whose mailbox it is about.

Source of names and codes: learn.microsoft.com/graph/permissions-reference, /graph/resolve-auth-errors.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.graph.wire.errors import GraphError
from sandbox.mailboxes.address_book import Person
from sandbox.mailboxes.mailbox_store import MailboxStore
from sandbox.mailboxes.store import Folder, Mailbox

type Verify = Callable[[str], Mapping[str, Any]]
"""Gives a token's claims. Raises ValueError."""

GRAPH_APP_ID = "00000003-0000-0000-c000-000000000000"

PERMISSIONS: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    "mail": (frozenset({"Mail.Read", "Mail.ReadWrite"}), frozenset({"Mail.Read", "Mail.ReadWrite"})),
    "calendar": (
        frozenset({"Calendars.Read", "Calendars.ReadWrite"}),
        frozenset({"Calendars.Read", "Calendars.ReadWrite"}),
    ),
    "contacts": (
        frozenset({"Contacts.Read", "Contacts.ReadWrite"}),
        frozenset({"Contacts.Read", "Contacts.ReadWrite"}),
    ),
    "tasks": (frozenset({"Tasks.Read", "Tasks.ReadWrite"}), frozenset({"Tasks.Read.All", "Tasks.ReadWrite.All"})),
    "user": (frozenset({"User.Read", "User.ReadBasic.All", "User.Read.All"}), frozenset({"User.Read.All"})),
    "folders": (frozenset({"MailboxFolder.Read"}), frozenset({"MailboxFolder.Read.All"})),
}
"""By area: the delegated scopes and the application roles of which one is needed."""

_PROFILES = {"User.ReadBasic.All", "User.Read.All"}
_SHARED = {"mail": "Mail.Read.Shared", "calendar": "Calendars.Read.Shared", "contacts": "Contacts.Read.Shared"}


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose token it is. `person` None: the application's own."""

    claims: Mapping[str, Any]
    person: Person | None

    @property
    def app_id(self) -> str:
        """The application."""
        return str(self.claims.get("appid") or self.claims.get("azp") or "")

    def check(self, area: str) -> None:
        """Whether the token grants an area. Raises GraphError."""
        delegated, application = PERMISSIONS[area]
        granted = self._scopes() & delegated if self.person else self._roles() & application
        if not granted:
            raise _denied(area)

    def check_profile(self, person: Person) -> None:
        """Whether the token may read a person's profile: one's own, or everybody's. Raises GraphError."""
        if self.person is not None and self.person.oid != person.oid and not self._scopes() & _PROFILES:
            raise _denied("user")

    def check_shared(self, area: str) -> None:
        """Whether the token grants an area of other people's mailboxes. Raises GraphError."""
        if self.person is not None and _SHARED.get(area) not in self._scopes():
            raise _denied(area)

    def _scopes(self) -> set[str]:
        return set(str(self.claims.get("scp", "")).split())

    def _roles(self) -> set[str]:
        return set(self.claims.get("roles") or ())


def _denied(area: str) -> GraphError:
    if area == "user":
        return GraphError(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
    if area == "tasks":
        return GraphError(403, "accessDenied", "Either the app or the user does not have the required permissions.")
    return GraphError(403, "ErrorAccessDenied")


def caller_of(authorization: str | None, verify: Verify, store: MailboxStore) -> Caller:
    """Who asks. Raises GraphError."""
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise _unauthorized("Access token is empty.")
    try:
        claims = verify(token.strip())
    except ValueError as exc:
        raise _unauthorized(f"Access token validation failure. {exc}") from None
    if "scp" not in claims:
        return Caller(claims, None)
    person = store.address_book.by_claims(claims)
    if person is None:
        raise _unauthorized("Access token validation failure. The user does not exist.")
    return Caller(claims, person)


def _unauthorized(message: str) -> GraphError:
    challenge = (
        'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", '
        f'client_id="{GRAPH_APP_ID}"'
    )
    return GraphError(401, "InvalidAuthenticationToken", message, {"WWW-Authenticate": challenge})


def claims_challenge(claims: str) -> GraphError:
    """A demand for a token with more claims: continuous access evaluation, or a step of a policy."""
    challenge = (
        'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", '
        f'client_id="{GRAPH_APP_ID}", error="insufficient_claims", claims="{claims}"'
    )
    text = "Continuous access evaluation resulted in challenge with result: InteractionRequired."
    return GraphError(401, "InvalidAuthenticationToken", text, {"WWW-Authenticate": challenge})


def user_of(caller: Caller, named: str | None, store: MailboxStore) -> Person:
    """The person that a path is about: `me`, or one named by address, sign-in name or object id. Raises GraphError."""
    if named is None:
        if caller.person is None:
            raise GraphError(400, "BadRequest", "/me request is only valid with delegated authentication flow.")
        return caller.person
    book = store.address_book
    person = book.by_address(named) or book.by_sign_in_name(named) or book.by_oid(named)
    if person is None or person.tenant_id != caller.claims.get("tid"):
        raise GraphError(404, "ErrorInvalidUser", f"The requested user '{named}' is invalid.")
    return person


def mailbox_of(caller: Caller, person: Person, area: str, store: MailboxStore) -> Mailbox:
    """The mailbox of a person, as far as the caller may open it. Raises GraphError."""
    if caller.person is not None and caller.person.oid != person.oid:
        caller.check_shared(area)
    if not person.has_mailbox:
        raise GraphError(404, "MailboxNotEnabledForRESTAPI")
    mailbox = store.mailbox(person.address)
    if mailbox.moving:
        raise GraphError(503, "ErrorMailboxMoveInProgress", headers={"Retry-After": "30"})
    return mailbox


def may_open(caller: Caller, folder: Folder) -> bool:
    """Whether a folder is the caller's own, or was shared with them."""
    owner = folder.mailbox.address.lower()
    if caller.person is None or caller.person.address.lower() == owner:
        return True
    granted = folder.mailbox.grants.get(caller.person.address.lower(), set())
    return "*" in granted or folder.id in granted
