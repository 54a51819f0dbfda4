"""The typed values of contacts and distribution lists."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.formats.values.common import NO_BODY, Attachment, Body, Person, Sensitivity


class PhoneKind(StrEnum):
    """What a telephone number is for."""

    WORK = "work"
    WORK_FAX = "work_fax"
    COMPANY = "company"
    ASSISTANT = "assistant"
    """The assistant's number, not the contact's own."""
    HOME = "home"
    HOME_FAX = "home_fax"
    MOBILE = "mobile"
    CAR = "car"
    PAGER = "pager"
    PRIMARY = "primary"
    CALLBACK = "callback"
    RADIO = "radio"
    ISDN = "isdn"
    TELEX = "telex"
    TEXT = "text"
    """A text telephone (TTY/TDD)."""
    OTHER_FAX = "other_fax"
    OTHER = "other"


class AddressKind(StrEnum):
    """What a postal address is for."""

    WORK = "work"
    HOME = "home"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class PartialDate:
    """A date whose year may be unknown, such as a birthday."""

    month: int
    day: int
    year: int | None = None


@dataclass(frozen=True, slots=True)
class Phone:
    """A telephone number as it was entered."""

    number: str
    kind: PhoneKind = PhoneKind.OTHER


@dataclass(frozen=True, slots=True)
class PostalAddress:
    """A postal address."""

    kind: AddressKind = AddressKind.OTHER
    street: str = ""
    """May have several lines."""
    city: str = ""
    state: str = ""
    postal_code: str = ""
    country: str = ""
    post_office_box: str = ""
    is_preferred: bool = False
    """Whether letters are sent to this address."""


@dataclass(frozen=True, slots=True)
class Contact:
    """A person or a company in an address book."""

    display_name: str = ""
    full_name: str = ""
    """The name as the source composes it from its parts."""
    given_name: str = ""
    middle_name: str = ""
    surname: str = ""
    prefix: str = ""
    """A title before the name (Dr)."""
    suffix: str = ""
    """A suffix after the name (Jr., III)."""
    initials: str = ""
    nickname: str = ""
    phonetic_given_name: str = ""
    """The pronunciation of the name in a phonetic script (Yomi)."""
    phonetic_surname: str = ""
    phonetic_company: str = ""
    file_as: str = ""
    """The name that the contact is sorted by."""
    emails: tuple[Person, ...] = ()
    """Mail addresses in the source's order, each with its display name if it has one."""
    phones: tuple[Phone, ...] = ()
    addresses: tuple[PostalAddress, ...] = ()
    ims: tuple[str, ...] = ()
    """Instant-messaging addresses, with or without a scheme."""
    urls: tuple[str, ...] = ()
    company: str = ""
    department: str = ""
    office: str = ""
    job_title: str = ""
    profession: str = ""
    manager: str = ""
    assistant: str = ""
    spouse: str = ""
    children: tuple[str, ...] = ()
    birthday: PartialDate | None = None
    anniversary: PartialDate | None = None
    notes: Body = NO_BODY
    photo: Attachment | None = None
    attachments: tuple[Attachment, ...] = ()
    categories: tuple[str, ...] = ()
    sensitivity: Sensitivity = Sensitivity.NORMAL
    created: datetime | None = None
    modified: datetime | None = None


@dataclass(frozen=True, slots=True)
class DistributionList:
    """A group of people in an address book."""

    name: str = ""
    members: tuple[Person, ...] = ()
    """A member without a mail address (a nested list) has only a name."""
    notes: Body = NO_BODY
    attachments: tuple[Attachment, ...] = ()
    categories: tuple[str, ...] = ()
    sensitivity: Sensitivity = Sensitivity.NORMAL
    created: datetime | None = None
    modified: datetime | None = None
