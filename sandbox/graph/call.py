"""One checked request under way: whose mailbox, which folder or item it names, how its answer is written."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from sandbox.graph.access import Caller, may_open
from sandbox.graph.behavior import Behavior
from sandbox.graph.delta import Rounds
from sandbox.graph.views.entity import Context
from sandbox.graph.wire import ids
from sandbox.graph.wire.errors import malformed_id, not_found
from sandbox.graph.wire.query import Query
from sandbox.graph.wire.request import GraphRequest, GraphResponse, Json
from sandbox.mailboxes.address_book import Person
from sandbox.mailboxes.calendar.events import Occurrence, occurrence_at
from sandbox.mailboxes.ids import entry_of, occurrence_of
from sandbox.mailboxes.mailbox_store import MailboxStore
from sandbox.mailboxes.store import Folder, Item, Mailbox

PAGE = 10
"""Entries of a page unless the client asks for another size."""

LARGEST_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Call:
    """What a handler needs. `owner` begins every path: `me` or `users('...')`; `fault` strikes this request."""

    store: MailboxStore
    rounds: Rounds
    caller: Caller
    person: Person
    mailbox: Mailbox
    behavior: Behavior
    request: GraphRequest
    query: Query
    owner: str
    fault: Mapping[str, Any]

    @property
    def context(self) -> Context:
        """How the answer is written."""
        return Context(self.request.prefer, self.person.display_name)

    def url(self, path: str, **options: str | int) -> str:
        """An absolute URL below the owner, as the service writes it into links."""
        said = "&".join(f"{quote(name, safe='$')}={quote(str(value), safe='')}" for name, value in options.items())
        return f"{self.request.base}/{self.request.version}/{self.owner}/{path}" + (f"?{said}" if said else "")

    def metadata(self, path: str) -> str:
        """The context that every answer names."""
        owner = f"users('{quote(self.person.oid)}')"
        return f"{self.request.base}/{self.request.version}/$metadata#{owner}/{path}"

    # What ids name

    def folder(self, named: str) -> Folder:
        """The folder of an id or a well-known name. Raises GraphError."""
        folder = self.mailbox.distinguished.get(named.lower())
        if folder is None:
            folder = self.mailbox.folders.get(_checked(ids.ews_id(named)))
        if folder is None or not may_open(self.caller, folder):
            raise not_found()
        return folder

    def item(self, named: str, shown: Callable[[Item], bool]) -> Item:
        """The item of an id in either format. Raises GraphError for what is gone, or of another kind."""
        item, _ = self.occurrence(named, shown)
        return item

    def occurrence(self, named: str, shown: Callable[[Item], bool]) -> tuple[Item, Occurrence | None]:
        """The item of an id, of a series perhaps one occurrence of it. Raises GraphError."""
        item, original = self._named(named)
        if item is None or not shown(item) or not may_open(self.caller, item.folder):
            raise not_found()
        if original is None:
            return item, None
        found = occurrence_at(item, original)
        if found is None:
            raise not_found()
        return item, found

    def _named(self, named: str) -> tuple[Item | None, datetime | None]:
        immutable = ids.read_immutable(named)
        if immutable is not None:
            guid, key = immutable
            item = self.mailbox.by_immutable_key.get(key[:16]) if guid == self.mailbox.guid else None
            return item, ids.original_of(key)
        ews = ids.ews_id(named)
        behind = occurrence_of(ews)
        if behind is not None:
            return self.mailbox.items.get(behind[0]), behind[1]
        return self.mailbox.items.get(_checked(ews)), None

    # Collections

    def page_size(self, default: int = PAGE, largest: int = LARGEST_PAGE) -> int:
        """How many entries a page has."""
        if "$top" in self.query:
            return max(1, self.query.number("$top", default, largest))
        return min(self.context.prefer.page_size or default, largest)

    def listing[Thing](
        self, path: str, kind: str, things: list[Thing], show: Callable[[Thing], Json], size: int | None = None
    ) -> GraphResponse:
        """A page of a list, with a link to the next one."""
        skip, size = self.query.number("$skip", 0), size or self.page_size()
        body: Json = {"@odata.context": self.metadata(kind)}
        if self.query.flag("$count"):
            body["@odata.count"] = len(things)
        if skip + size < len(things):
            options = self.query.items() | {"$skip": str(skip + size)}
            if self.context.prefer.page_size and "$top" not in self.query:
                options["$top"] = str(size)
            body["@odata.nextLink"] = self.url(path, **options)
        body["value"] = [show(thing) for thing in things[skip : skip + size]]
        return self.answer(body)

    def answer(self, body: Json) -> GraphResponse:
        """An answer of JSON; says which preferences were heeded."""
        applied = self.context.prefer.applied
        return GraphResponse(200, body, {"Preference-Applied": ", ".join(applied)} if applied else {})

    def entity(self, kind: str, shown: Json) -> GraphResponse:
        """An answer of one entity."""
        return self.answer({"@odata.context": self.metadata(f"{kind}/$entity"), **shown})


def _checked(ews: str) -> str:
    """An EWS id of the right form. Raises GraphError."""
    try:
        entry_of(ews)
    except ValueError:
        raise malformed_id() from None
    return ews
