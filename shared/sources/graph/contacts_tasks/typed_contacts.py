"""Maps decoded contacts to the typed contacts that their files are written from."""

from collections.abc import Mapping
from datetime import date

from shared.formats.placeholder_dates import birthday
from shared.formats.values.common import Attachment, Body, Person, Sensitivity
from shared.formats.values.contact import AddressKind, Contact, Phone, PostalAddress
from shared.formats.zones.resolving import day_of_midnight
from shared.sources.graph.contacts_tasks.contacts import PHONES, GraphContact, contact_values
from shared.sources.graph.transport.answers import moment

_PLACES = {"Business": AddressKind.WORK, "Home": AddressKind.HOME}
_SENSITIVITIES = {each.value.capitalize(): each for each in Sensitivity}


def typed_contact(contact: GraphContact, photo: Attachment | None) -> Contact:
    """Return the typed contact."""
    values = contact_values(contact)

    def text(name: str) -> str:
        return str(values.get(name) or "")

    return Contact(
        display_name=text("name"),
        full_name=contact.display_name or "",
        given_name=text("given_name"),
        middle_name=text("middle_name"),
        surname=text("surname"),
        prefix=contact.title or "",
        suffix=text("generation"),
        initials=text("initials"),
        nickname=text("nickname"),
        phonetic_given_name=contact.yomi_given_name or "",
        phonetic_surname=contact.yomi_surname or "",
        phonetic_company=contact.yomi_company_name or "",
        file_as=text("file_as"),
        emails=tuple(Person(address=address) for address in values["emails"]),
        phones=tuple(Phone(each, PHONES[name][1]) for name, each in values["phones"].items()),
        addresses=tuple(
            _postal(name, parts, is_preferred=name == values["postal_address"])
            for name, parts in values["addresses"].items()
        ),
        ims=tuple(values["im"].values()),
        urls=tuple(filter(None, [text("home_page")])),
        company=text("company"),
        department=text("department"),
        office=text("office"),
        job_title=text("job_title"),
        profession=text("profession"),
        manager=text("manager"),
        assistant=text("assistant"),
        spouse=text("spouse"),
        children=tuple(contact.children or ()),
        birthday=birthday(_day(values["birthday"])),
        anniversary=birthday(_day(values["anniversary"])),
        notes=Body(text=contact.personal_notes or ""),
        photo=photo,
        categories=tuple(contact.categories or ()),
        sensitivity=_SENSITIVITIES.get(values["sensitivity"], Sensitivity.NORMAL),
        created=moment(contact.created_date_time),
        modified=moment(contact.last_modified_date_time),
    )


def _postal(name: str, parts: Mapping[str, str], *, is_preferred: bool) -> PostalAddress:
    return PostalAddress(
        kind=_PLACES.get(name, AddressKind.OTHER),
        street=parts.get("Street", ""),
        city=parts.get("City", ""),
        state=parts.get("State", ""),
        postal_code=parts.get("PostalCode", ""),
        country=parts.get("CountryOrRegion", ""),
        is_preferred=is_preferred,
    )


def _day(text: str) -> date | None:
    """Return the day of a time that is midnight in an unknown zone, given in UTC; None if it is out of range."""
    at = moment(text)
    try:
        return day_of_midnight(at) if at else None
    except OverflowError:
        return None
