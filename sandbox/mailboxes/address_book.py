"""The people who have mailboxes, found by address, token claims, or name."""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol


class Person(Protocol):
    """What a mailbox server knows of a person."""

    @property
    def address(self) -> str:
        """The primary SMTP address."""

    @property
    def aliases(self) -> Iterable[str]:
        """Other addresses of the same mailbox."""

    @property
    def sign_in_name(self) -> str:
        """The user principal name if it is not the primary address; else empty."""

    @property
    def oid(self) -> str:
        """Entra's object id."""

    @property
    def tenant_id(self) -> str:
        """The tenant."""

    @property
    def display_name(self) -> str:
        """The display name."""

    @property
    def has_mailbox(self) -> bool:
        """Whether the person has a mailbox."""

    @property
    def may_impersonate(self) -> bool:
        """Whether the person may impersonate other mailboxes."""


class AddressBook:
    """The current people; the list may grow while the sandbox runs."""

    def __init__(self, people: Iterable[Person]) -> None:
        self._people = people

    def by_address(self, address: str) -> Person | None:
        """The person with this address, primary or alias."""
        wanted = address.lower()
        for person in self._people:
            if wanted == person.address.lower() or wanted in (alias.lower() for alias in person.aliases):
                return person
        return None

    def by_sign_in_name(self, name: str) -> Person | None:
        """The person with this user principal name."""
        wanted = name.lower()
        return next((one for one in self._people if wanted == (one.sign_in_name or one.address).lower()), None)

    def by_oid(self, oid: str) -> Person | None:
        """The person with this object id."""
        return next((person for person in self._people if person.oid == oid.lower()), None)

    def by_claims(self, claims: Mapping[str, Any]) -> Person | None:
        """The person that a token's claims name: by object id, within the tenant."""
        for person in self._people:
            if person.oid == claims.get("oid") and person.tenant_id == claims.get("tid", person.tenant_id):
                return person
        return None

    def matching(self, text: str) -> list[Person]:
        """The people whose name or address starts with a text, as ResolveNames finds them."""
        wanted = text.lower().removeprefix("smtp:").strip()
        return [person for person in self._people if wanted and any(_begins(key, wanted) for key in _keys(person))]


def _keys(person: Person) -> list[str]:
    return [person.address, *person.aliases, person.display_name, *person.display_name.split()]


def _begins(key: str, wanted: str) -> bool:
    return key.lower().startswith(wanted)
