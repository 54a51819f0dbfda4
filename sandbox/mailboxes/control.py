"""The control port's routes for mailboxes: snapshots, changes, and incidents.

All are below /mailboxes/{address}. Bodies and answers are JSON, except where a message's own bytes are sent.
"""

import base64
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web

from sandbox.mailboxes.default_folders import add_archive
from sandbox.mailboxes.editor import KINDS, MailboxEditor
from sandbox.mailboxes.fragments import escape
from sandbox.mailboxes.incidents import answer_empty, invalidate_states, recreate
from sandbox.mailboxes.item_parts import Attachment, ChecklistItem, Corruption
from sandbox.mailboxes.mailbox_store import MailboxStore
from sandbox.mailboxes.samples import item_samples, message_samples
from sandbox.mailboxes.snapshot import item_snapshot, snapshot
from sandbox.mailboxes.store import Folder, Item, Mailbox

type Body = Mapping[str, Any]
type Command = Callable[[Mailbox, Body], object]

_MARKS = {"exact": "exact", "second": "second", "one second": "second", "absent": "absent"}


class MailboxControl:
    """The handlers of the routes."""

    def __init__(self, store: MailboxStore) -> None:
        self._store = store

    def mailbox(self, request: web.Request) -> Mailbox:
        """The mailbox that a request's path names."""
        mailbox = self._store.find(request.match_info["address"])
        if mailbox is None:
            raise web.HTTPNotFound(reason="no such mailbox")
        return mailbox

    async def snapshot(self, request: web.Request) -> web.Response:
        """Every folder and item."""
        return web.json_response(snapshot(self.mailbox(request)))

    async def message(self, request: web.Request) -> web.Response:
        """Deliver a message; the request's body is its MIME."""
        mailbox = self.mailbox(request)
        item = message_samples.message(await request.read(), request.query.get("item_class", ""))
        item.is_read = request.query.get("read") == "true"
        folder = _folder(mailbox, request.query.get("folder", "inbox"))
        return web.json_response(item_snapshot(mailbox.insert(folder, item)), status=201)

    def command(self, run: Command) -> Callable[[web.Request], Awaitable[web.Response]]:
        """The handler of one command."""

        async def handle(request: web.Request) -> web.Response:
            return web.json_response(run(self.mailbox(request), await _body(request)))

        return handle


def routes(store: MailboxStore, more: Mapping[str, Command] | None = None) -> list[web.RouteDef]:
    """Every route. `more`: commands of a protocol, by the last part of the path."""
    at, control = "/mailboxes/{address}", MailboxControl(store)
    commands = {**_COMMANDS, **(more or {})}
    posts = [web.post(f"{at}/{name}", control.command(run)) for name, run in commands.items()]
    return [web.get(f"{at}/truth", control.snapshot), web.post(f"{at}/messages", control.message), *posts]


async def _body(request: web.Request) -> Body:
    """A request's JSON object merged with its query parameters."""
    text = await request.text()
    try:
        body = json.loads(text) if text.strip() else {}
    except ValueError:
        raise web.HTTPBadRequest(reason="the body is not JSON") from None
    if not isinstance(body, dict):
        raise web.HTTPBadRequest(reason="a JSON object is expected")
    return {**request.query, **body}


def _folder(mailbox: Mailbox, path: str) -> Folder:
    """A folder by path or distinguished name; missing folders below an existing one are created."""
    try:
        return mailbox.at_path(path)
    except KeyError:
        above, _, name = path.rpartition("/")
        parent = _folder(mailbox, above) if above else mailbox.top()
        return mailbox.add_folder(parent, name.replace("%2F", "/"))


def sample_item(mailbox: Mailbox, body: Body) -> object:
    """Add an item other than mail: a sample of a `kind`."""
    return place_item(mailbox, body, _sample(mailbox, body))


def place_item(mailbox: Mailbox, body: Body, item: Item) -> object:
    """Put an item into the folder that the body names, else into its kind's default folder; returns its snapshot."""
    homes = {"CalendarItem": "calendar", "Task": "tasks", "Contact": "contacts", "DistributionList": "contacts"}
    folder = _folder(mailbox, str(body.get("folder") or homes.get(item.element, "inbox")))
    return item_snapshot(mailbox.insert(folder, item))


def _sample(mailbox: Mailbox, body: Body) -> Item:
    kind = str(body.get("kind", "event"))
    if kind not in item_samples.MAKERS:
        raise web.HTTPBadRequest(reason=f"kind must be one of {', '.join(item_samples.MAKERS)}")
    item = item_samples.MAKERS[kind](mailbox.clock())
    for name in ("Subject", "Sensitivity"):
        if name.lower() in body:
            item.properties[name] = f"<t:{name}>{escape(str(body[name.lower()]))}</t:{name}>"
    return item


def _generate(mailbox: Mailbox, body: Body) -> object:
    """Add many synthetic messages quickly: `count` of `size` bytes each."""
    folder, started = _folder(mailbox, str(body.get("folder") or "inbox")), time.perf_counter()
    count, size, now = int(body.get("count", 1000)), int(body.get("size", 20_000)), mailbox.clock()
    first = mailbox.sequence
    for number in range(count):
        mailbox.insert(folder, message_samples.synthetic(first + number, size, now), now=now)
    return {"folder_id": folder.id, "count": count, "seconds": round(time.perf_counter() - started, 3)}


def _change(mailbox: Mailbox, body: Body) -> object:
    """Make random changes, of the named kinds or of all; the answer lists them."""
    kinds = body.get("kinds") or body.get("kind") or []
    kinds = kinds.split(",") if isinstance(kinds, str) else list(kinds)
    if unknown := set(kinds) - set(KINDS):
        raise web.HTTPBadRequest(reason=f"unknown kinds {sorted(unknown)}; known are {', '.join(KINDS)}")
    seed = int(body.get("seed", mailbox.sequence))
    return {"changes": MailboxEditor(mailbox, seed).change(kinds, int(body.get("count", 1))), "seed": seed}


def _corrupt(mailbox: Mailbox, body: Body) -> object:
    """Make GetItem fail for an item: the named one, else the first of a folder. An empty `code` ends it."""
    item = mailbox.items.get(str(body.get("id", "")))
    if item is None:
        found = _folder(mailbox, str(body.get("folder") or "inbox")).items
        item = next((one for one in found.values() if one.corruption is None), None)
    if item is None:
        raise web.HTTPNotFound(reason="no such item")
    code, times = str(body.get("code", "ErrorItemCorrupt")), body.get("times")
    item.corruption = Corruption(code, int(times) if times is not None else None) if code else None
    return item_snapshot(item)


def _invalidate(mailbox: Mailbox, body: Body) -> object:
    invalidate_states(mailbox)
    return {}


def _recreate(mailbox: Mailbox, body: Body) -> object:
    recreate(mailbox)
    return {"items": len(mailbox.items)}


def _answer_empty(mailbox: Mailbox, body: Body) -> object:
    """`how`: items (folders without items), folders (no folders at all) or off."""
    how = str(body.get("how", "items"))
    if how not in ("items", "folders", "off"):
        raise web.HTTPBadRequest(reason="how must be items, folders or off")
    answer_empty(mailbox, how)
    return {"how": how, "set_aside": sum(map(len, mailbox.set_aside.values()))}


def _move_in_progress(mailbox: Mailbox, body: Body) -> object:
    mailbox.moving = body.get("on", True) not in (False, "false", "0", 0)
    return {"on": mailbox.moving}


def _marks(mailbox: Mailbox, body: Body) -> object:
    """The resolution of 0x670A, a folder's last change: exact, second or absent."""
    resolution = _MARKS.get(str(body.get("resolution", "exact")))
    if resolution is None:
        raise web.HTTPBadRequest(reason="resolution must be exact, second or absent")
    mailbox.marks = resolution
    return {"resolution": resolution}


def _archive(mailbox: Mailbox, body: Body) -> object:
    """Give the mailbox an online archive with some messages in it."""
    top = add_archive(mailbox)
    folder = top.child("Kept") or mailbox.add_folder(top, "Kept")
    for number in range(int(body.get("messages", 0))):
        mailbox.insert(folder, message_samples.synthetic(900_000 + number, 4000, mailbox.clock()))
    return {"folder_id": folder.id, "items": folder.total}


def _grant(mailbox: Mailbox, body: Body) -> object:
    """Share a folder (`*`: all folders) with a person; `revoke` withdraws all shares."""
    to = str(body.get("to", "")).lower()
    if body.get("revoke"):
        mailbox.grants.pop(to, None)
        return {}
    named = str(body.get("folder") or "inbox")
    mailbox.grants.setdefault(to, set()).add(named if named == "*" else _folder(mailbox, named).id)
    return {"to": to, "folder": named}


def _attach(mailbox: Mailbox, body: Body) -> object:
    """Attach a file to an item other than mail: `name`, `content_type`, `content` (base64), `photo` (of a contact)."""
    item = _named(mailbox, body)
    content, kind = base64.b64decode(str(body.get("content", ""))), str(body.get("content_type", "text/plain"))
    photo = bool(body.get("photo"))
    item.attachments.append(Attachment(str(body.get("name", "file")), kind, content, is_photo=photo))
    name = "HasPicture" if photo else "HasAttachments"
    item.properties[name] = f"<t:{name}>true</t:{name}>"
    item.size = 0
    mailbox.touch(item)
    return item_snapshot(item)


def _checklist(mailbox: Mailbox, body: Body) -> object:
    """Set a task's checklist: `steps`, a list of objects with `name` and `checked`."""
    item = _named(mailbox, body)
    item.checklist = [ChecklistItem(str(one["name"]), bool(one.get("checked"))) for one in body.get("steps", [])]
    mailbox.touch(item)
    return item_snapshot(item)


def _named(mailbox: Mailbox, body: Body) -> Item:
    item = mailbox.items.get(str(body.get("id", "")))
    if item is None:
        raise web.HTTPNotFound(reason="no such item")
    return item


_COMMANDS: dict[str, Command] = {
    "items": sample_item,
    "attach": _attach,
    "checklist": _checklist,
    "generate": _generate,
    "change": _change,
    "corrupt-item": _corrupt,
    "invalidate-sync-states": _invalidate,
    "recreate": _recreate,
    "answer-empty": _answer_empty,
    "move-in-progress": _move_in_progress,
    "marks": _marks,
    "archive": _archive,
    "grant": _grant,
}
"""The commands on a mailbox, by the last part of the path."""
