"""The default people, one for each case worth trying, and people read from a file."""

import json
import uuid
from pathlib import Path

from sandbox.people.directory import OPERATOR_ROLE, Person, Tenant


def _tenant(name: str, **policy: str) -> Tenant:
    domain = f"{name.lower()}.example"
    return Tenant(str(uuid.uuid5(uuid.NAMESPACE_URL, f"tenant:{domain}")), name, domain, **policy)  # type: ignore[arg-type]


def tenants() -> list[Tenant]:
    """Contoso, the app's home tenant; Fabrikam, another tenant; Northwind, where administrators must approve apps."""
    return [_tenant("Contoso"), _tenant("Fabrikam"), _tenant("Northwind", consent="admin")]


def default_people(within: list[Tenant], messages: int | None = None) -> list[Person]:
    """One person for each case. `messages` is the size of Alex's mailbox; the others get a part of the corpus."""
    contoso, fabrikam, northwind = within

    def person(name: str, tenant: Tenant, notes: str, **more: object) -> Person:
        first = name.split(maxsplit=1)[0].lower()
        return Person(
            f"{first}@{tenant.domain}",
            f"sandbox-{first}",
            name,
            tenant.id,
            notes=notes,
            **more,  # type: ignore[arg-type]
        )

    return [
        person(
            "Alex Berg",
            contoso,
            "the biggest mailbox; also known as alexander@contoso.example",
            aliases=(f"alexander@{contoso.domain}",),
            messages=messages,
        ),
        person("Bo Lindqvist", contoso, "an ordinary mailbox", messages=200),
        person("Chris Okafor", contoso, "an ordinary mailbox", messages=150),
        person("Dana Weiss", contoso, "asked for a second factor after the first sign-in", mfa="step_up", messages=40),
        person("Erin Novak", contoso, "blocked by conditional access (AADSTS53003)", blocked=True, messages=20),
        person("Finn Aalto", contoso, "an empty mailbox", messages=0),
        person("Gray Silva", contoso, "no mailbox at all", has_mailbox=False),
        person(
            "Robin Castell",
            contoso,
            "administrator of Contoso, and operator of the app",
            administrator=True,
            roles=(OPERATOR_ROLE,),
            messages=20,
        ),
        person("Service Account", contoso, "service account that may impersonate", may_impersonate=True, messages=0),
        person(
            "Quinn Baker",
            contoso,
            "signs in with a name that is no mail address: quinn@corp.contoso.example",
            sign_in_name="quinn@corp.contoso.example",
            messages=20,
        ),
        person(
            "Pat Ito",
            contoso,
            "signs in with a secondary address, in other letter case: Pat.Ito@Contoso.example",
            sign_in_name="Pat.Ito@Contoso.example",
            aliases=("pat.ito@contoso.example",),
            messages=20,
        ),
        Person(
            "max@adatum.example",
            "sandbox-max",
            "Max Guest",
            contoso.id,
            has_mailbox=False,
            notes="a guest of Contoso; the mailbox is with another organization",
        ),
        person("Jo Marchetti", fabrikam, "somebody of another tenant", messages=60),
        person("Kim Andersen", northwind, "needs an administrator's approval", messages=60),
        person("Lee Haddad", northwind, "administrator of Northwind", administrator=True, messages=20),
    ]


def people_from(path: Path, tenant: Tenant) -> list[Person]:
    """The people in a JSON file: a list of objects with address and password, and any other field of Person.

    Raises:
        ValueError: an entry is wrong; the message says which one and why.
    """
    entries = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(entries, list):
        raise ValueError("the people file must hold a list of objects with address and password")
    return [person_from(entry, tenant, f"person {number}") for number, entry in enumerate(entries, start=1)]


def person_from(entry: object, tenant: Tenant, what: str = "person") -> Person:
    """One person from JSON; display name and all other fields are optional. Raises ValueError."""
    if not isinstance(entry, dict) or not all(isinstance(entry.get(k), str) for k in ("address", "password")):
        raise ValueError(f"{what} needs an address and a password")
    known = Person.__dataclass_fields__
    if unknown := set(entry) - set(known):
        raise ValueError(f"{what} has unknown fields: {', '.join(sorted(unknown))}")
    fields = {key: tuple(value) if key in ("aliases", "roles") else value for key, value in entry.items()}
    defaults = {"display_name": entry["address"].partition("@")[0].replace(".", " ").title(), "tenant_id": tenant.id}
    return Person(**(defaults | fields))
