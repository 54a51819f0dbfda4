"""To Do: lists, tasks, steps and files, with the deltas of lists and tasks.

Sources: learn.microsoft.com/graph/api/todo-list-lists, /todotasklist-delta, /todotask-delta,
/todotask-list-checklistitems, /taskfileattachment-get. The list flaggedEmails mirrors flagged mail and is no folder.
"""

from dataclasses import dataclass

from sandbox.graph.call import Call
from sandbox.graph.changes import DeltaResource, Options
from sandbox.graph.delta import Tracked
from sandbox.graph.resources.messages import fail_if_corrupt
from sandbox.graph.views.attachment import Attached, attached
from sandbox.graph.views.entity import Shape, stamp
from sandbox.graph.views.mail_folder import is_mail
from sandbox.graph.views.message import is_message
from sandbox.graph.views.todo import (
    CHECKLIST_ITEM,
    LIST,
    TASK,
    TASK_FILE,
    Step,
    flagged_list,
    flagged_list_id,
    is_flagged,
    is_task,
    is_task_folder,
)
from sandbox.graph.wire import ids
from sandbox.graph.wire.errors import not_found
from sandbox.graph.wire.filters import compile_filter, order
from sandbox.graph.wire.query import Query
from sandbox.graph.wire.request import GraphResponse, Json
from sandbox.mailboxes.store import Folder, Item
from sandbox.mailboxes.sync_log import MergedChanges

_LIST_OPTIONS = ("$select", "$filter", "$orderby", "$top", "$skip", "$count")
_FILTERS = {
    "title": lambda item: item.text("Subject"),
    "status": lambda item: item.text("Status", "NotStarted").lower(),
    "createdDateTime": lambda item: stamp(item.created),
    "lastModifiedDateTime": lambda item: stamp(item.modified),
}


def _lists(call: Call) -> list[Folder]:
    top, deleted = call.mailbox.top(), call.mailbox.distinguished["deleteditems"]
    return [one for one in top.below() if is_task_folder(one) and not one.hidden and not one.is_within(deleted)]


def list_lists(call: Call) -> GraphResponse:
    """Every list, with that of flagged mail."""
    call.query.allow("$top", "$skip", "$filter")
    shown = [LIST.default().show(folder, call.context) for folder in _lists(call)]
    found = [*shown, flagged_list(call.mailbox)]
    fits = compile_filter(call.query.text("$filter"), {"displayName": lambda one: one["displayName"]}, "todoTaskList")
    return call.listing("todo/lists", "todo/lists", [one for one in found if fits(one)], lambda one: one)


def lists_delta(call: Call) -> GraphResponse:
    """Every change of the lists since a token."""

    def shown(folder: Folder) -> bool:
        return folder in _lists(call)

    tracked = Tracked("todoLists", call.mailbox, call.mailbox.hierarchy, shown, lambda folder: "")
    resource: DeltaResource[Folder] = DeltaResource(
        path="todo/lists/delta",
        kind="todo/lists",
        what="TodoTaskLists",
        allowed=(),
        tracked=lambda options: tracked,
        show=lambda folder, options: LIST.default().show(folder, call.context),
        gone_id=lambda ews_id, folder: ids.rest_id(ews_id),
        first=lambda: [flagged_list(call.mailbox)],
    )
    return resource.answer(call, lambda: None)


def get_list(call: Call, tasks: str) -> GraphResponse:
    """One list."""
    call.query.allow("$select")
    found = _list(call, tasks)
    if found.folder is None:
        return call.entity("todo/lists", flagged_list(call.mailbox))
    return call.entity("todo/lists", LIST.shape(call.query).show(found.folder, call.context))


@dataclass(frozen=True, slots=True)
class _TaskList:
    """A list; `folder` None: the one of flagged mail."""

    id: str
    folder: Folder | None


def _list(call: Call, named: str) -> _TaskList:
    if named in (flagged_list_id(call.mailbox), "flaggedEmails"):
        return _TaskList(flagged_list_id(call.mailbox), None)
    folder = call.folder(named)
    if not is_task_folder(folder):
        raise not_found()
    return _TaskList(ids.rest_id(folder.id), folder)


def _path(tasks: _TaskList) -> str:
    return f"todo/lists('{tasks.id}')/tasks"


# Tasks


def _flagged(item: Item) -> bool:
    return is_message(item) and is_flagged(item)


def list_tasks(call: Call, tasks: str) -> GraphResponse:
    """The tasks of a list."""
    call.query.allow(*_LIST_OPTIONS)
    place, shape = _list(call, tasks), TASK.shape(call.query)
    fits = compile_filter(call.query.text("$filter"), _FILTERS, "todoTask")
    if place.folder is None:
        found = [item for item in call.mailbox.items.values() if _flagged(item) and fits(item)]
    else:
        found = [item for item in place.folder.items.values() if is_task(item) and fits(item)]
    found = order(found, call.query.text("$orderby"), _FILTERS, "todoTask")
    return call.listing(_path(place), _path(place), found, lambda item: shape.show(item, call.context))


def get_task(call: Call, tasks: str, item: str) -> GraphResponse:
    """One task."""
    call.query.allow("$select")
    shape, found = TASK.shape(call.query), _task(call, tasks, item)
    fail_if_corrupt(found)
    return call.entity(_path(_list(call, tasks)), shape.show(found, call.context))


def _task(call: Call, tasks: str, named: str) -> Item:
    place = _list(call, tasks)
    found = call.item(named, _flagged if place.folder is None else is_task)
    if place.folder is not None and found.folder is not place.folder:
        raise not_found()
    return found


def tasks_delta(call: Call, tasks: str) -> GraphResponse:
    """One page of what changed in a list."""
    place = _list(call, tasks)

    def show(item: Item, options: Options) -> Json:
        selected = Query((name, options[name]) for name in ("$select",) if name in options)
        return TASK.shape(selected).show(item, call.context)

    resource: DeltaResource[Item] = DeltaResource(
        path=f"{_path(place)}/delta",
        kind=_path(place),
        what="TodoTasks",
        allowed=("$select", "$top"),
        tracked=lambda options: _tracked(call, place),
        show=show,
        gone_id=lambda ews_id, item: ids.rest_id(ews_id),
    )
    return resource.answer(call, lambda: TASK.shape(call.query))


def _tracked(call: Call, place: _TaskList) -> Tracked[Item]:
    if place.folder is not None:
        folder = place.folder
        return Tracked(f"tasks {folder.id}", folder.mailbox, folder.log, is_task, lambda item: "")
    mail: MergedChanges[Item] = MergedChanges(one.log for one in call.mailbox.top().below() if is_mail(one))
    return Tracked("tasks flagged", call.mailbox, mail, _flagged, lambda item: "")


# Steps, links and files


def list_steps(call: Call, tasks: str, item: str) -> GraphResponse:
    """A task's checklist."""
    call.query.allow("$top", "$skip")
    found, path = _task(call, tasks, item), f"{_path(_list(call, tasks))}('{item}')/checklistItems"
    steps = [Step(found, number, step) for number, step in enumerate(found.checklist)]
    return call.listing(path, path, steps, lambda one: CHECKLIST_ITEM.default().show(one, call.context))


def list_links(call: Call, tasks: str, item: str) -> GraphResponse:
    """What a task is linked to: nothing here."""
    call.query.allow("$top", "$skip")
    _task(call, tasks, item)
    path = f"{_path(_list(call, tasks))}('{item}')/linkedResources"
    none: list[Json] = []
    return call.listing(path, path, none, lambda one: one)


def list_files(call: Call, tasks: str, item: str) -> GraphResponse:
    """A task's files, without their contents."""
    call.query.allow("$top", "$skip")
    path, found = f"{_path(_list(call, tasks))}('{item}')/attachments", attached(_task(call, tasks, item))
    return call.listing(path, path, found, lambda one: TASK_FILE.default().show(one, call.context))


def get_file(call: Call, tasks: str, item: str, attachment: str) -> GraphResponse:
    """One file of a task with its content."""
    call.query.allow()
    shape = Shape(TASK_FILE, tuple(TASK_FILE.properties), {})
    path = f"{_path(_list(call, tasks))}('{item}')/attachments"
    return call.entity(path, shape.show(_file(call, tasks, item, attachment), call.context))


def get_file_content(call: Call, tasks: str, item: str, attachment: str) -> GraphResponse:
    """The bytes of a file of a task."""
    call.query.allow()
    found = _file(call, tasks, item, attachment)
    return GraphResponse(200, found.file.content, {"Content-Type": found.file.content_type})


def _file(call: Call, tasks: str, item: str, named: str) -> Attached:
    found = next((one for one in attached(_task(call, tasks, item)) if one.id == named), None)
    if found is None:
        raise not_found()
    return found
