"""The paths that are served, what each needs of a token, and who answers it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sandbox.graph.call import Call
from sandbox.graph.resources import attachments, calendars, contacts, mail_folders, messages, todo, users
from sandbox.graph.wire.errors import GraphError
from sandbox.graph.wire.request import GraphResponse

type Handler = Callable[..., GraphResponse]


@dataclass(frozen=True, slots=True)
class Route:
    """One path below the owner (`me` or `users/{id}`). `operation` names it for faults and counts."""

    method: str
    template: tuple[str, ...]
    area: str
    handler: Handler
    operation: str

    def match(self, segments: tuple[str, ...]) -> dict[str, str] | None:
        """The keys that a path gives, None where it is another one."""
        if len(segments) != len(self.template):
            return None
        keys = {}
        for wanted, given in zip(self.template, segments, strict=True):
            if wanted.startswith("{"):
                keys[wanted[1:-1]] = given
            elif wanted.lower() != given.lower():
                return None
        return keys

    def answer(self, call: Call, keys: Mapping[str, str]) -> GraphResponse:
        """Answer one request."""
        return self.handler(call, **keys)


def _get(path: str, area: str, handler: Handler, operation: str = "") -> Route:
    template = tuple(part for part in path.split("/") if part)
    return Route("GET", template, area, handler, operation or f"GET {path}")


MAIL = (
    _get("mailFolders", "mail", mail_folders.list_folders),
    _get("mailFolders/delta", "mail", mail_folders.delta),
    _get("mailFolders/{folder}", "mail", mail_folders.get_folder),
    _get("mailFolders/{folder}/childFolders", "mail", mail_folders.list_children),
    _get("mailFolders/{folder}/messages/delta", "mail", messages.delta, "GET messages/delta"),
    _get("mailFolders/{folder}/messages", "mail", messages.list_messages, "GET messages"),
    _get("mailFolders/{folder}/messages/{item}", "mail", messages.get_message, "GET messages/{item}"),
    _get("mailFolders/{folder}/messages/{item}/$value", "mail", messages.get_mime, "GET messages/{item}/$value"),
    _get("messages", "mail", messages.list_messages),
    _get("messages/{item}", "mail", messages.get_message),
    _get("messages/{item}/$value", "mail", messages.get_mime),
    _get("messages/{item}/attachments", "mail", attachments.of_message),
    _get("messages/{item}/attachments/{attachment}", "mail", attachments.one_of_message),
    _get("messages/{item}/attachments/{attachment}/$value", "mail", attachments.content_of_message),
)

CALENDARS = (
    _get("calendars", "calendar", calendars.list_calendars),
    _get("calendar", "calendar", calendars.get_calendar, "GET calendars/{calendar}"),
    _get("calendars/{calendar}", "calendar", calendars.get_calendar),
    _get("events", "calendar", calendars.list_events),
    _get("calendar/events", "calendar", calendars.list_events, "GET events"),
    _get("calendars/{calendar}/events", "calendar", calendars.list_events, "GET events"),
    _get("events/delta", "calendar", calendars.delta),
    _get("calendar/events/delta", "calendar", calendars.delta, "GET events/delta"),
    _get("calendars/{calendar}/events/delta", "calendar", calendars.delta, "GET events/delta"),
    _get("events/{item}", "calendar", calendars.get_event),
    _get("calendar/events/{item}", "calendar", calendars.get_event, "GET events/{item}"),
    _get("calendars/{calendar}/events/{item}", "calendar", calendars.get_event, "GET events/{item}"),
    _get("events/{item}/instances", "calendar", calendars.list_instances),
    _get("calendarView", "calendar", calendars.calendar_view),
    _get("calendar/calendarView", "calendar", calendars.calendar_view, "GET calendarView"),
    _get("calendars/{calendar}/calendarView", "calendar", calendars.calendar_view, "GET calendarView"),
    _get("events/{item}/attachments", "calendar", calendars.list_attachments),
    _get("events/{item}/attachments/{attachment}", "calendar", calendars.get_attachment),
    _get("events/{item}/attachments/{attachment}/$value", "calendar", calendars.get_attachment_content),
)

CONTACTS = (
    _get("contactFolders", "contacts", contacts.list_folders),
    _get("contactFolders/delta", "contacts", contacts.folders_delta),
    _get("contactFolders/{folder}", "contacts", contacts.get_folder),
    _get("contactFolders/{folder}/childFolders", "contacts", contacts.list_children),
    _get("contacts", "contacts", contacts.list_contacts),
    _get("contactFolders/{folder}/contacts", "contacts", contacts.list_contacts, "GET contacts"),
    _get("contacts/delta", "contacts", contacts.delta),
    _get("contactFolders/{folder}/contacts/delta", "contacts", contacts.delta, "GET contacts/delta"),
    _get("contacts/{item}", "contacts", contacts.get_contact),
    _get("contactFolders/{folder}/contacts/{item}", "contacts", contacts.get_contact, "GET contacts/{item}"),
    _get("contacts/{item}/photo", "contacts", contacts.get_photo),
    _get("contacts/{item}/photo/$value", "contacts", contacts.get_photo_content),
    _get(
        "contactFolders/{folder}/contacts/{item}/photo/$value",
        "contacts",
        contacts.get_photo_content,
        "GET contacts/{item}/photo/$value",
    ),
)

_TASK = "todo/lists/{tasks}/tasks/{item}"

TODO = (
    _get("todo/lists", "tasks", todo.list_lists),
    _get("todo/lists/delta", "tasks", todo.lists_delta),
    _get("todo/lists/{tasks}", "tasks", todo.get_list),
    _get("todo/lists/{tasks}/tasks", "tasks", todo.list_tasks, "GET tasks"),
    _get("todo/lists/{tasks}/tasks/delta", "tasks", todo.tasks_delta, "GET tasks/delta"),
    _get(_TASK, "tasks", todo.get_task, "GET tasks/{item}"),
    _get(f"{_TASK}/checklistItems", "tasks", todo.list_steps, "GET tasks/{item}/checklistItems"),
    _get(f"{_TASK}/linkedResources", "tasks", todo.list_links, "GET tasks/{item}/linkedResources"),
    _get(f"{_TASK}/attachments", "tasks", todo.list_files, "GET tasks/{item}/attachments"),
    _get(f"{_TASK}/attachments/{{attachment}}", "tasks", todo.get_file, "GET tasks/{item}/attachments/{attachment}"),
    _get(
        f"{_TASK}/attachments/{{attachment}}/$value",
        "tasks",
        todo.get_file_content,
        "GET tasks/{item}/attachments/{attachment}/$value",
    ),
)

USERS = (
    _get("", "user", users.get_user, "GET user"),
    Route("POST", ("translateExchangeIds",), "user", users.translate_ids, "POST translateExchangeIds"),
)

ROUTES = (*USERS, *MAIL, *CALENDARS, *CONTACTS, *TODO)


def find(method: str, segments: tuple[str, ...]) -> tuple[Route, dict[str, str]]:
    """The route of a path. Raises GraphError."""
    fitting = [(route, keys) for route in ROUTES if (keys := route.match(segments)) is not None]
    if not fitting:
        named = segments[-1] if segments else ""
        raise GraphError(400, "BadRequest", f"Resource not found for the segment '{named}'.")
    for route, keys in fitting:
        if route.method == method:
            return route, keys
    raise GraphError(405, "BadRequest", "Specified HTTP method is not allowed for the request target.")
