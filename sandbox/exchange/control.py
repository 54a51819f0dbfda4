"""The control port's routes for mailboxes: read back the truth, change things, make trouble.

All below /mailboxes/{address}; bodies and answers are JSON except where a message's own bytes are sent.
"""

import json
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from aiohttp import web
from lxml import etree

from sandbox.exchange import letters, samples
from sandbox.exchange.blocks import BLOCKS
from sandbox.exchange.changes import KINDS, Hand
from sandbox.exchange.drafting import draft
from sandbox.exchange.refusals import Refused
from sandbox.exchange.schema import Invalid, check_item
from sandbox.exchange.store import Corruption, Folder, Item, Mailbox
from sandbox.exchange.trees import add_archive, answer_empty, invalidate_states, recreate
from sandbox.exchange.truth import item_truth, truth
from sandbox.exchange.wire import TYPES, escape, parse

if TYPE_CHECKING:
    from sandbox.exchange.exchange import Exchange

type Body = Mapping[str, Any]
type Act = Callable[[Mailbox, Body], object]

_MARKS = {"exact": "exact", "second": "second", "one second": "second", "absent": "absent"}


class Door:
    """The routes of one Exchange."""

    def __init__(self, exchange: "Exchange") -> None:
        self._exchange = exchange

    def mailbox(self, request: web.Request) -> Mailbox:
        """The mailbox that a request's path names."""
        try:
            return self._exchange.mailbox_named(request.match_info["address"])
        except Refused:
            raise web.HTTPNotFound(reason="no such mailbox") from None

    async def truth(self, request: web.Request) -> web.Response:
        """What is really there."""
        return web.json_response(truth(self.mailbox(request)))

    async def message(self, request: web.Request) -> web.Response:
        """A message, whose bytes are the request's body."""
        mailbox = self.mailbox(request)
        item = letters.message(await request.read(), request.query.get("item_class", ""))
        item.is_read = request.query.get("read") == "true"
        folder = _folder(mailbox, request.query.get("folder", "inbox"))
        return web.json_response(item_truth(mailbox.insert(folder, item)), status=201)

    def act(self, what: Act) -> Callable[[web.Request], Awaitable[web.Response]]:
        """The handler of one thing that can be done to a mailbox."""

        async def handle(request: web.Request) -> web.Response:
            return web.json_response(what(self.mailbox(request), await _body(request)))

        return handle


def routes(exchange: "Exchange") -> list[web.RouteDef]:
    """Every route."""
    at, door = "/mailboxes/{address}", Door(exchange)
    posts = [web.post(f"{at}/{name}", door.act(what)) for name, what in _ACTS.items()]
    return [web.get(f"{at}/truth", door.truth), web.post(f"{at}/messages", door.message), *posts]


async def _body(request: web.Request) -> Body:
    """A request's JSON object, with what its query says besides."""
    text = await request.text()
    try:
        body = json.loads(text) if text.strip() else {}
    except ValueError:
        raise web.HTTPBadRequest(reason="the body is not JSON") from None
    if not isinstance(body, dict):
        raise web.HTTPBadRequest(reason="a JSON object is expected")
    return {**request.query, **body}


def _folder(mailbox: Mailbox, path: str) -> Folder:
    """A folder by path or distinguished name; what is missing below an existing one is made."""
    try:
        return mailbox.at_path(path)
    except KeyError:
        above, _, name = path.rpartition("/")
        parent = _folder(mailbox, above) if above else mailbox.top()
        return mailbox.add_folder(parent, name.replace("%2F", "/"))


def _items(mailbox: Mailbox, body: Body) -> object:
    """Another kind of item: a sample of a `kind`, or an element as `xml` in the types namespace."""
    item = _from_xml(mailbox, str(body["xml"])) if "xml" in body else _sample(mailbox, body)
    homes = {"CalendarItem": "calendar", "Task": "tasks", "Contact": "contacts", "DistributionList": "contacts"}
    folder = _folder(mailbox, str(body.get("folder") or homes.get(item.element, "inbox")))
    return item_truth(mailbox.insert(folder, item))


def _sample(mailbox: Mailbox, body: Body) -> Item:
    kind = str(body.get("kind", "event"))
    if kind not in samples.MAKERS:
        raise web.HTTPBadRequest(reason=f"kind must be one of {', '.join(samples.MAKERS)}")
    item = samples.MAKERS[kind](mailbox.clock())
    for name in ("Subject", "Sensitivity"):
        if name.lower() in body:
            item.properties[name] = f"<t:{name}>{escape(str(body[name.lower()]))}</t:{name}>"
    return item


def _from_xml(mailbox: Mailbox, xml: str) -> Item:
    try:
        element = parse(f'<x xmlns:t="{TYPES}" xmlns="{TYPES}">{xml}</x>'.encode())[0]
        check_item(element)
        return draft(element, mailbox, ("", mailbox.address))
    except (ValueError, IndexError, Invalid, Refused, etree.LxmlError) as exc:
        raise web.HTTPBadRequest(reason="not an item", text=str(exc)) from None


def _generate(mailbox: Mailbox, body: Body) -> object:
    """Many synthetic messages quickly: `count` of `size` bytes each."""
    folder, started = _folder(mailbox, str(body.get("folder") or "inbox")), time.perf_counter()
    count, size, now = int(body.get("count", 1000)), int(body.get("size", 20_000)), mailbox.clock()
    first = mailbox.sequence
    for number in range(count):
        mailbox.insert(folder, letters.synthetic(first + number, size, now), now=now)
    return {"folder_id": folder.id, "count": count, "seconds": round(time.perf_counter() - started, 3)}


def _change(mailbox: Mailbox, body: Body) -> object:
    """Random changes, of named kinds or of all; the answer says what was done."""
    kinds = body.get("kinds") or body.get("kind") or []
    kinds = kinds.split(",") if isinstance(kinds, str) else list(kinds)
    if unknown := set(kinds) - set(KINDS):
        raise web.HTTPBadRequest(reason=f"unknown kinds {sorted(unknown)}; known are {', '.join(KINDS)}")
    seed = int(body.get("seed", mailbox.sequence))
    return {"changes": Hand(mailbox, seed).change(kinds, int(body.get("count", 1))), "seed": seed}


def _corrupt(mailbox: Mailbox, body: Body) -> object:
    """Let GetItem answer an error for an item: the named one, else the first of a folder. `code` empty heals it."""
    item = mailbox.items.get(str(body.get("id", "")))
    if item is None:
        found = _folder(mailbox, str(body.get("folder") or "inbox")).items
        item = next((one for one in found.values() if one.corruption is None), None)
    if item is None:
        raise web.HTTPNotFound(reason="no such item")
    code, times = str(body.get("code", "ErrorItemCorrupt")), body.get("times")
    item.corruption = Corruption(code, int(times) if times is not None else None) if code else None
    return item_truth(item)


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


def _block(mailbox: Mailbox, body: Body) -> object:
    """Refuse every request for this mailbox with a 403 of a `variant`; `off` ends it. Texts can be given."""
    variant = str(body.get("variant", "tenant_off"))
    if variant == "off":
        mailbox.blocked = None
    elif variant in BLOCKS or "body" in body:
        text, headers = BLOCKS.get(variant, ("", {}))
        given = {str(name): str(value) for name, value in dict(body.get("headers", headers)).items()}
        mailbox.blocked = (int(body.get("status", 403)), str(body.get("body", text)), given)
    else:
        raise web.HTTPBadRequest(reason=f"variant must be off or one of {', '.join(BLOCKS)}")
    return {"variant": variant}


def _marks(mailbox: Mailbox, body: Body) -> object:
    """How finely 0x670A tells when a folder changed: exact, second or absent."""
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
        mailbox.insert(folder, letters.synthetic(900_000 + number, 4000, mailbox.clock()))
    return {"folder_id": folder.id, "items": folder.total}


def _grant(mailbox: Mailbox, body: Body) -> object:
    """Share a folder (`*`: all of them) with somebody; `revoke` takes everything back."""
    to = str(body.get("to", "")).lower()
    if body.get("revoke"):
        mailbox.grants.pop(to, None)
        return {}
    named = str(body.get("folder") or "inbox")
    mailbox.grants.setdefault(to, set()).add(named if named == "*" else _folder(mailbox, named).id)
    return {"to": to, "folder": named}


_ACTS: dict[str, Act] = {
    "items": _items,
    "generate": _generate,
    "change": _change,
    "corrupt-item": _corrupt,
    "invalidate-sync-states": _invalidate,
    "recreate": _recreate,
    "answer-empty": _answer_empty,
    "move-in-progress": _move_in_progress,
    "block": _block,
    "marks": _marks,
    "archive": _archive,
    "grant": _grant,
}
"""What can be done to a mailbox, by the last part of the path."""
