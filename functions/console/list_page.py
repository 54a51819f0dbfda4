"""Renders the list of mailboxes: for its own route, and for a form of the list that asks for nothing possible."""

from typing import TYPE_CHECKING

import azure.functions as func

from functions.http.handler import HttpError
from functions.http.responses import html
from shared.app import app, utc_now

if TYPE_CHECKING:
    from shared.authorization.sessions.sessions import Session
    from shared.mailboxes.directory.listing import ListedMailboxes
    from shared.mailboxes.summary.model import Totals
    from shared.pages.console.mailbox_list import ListRequest


def mailboxes_page(
    session: "Session", asked: "ListRequest", *, notice: str = "", status: int = 200
) -> func.HttpResponse:
    """Return a page of the list; `notice` is a key under [console.list.notices].

    Raises:
        HttpError: malformed: the cursor is of another list.
    """
    from shared.mailboxes.directory.model import CursorInvalid
    from shared.mailboxes.summary.model import total
    from shared.pages.console.jobs import OFFERED
    from shared.pages.console.mailbox_list import list_values

    now = utc_now()
    groups = [group.name for group in app().group_commands.all()]
    totals = total(app().summaries.all(), app().settings.sync_shards, now, rows=200)
    try:
        page = _page(asked, totals)
    except CursorInvalid as exc:
        raise HttpError("malformed") from exc
    values = list_values(asked, page, totals, now, app().interval, groups=groups) | {
        "notice": notice,
        "commands": OFFERED,
    }
    csrf = app().sessions.csrf(session)
    return html("console/mailboxes", status, csrf=csrf, is_operator=session.operator, **values)


def _page(asked: "ListRequest", totals: "Totals") -> "ListedMailboxes":
    """The page that was asked for: one mailbox by its id, the oldest copies of the totals, or a list's page."""
    from shared.mailboxes.directory.listing import ListedMailboxes
    from shared.mailboxes.directory.model import entry_of
    from shared.pages.console.mailbox_list import PAGE_SIZE

    if asked.by_id and (found := app().listing.read([asked.by_id])):
        return ListedMailboxes(tuple(found))
    if not asked.stalest:
        return app().listing.page(asked.query, size=PAGE_SIZE, cursor=asked.cursor)
    found = app().listing.read([row.id for row in totals.stalest[: 2 * PAGE_SIZE]])
    matching = [mailbox for mailbox in found if asked.query.matches(entry_of(mailbox))]
    return ListedMailboxes(tuple(matching[:PAGE_SIZE]))
