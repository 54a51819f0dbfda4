"""The entities of To Do: lists, tasks, their steps, their files.

Source: learn.microsoft.com/graph/api/resources/todotask. A task has no extended properties, no change key and no search
key: its version is the entity tag alone.
"""

import base64
from dataclasses import dataclass

from sandbox.graph.views.attachment import Attached
from sandbox.graph.views.entity import Context, Entity, html_body, lower_first, parts, stamp, texts
from sandbox.graph.views.recurrence import recurrence
from sandbox.graph.wire import times
from sandbox.graph.wire.ids import rest_id
from sandbox.graph.wire.request import Json
from sandbox.graph.wire.spelling import change_key, saved
from sandbox.mailboxes import ids
from sandbox.mailboxes.calendar.events import pattern_of
from sandbox.mailboxes.fragments import read_when
from sandbox.mailboxes.item_parts import ChecklistItem
from sandbox.mailboxes.items import content
from sandbox.mailboxes.store import Folder, Item, Mailbox


def is_task_folder(folder: Folder) -> bool:
    """Whether a folder is a task list."""
    return folder.folder_class == "IPF.Task" or folder.folder_class.startswith("IPF.Task.")


def is_task(item: Item) -> bool:
    """Whether an item is a task."""
    return item.element == "Task"


def is_flagged(item: Item) -> bool:
    """Whether a message is flagged: the list flaggedEmails mirrors these."""
    return parts(item.properties.get("Flag", "")).get("FlagStatus") == "Flagged"


def flagged_list_id(mailbox: Mailbox) -> str:
    """The id of the list that mirrors flagged mail; no folder stands behind it."""
    return rest_id(ids.ews_id(mailbox.guid, ids.folder_entry(mailbox.store, 0xF1A66ED)))


LIST: Entity[Folder] = Entity(
    name="todoTaskList",
    properties={
        "id": lambda folder, context: rest_id(folder.id),
        "displayName": lambda folder, context: folder.name,
        "isOwner": lambda folder, context: True,
        "isShared": lambda folder, context: bool(folder.mailbox.grants),
        "wellknownListName": lambda folder, context: "defaultList" if folder.distinguished == "tasks" else "none",
    },
    etag=lambda folder: change_key(folder.change_key),
)


def flagged_list(mailbox: Mailbox) -> Json:
    """The list of flagged mail."""
    return {
        "id": flagged_list_id(mailbox),
        "displayName": "Flagged Emails",
        "isOwner": True,
        "isShared": False,
        "wellknownListName": "flaggedEmails",
    }


def _time(item: Item, name: str, context: Context) -> Json | None:
    text = item.text(name)
    return times.zoned(read_when(text), context.prefer) if text else None


def _body(item: Item, context: Context) -> Json:
    plain, html = content.bodies(item, item.properties.get("Body", ""))
    return html_body(html, plain, context.prefer)


def _completed(item: Item, context: Context) -> Json | None:
    return _time(item, "CompleteDate", context) if item.text("Status") == "Completed" else None


TASK: Entity[Item] = Entity(
    name="todoTask",
    properties={
        "id": lambda item, context: rest_id(item.id),
        "importance": lambda item, context: lower_first(item.text("Importance", "Normal")),
        "isReminderOn": lambda item, context: item.text("ReminderIsSet") == "true",
        "status": lambda item, context: lower_first(item.text("Status", "NotStarted")),
        "title": lambda item, context: item.text("Subject"),
        "createdDateTime": lambda item, context: stamp(item.created),
        "lastModifiedDateTime": lambda item, context: stamp(saved(item.modified)),
        "bodyLastModifiedDateTime": lambda item, context: stamp(item.modified),
        "hasAttachments": lambda item, context: bool(item.attachments),
        "categories": lambda item, context: texts(item.properties.get("Categories", "")),
        "body": _body,
        "startDateTime": lambda item, context: _time(item, "StartDate", context),
        "dueDateTime": lambda item, context: _time(item, "DueDate", context),
        "completedDateTime": _completed,
        "reminderDateTime": lambda item, context: _time(item, "ReminderDueBy", context),
        "recurrence": lambda item, context: recurrence(pattern_of(item), "UTC") if is_task(item) else None,
    },
    etag=lambda item: change_key(item.change_key),
)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a task, and which of them it is."""

    task: Item
    number: int
    step: ChecklistItem


CHECKLIST_ITEM: Entity[Step] = Entity(
    name="checklistItem",
    properties={
        "id": lambda one, context: f"{one.task.immutable_key.hex()}{one.number:04x}",
        "displayName": lambda one, context: one.step.name,
        "createdDateTime": lambda one, context: stamp(one.task.created),
        "isChecked": lambda one, context: one.step.is_checked,
        "checkedDateTime": lambda one, context: stamp(one.task.modified) if one.step.is_checked else None,
    },
)

TASK_FILE: Entity[Attached] = Entity(
    name="taskFileAttachment",
    properties={
        "id": lambda one, context: one.id,
        "lastModifiedDateTime": lambda one, context: stamp(one.item.modified),
        "name": lambda one, context: one.file.name,
        "contentType": lambda one, context: one.file.content_type,
        "size": lambda one, context: len(one.file.content),
        "contentBytes": lambda one, context: base64.b64encode(one.file.content).decode(),
    },
    hidden=frozenset({"contentBytes"}),
    odata_type=lambda one: "taskFileAttachment",
)
"""A list of them has no contents; one by itself has."""
