"""Everything that the sandbox's Graph serves is in Microsoft's metadata, and all that it leaves out is listed here."""

from typing import Any

import pytest

from sandbox.graph.views.attachment import ATTACHMENT
from sandbox.graph.views.calendar import CALENDAR
from sandbox.graph.views.contact import CONTACT, CONTACT_FOLDER
from sandbox.graph.views.entity import Entity
from sandbox.graph.views.event import EVENT
from sandbox.graph.views.mail_folder import MAIL_FOLDER
from sandbox.graph.views.message import MESSAGE
from sandbox.graph.views.todo import CHECKLIST_ITEM, LIST, TASK, TASK_FILE
from tests.contract.graph_metadata import load

ENTITIES: list[Entity[Any]] = [
    ATTACHMENT, CALENDAR, CHECKLIST_ITEM, CONTACT, CONTACT_FOLDER, EVENT, LIST, MAIL_FOLDER, MESSAGE, TASK, TASK_FILE,
]  # fmt: skip

LEFT_OUT = {
    "calendar": {"calendarPermissions", "calendarView", "events"},
    "contact": {"extensions"},
    "contactFolder": {"childFolders", "contacts"},
    "event": {"calendar", "extensions", "instances"},
    "mailFolder": {"messageRules", "messages"},
    "message": {"extensions"},
    "todoTask": {"attachments", "attachmentSessions", "checklistItems", "extensions", "linkedResources"},
    "todoTaskList": {"extensions", "tasks"},
}
"""Navigation properties that have a separate path or that no code here reads."""


@pytest.mark.parametrize("entity", ENTITIES, ids=lambda entity: str(entity.name))
def test_every_property_is_microsoft_s(entity: Entity[Any]) -> None:
    served = {*entity.properties, *entity.navigation} - set(entity.derived)
    known = set(load().properties(entity.name))
    assert served <= known
    assert known - served == LEFT_OUT.get(entity.name, set())


@pytest.mark.parametrize("entity", [ATTACHMENT, MESSAGE], ids=lambda entity: str(entity.name))
def test_every_derived_property_is_its_type_s(entity: Entity[Any]) -> None:
    for name, kind in entity.derived.items():
        assert name in load().properties(kind)


def test_the_check_sees_what_is_wrong() -> None:
    wrong = {"id": "1", "nothing": 1, "isRead": "yes", "importance": "urgent", "from": {"emailAddress": {"at": ""}}}
    problems = list(load().problems(wrong, "message"))
    assert len(problems) == 4
    assert list(load().problems({"id": None}, "message")) == [".id: null is not allowed"]
