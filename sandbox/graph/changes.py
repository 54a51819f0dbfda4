"""The answer of a delta request: which round the client is in, a page of it, and the link that follows."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from sandbox.graph.call import LARGEST_PAGE, PAGE, Call
from sandbox.graph.delta import Change, Page, Token, Tracked
from sandbox.graph.wire import ids
from sandbox.graph.wire.errors import GraphError
from sandbox.graph.wire.request import GraphResponse, Json
from sandbox.mailboxes import ids as mailbox_ids
from sandbox.mailboxes.store import Mailbox

type Options = Mapping[str, str]

BEHAVIORS = ("duplicates", "empty_page", "late", "removed", "replay")
"""What a fault can make of a delta request: every item twice; no item and a nextLink; changes that come a round later;
a removal of what the client never had; a round that begins again at the beginning.
"""


@dataclass(frozen=True, slots=True)
class DeltaResource[Thing]:
    """A collection whose changes can be asked for.

    `path` is that of its delta, `kind` what the answer's context names, `what` what error messages call it. `tracked`
    gives what is tracked under the options that the round's first request froze; `allowed` are those it may have.
    """

    path: str
    kind: str
    what: str
    allowed: Iterable[str]
    tracked: Callable[[Options], Tracked[Thing]]
    show: Callable[[Thing, Options], Json]
    gone_id: Callable[[str, Thing], str]
    first: Callable[[], list[Json]] = list
    """Entries at the head of a first round that no log knows of."""

    def answer(self, call: Call, check: Callable[[], object], options: Options | None = None) -> GraphResponse:
        """One page. `check` looks at the options of a first request; `options` are those to freeze, if others."""
        if call.behavior.over_quota:
            raise GraphError(403, "ErrorQuotaExceeded")
        token = self._token(call, check, options)
        if call.fault.get("behavior") == "empty_page":
            return self._page(call, [], replace(token, is_skip=True))
        token = _misbehaved(token, str(call.fault.get("behavior", "")))
        size = min(call.request.prefer.page_size or PAGE, LARGEST_PAGE)
        page = call.rounds.page(token, self.tracked(token.options), size)
        head = self.first() if token.since == 0 and not token.is_skip else []
        return self._page(call, head + self._shown(call, page, token.options), page.following)

    def _token(self, call: Call, check: Callable[[], object], options: Options | None) -> Token:
        tracked = self.tracked({})
        name = next((name for name in ("$skiptoken", "$deltatoken") if call.query.text(name)), "")
        if not name:
            call.query.allow(*self.allowed, "$deltatoken", what=self.what)
            check()
            given = call.query.items() if options is None else options
            return call.rounds.start(tracked.scope, tracked.mailbox, given)
        call.query.allow(name, what=self.what)
        try:
            return call.rounds.resume(call.query.text(name), tracked.scope, tracked.mailbox, skip=name == "$skiptoken")
        except GraphError as exc:
            if exc.status == 410:
                exc.headers["Location"] = call.url(self.path, **{"$deltatoken": ""})
            raise

    def _shown(self, call: Call, page: Page[Thing], options: Options) -> list[Json]:
        shown = [self._change(change, options) for change in page.changes]
        if call.fault.get("behavior") == "removed":
            return [{"id": _unknown_id(call.mailbox), "@removed": {"reason": "deleted"}}, *shown]
        return shown * 2 if call.fault.get("behavior") == "duplicates" else shown

    def _change(self, change: Change[Thing], options: Options) -> Json:
        if change.gone:
            return {"id": self.gone_id(change.id, change.thing), "@removed": {"reason": "deleted"}}
        return self.show(change.thing, options)

    def _page(self, call: Call, value: list[Json], following: Token) -> GraphResponse:
        link, option = ("nextLink", "$skiptoken") if following.is_skip else ("deltaLink", "$deltatoken")
        url = call.url(self.path, **{option: following.encode()})
        return call.answer({"@odata.context": call.metadata(self.kind), f"@odata.{link}": url, "value": value})


def _misbehaved(token: Token, behavior: str) -> Token:
    """The round as a fault wants it; a round under way goes on as it began."""
    if token.is_skip:
        return token
    if behavior == "late":
        return replace(token, upto=token.since)
    return replace(token, since=0) if behavior == "replay" else token


def _unknown_id(mailbox: Mailbox) -> str:
    """An id that no item has ever had."""
    return ids.rest_id(mailbox_ids.ews_id(mailbox.guid, mailbox_ids.item_entry(mailbox.store, 0, 0xFFFFFF)))
