"""Exports all typed values of this package, for the sources that map their responses to them."""

from shared.formats.common import Attachment, Body, Importance, Moment, Person, Sensitivity
from shared.formats.contact import (
    AddressKind,
    Contact,
    DistributionList,
    PartialDate,
    Phone,
    PhoneKind,
    PostalAddress,
)
from shared.formats.event import Attendee, BusyStatus, Event, Response, Role
from shared.formats.recurrence import EVERY_DAY, WEEKEND, WORKING_DAYS, Frequency, Recurrence, Weekday
from shared.formats.task import ChecklistItem, Link, Task, TaskStatus
from shared.formats.zone import PeriodsZone, RuleZone, TimeZone, YearlyChange

Document = Event | Contact | DistributionList | Task

__all__ = [
    "EVERY_DAY",
    "WEEKEND",
    "WORKING_DAYS",
    "AddressKind",
    "Attachment",
    "Attendee",
    "Body",
    "BusyStatus",
    "ChecklistItem",
    "Contact",
    "DistributionList",
    "Document",
    "Event",
    "Frequency",
    "Importance",
    "Link",
    "Moment",
    "PartialDate",
    "PeriodsZone",
    "Person",
    "Phone",
    "PhoneKind",
    "PostalAddress",
    "Recurrence",
    "Response",
    "Role",
    "RuleZone",
    "Sensitivity",
    "Task",
    "TaskStatus",
    "TimeZone",
    "Weekday",
    "YearlyChange",
]
