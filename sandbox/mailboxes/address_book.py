"""The people who have mailboxes, found by address, by token claims or by name."""

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
        """What they sign in with (the user principal name), where that is not the primary address; else empty."""

    @property
    def oid(self) -> str:
        """Entra's object id."""

    @property
    def tenant_id(self) -> str:
        """The tenant."""

    @property
    def display_name(self) -> str:
        """The name that people see."""

    @property
    def has_mailbox(self) -> bool:
        """Whether there is a mailbox at all."""

    @property
    def may_impersonate(self) -> bool:
        """Whether they may act for other mailboxes."""


class AddressBook:
    """The people, as they are now: the list may grow while the sandbox runs."""

    def __init__(self, people: Iterable[Person]) -> None:
        self._people = people

    def by_address(self, address: str) -> Person | None:
        """Who has this address, primary or alias."""
        wanted = address.lower()
        for person in self._people:
            if wanted == person.address.lower() or wanted in (alias.lower() for alias in person.aliases):
                return person
        return None

    def by_sign_in_name(self, name: str) -> Person | None:
        """Who signs in with this name."""
        wanted = name.lower()
        return next((one for one in self._people if wanted == (one.sign_in_name or one.address).lower()), None)

    def by_oid(self, oid: str) -> Person | None:
        """Who has this object id."""
        return next((person for person in self._people if person.oid == oid.lower()), None)

    def by_claims(self, claims: Mapping[str, Any]) -> Person | None:
        """Whom a token's claims name: by object id, within the tenant."""
        for person in self._people:
            if person.oid == claims.get("oid") and person.tenant_id == claims.get("tid", person.tenant_id):
                return person
        return None

    def matching(self, text: str) -> list[Person]:
        """Whose name or address begins with a text, as ResolveNames looks them up."""
        wanted = text.lower().removeprefix("smtp:").strip()
        return [person for person in self._people if wanted and any(_begins(key, wanted) for key in _keys(person))]


def _keys(person: Person) -> list[str]:
    return [person.address, *person.aliases, person.display_name, *person.display_name.split()]


def _begins(key: str, wanted: str) -> bool:
    return key.lower().startswith(wanted)
