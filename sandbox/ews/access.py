"""Who calls, for which mailbox, and what the caller may access.

A delegated token acts for the person who signed in. An app-only token (role full_access_as_app) acts for no one until
an ExchangeImpersonation header names a mailbox. A person may impersonate only where that was granted.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lxml import etree

from sandbox.ews.refusals import Fault, Forbidden, Unauthorized
from sandbox.mailboxes.address_book import AddressBook, Person
from sandbox.mailboxes.fragments import T, children, local

if TYPE_CHECKING:
    from collections.abc import Callable

APP_ROLE = "full_access_as_app"
SCOPES = frozenset({"EWS.AccessAsUser.All", "Exchange.Manage"})


@dataclass(frozen=True, slots=True)
class Caller:
    """The person for whom a request acts, impersonated or not."""

    person: Person
    impersonated: bool = False


def claims_of(authorization: str | None, verify: "Callable[[str], Mapping[str, Any]]") -> Mapping[str, Any]:
    """The claims of a request's bearer token. Raises Unauthorized or Forbidden."""
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthorized("", "no token")
    try:
        claims = verify(token.strip())
    except ValueError as exc:
        raise Unauthorized("invalid_token", str(exc)) from None
    if not is_app(claims) and not SCOPES & set(str(claims.get("scp", "")).split()):
        reason = "The token contains not enough scope to make this call."
        headers = {"x-ms-diagnostics": f'2000008;reason="{reason}";error_category="invalid_grant"'}
        raise Forbidden("", headers)
    return claims


def is_app(claims: Mapping[str, Any]) -> bool:
    """Whether a token is app-only, with the role that opens every mailbox."""
    return "scp" not in claims and APP_ROLE in (claims.get("roles") or ())


def caller_of(book: AddressBook, claims: Mapping[str, Any], header: etree._Element | None) -> Caller:
    """The caller of a request. Raises Fault when impersonation fails or is missing, Unauthorized for unknown people."""
    named = _connecting_name(header)
    if is_app(claims):
        if named is None:
            raise Fault("ErrorImpersonationRequired")
        return _impersonated(book, named, str(claims.get("tid")))
    person = book.by_claims(claims)
    if person is None:
        raise Unauthorized("invalid_token", "The user specified by the user-context in the token does not exist.")
    if named is None:
        return Caller(person)
    if not person.may_impersonate:
        raise Fault("ErrorImpersonateUserDenied")
    return _impersonated(book, named, person.tenant_id)


def _impersonated(book: AddressBook, named: tuple[str, str], tenant_id: str) -> Caller:
    """Whoever is named, within the tenant that the token is of."""
    kind, name = named
    person = book.by_sign_in_name(name) if kind == "PrincipalName" else book.by_address(name)
    if person is None or not person.has_mailbox or person.tenant_id != tenant_id:
        raise Fault("ErrorNonExistentMailbox")
    return Caller(person, impersonated=True)


def _connecting_name(header: etree._Element | None) -> tuple[str, str] | None:
    """The kind of name and the name in an ExchangeImpersonation header. Raises Fault when it has no name."""
    element = header.find(f"{T}ExchangeImpersonation") if header is not None else None
    if element is None:
        return None
    sid = element.find(f"{T}ConnectingSID")
    for named in children(sid) if sid is not None else ():
        if named.tag in _NAMING and (named.text or "").strip():
            return local(named), (named.text or "").strip()
    raise Fault("ErrorImpersonationFailed")


_NAMING = frozenset({f"{T}PrimarySmtpAddress", f"{T}SmtpAddress", f"{T}PrincipalName"})
