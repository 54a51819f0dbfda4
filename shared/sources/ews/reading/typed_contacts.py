"""Maps contacts, distribution lists and tasks as read to the typed values that their files are written from."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from shared.formats.placeholder_dates import birthday, known_day
from shared.formats.values.common import Person
from shared.formats.values.contact import (
    AddressKind,
    Contact,
    DistributionList,
    Phone,
    PhoneKind,
    PostalAddress,
)
from shared.formats.values.recurrence import Recurrence
from shared.formats.values.task import Task, TaskStatus
from shared.formats.zones.resolving import day_of_midnight
from shared.sources.ews.reading.attachments import with_contents
from shared.sources.ews.reading.typed_common import body, importance, person, sensitivity
from shared.sources.ews.transport.soap_response import parse_time

_PHONES = {
    "AssistantPhone": PhoneKind.ASSISTANT,
    "BusinessFax": PhoneKind.WORK_FAX,
    "BusinessPhone": PhoneKind.WORK,
    "BusinessPhone2": PhoneKind.WORK,
    "Callback": PhoneKind.CALLBACK,
    "CarPhone": PhoneKind.CAR,
    "CompanyMainPhone": PhoneKind.COMPANY,
    "HomeFax": PhoneKind.HOME_FAX,
    "HomePhone": PhoneKind.HOME,
    "HomePhone2": PhoneKind.HOME,
    "Isdn": PhoneKind.ISDN,
    "MobilePhone": PhoneKind.MOBILE,
    "OtherFax": PhoneKind.OTHER_FAX,
    "OtherTelephone": PhoneKind.OTHER,
    "Pager": PhoneKind.PAGER,
    "PrimaryPhone": PhoneKind.PRIMARY,
    "RadioPhone": PhoneKind.RADIO,
    "Telex": PhoneKind.TELEX,
    "TtyTddPhone": PhoneKind.TEXT,
}
_PLACES = {"Business": AddressKind.WORK, "Home": AddressKind.HOME}
_STATUSES = {
    "InProgress": TaskStatus.IN_PROGRESS,
    "Completed": TaskStatus.COMPLETED,
    "WaitingOnOthers": TaskStatus.WAITING,
    "Deferred": TaskStatus.DEFERRED,
}


def typed_contact(values: Mapping[str, Any], contents: Mapping[str, bytes]) -> Contact:
    """Map a contact; `contents` are the bytes of attachments by id.

    Exchange returns some values twice, as a property and as a part of the complete name; the property is preferred.
    """

    def text(name: str, part: str = "") -> str:
        return str(values.get(name) or values.get("name_parts", {}).get(part) or "")

    attachments, photo = with_contents(values.get("attachments", ()), contents)
    preferred = text("postal_address")
    return Contact(
        display_name=text("name"),
        full_name=text("", "FullName"),
        given_name=text("given_name", "FirstName"),
        middle_name=text("middle_name", "MiddleName"),
        surname=text("surname", "LastName"),
        prefix=text("", "Title"),
        suffix=text("generation", "Suffix"),
        initials=text("initials", "Initials"),
        nickname=text("nickname", "Nickname"),
        phonetic_given_name=text("", "YomiFirstName"),
        phonetic_surname=text("", "YomiLastName"),
        file_as=text("file_as"),
        emails=tuple(Person(address=address) for address in values.get("emails", ())),
        phones=tuple(Phone(number, _PHONES.get(key, PhoneKind.OTHER)) for key, number in _items(values, "phones")),
        addresses=tuple(_address(key, parts, preferred) for key, parts in _items(values, "addresses")),
        ims=tuple(address for _, address in _items(values, "im")),
        urls=tuple(filter(None, [text("home_page")])),
        company=text("company"),
        department=text("department"),
        office=text("office"),
        job_title=text("job_title"),
        profession=text("profession"),
        manager=text("manager"),
        assistant=text("assistant"),
        spouse=text("spouse"),
        children=tuple(values.get("children", ())),
        birthday=birthday(_day(values.get("birthday"))),
        anniversary=birthday(_day(values.get("anniversary"))),
        notes=body(values),
        photo=photo,
        attachments=attachments,
        categories=tuple(values.get("categories", ())),
        sensitivity=sensitivity(values),
        created=parse_time(values.get("created")),
        modified=parse_time(values.get("modified")),
    )


def typed_list(values: Mapping[str, Any], contents: Mapping[str, bytes]) -> DistributionList:
    """Map a distribution list; `contents` are the bytes of attachments by id."""
    return DistributionList(
        name=values.get("name") or values.get("subject", ""),
        members=tuple(person(member) for member in values.get("members", ())),
        notes=body(values),
        attachments=with_contents(values.get("attachments", ()), contents)[0],
        categories=tuple(values.get("categories", ())),
        sensitivity=sensitivity(values),
        created=parse_time(values.get("created")),
        modified=parse_time(values.get("modified")),
    )


def typed_task(values: Mapping[str, Any], recurrence: Recurrence | None, contents: Mapping[str, bytes]) -> Task:
    """Map a task; `contents` are the bytes of attachments by id. Exchange stores its days as times at midnight."""
    return Task(
        subject=values.get("subject", ""),
        body=body(values),
        start=known_day(_day(values.get("start"))),
        due=known_day(_day(values.get("due"))),
        completed=_known_time(values.get("completed")),
        status=_STATUSES.get(values.get("status", ""), TaskStatus.NOT_STARTED),
        percent=values.get("percent", 0),
        importance=importance(values),
        sensitivity=sensitivity(values),
        categories=tuple(values.get("categories", ())),
        owner=values.get("owner", ""),
        recurrence=recurrence,
        reminder=_known_time(values.get("reminder_at")) if values.get("reminder") else None,
        attachments=with_contents(values.get("attachments", ()), contents)[0],
        created=parse_time(values.get("created")),
        modified=parse_time(values.get("modified")),
    )


def _items(values: Mapping[str, Any], name: str) -> list[tuple[str, Any]]:
    return list(values.get(name, {}).items())


def _address(key: str, parts: Mapping[str, str], preferred: str) -> PostalAddress:
    return PostalAddress(
        is_preferred=key == preferred,
        kind=_PLACES.get(key, AddressKind.OTHER),
        street=parts.get("Street", ""),
        city=parts.get("City", ""),
        state=parts.get("State", ""),
        postal_code=parts.get("PostalCode", ""),
        country=parts.get("CountryOrRegion", ""),
    )


def _day(text: str | None) -> date | None:
    """The day for a midnight of an unknown zone, given in UTC; None beyond the range of dates."""
    at = parse_time(text)
    try:
        return day_of_midnight(at) if at else None
    except OverflowError:
        return None


def _known_time(text: str | None) -> datetime | None:
    at = parse_time(text)
    return at if at is not None and known_day(at.date()) else None
