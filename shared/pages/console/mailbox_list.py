"""Computes the values of the operator's list of mailboxes, and the list as CSV."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shared.errors import Reason
from shared.mailboxes.directory.listing import ListedMailboxes
from shared.mailboxes.directory.model import ON_HOLD, DirectoryQuery, Sort, WayIn, way_in
from shared.mailboxes.groups.model import DEFAULT, LONGEST_NAME, shown_name
from shared.mailboxes.model import Mailbox, Status
from shared.mailboxes.summary.model import NOT_COUNTED, Totals
from shared.pages.console.csv_text import csv_text
from shared.pages.status import StatusView, status_view
from shared.sources.model import SourceName

PAGE_SIZE = 50
CSV_ROWS = 20_000
"""The most rows of one CSV file."""
STALEST = "stalest"
"""The order by the age of the copy, the oldest first. It is read from the totals, which keep the oldest ones."""
SORTS = (Sort.ADDRESS.value, Sort.NEWEST.value, STALEST)
MOST_CURSORS = 40
"""How many pages back the list can go step by step."""
_ID = re.compile(r"[0-9a-f]{32}")
_SEPARATOR = "~"
_COLUMNS = (
    *("id", "address", "tenant", "status", "reason", "source", "way", "connected_at"),
    *("complete_as_of", "items", "issues", "support", "group", "on_hold_since"),
)


@dataclass(frozen=True, slots=True)
class ListRequest:
    """What the form of the list asks for. `back` are the cursors of the pages before, without the first page."""

    query: DirectoryQuery
    stalest: bool = False
    cursor: str = ""
    back: tuple[str, ...] = ()

    @property
    def sort(self) -> str:
        """The order, as a value of the form."""
        return STALEST if self.stalest else self.query.sort.value

    @property
    def by_id(self) -> str:
        """The mailbox's id, if the search may be one."""
        text = self.query.prefix.lower()
        return text if _ID.fullmatch(text) else ""

    def form(self) -> dict[str, str]:
        """The fields of the form that ask for the same list from its beginning."""
        asked = {"prefix": self.query.prefix, "status": self.query.status, "reason": self.query.reason}
        asked |= {"tenant": self.query.tenant, "source": self.query.source, "way": self.query.way}
        asked |= {"group": self.query.group, "hold": self.query.hold, "sort": self.sort}
        return {name: value for name, value in asked.items() if value}


@dataclass(frozen=True, slots=True)
class ListRow:
    """One row of the list."""

    mailbox: Mailbox
    shown: StatusView


def list_request(fields: Mapping[str, str]) -> ListRequest:
    """Read the form, or a link's query. A filter that nothing can match is left out, an order that does not exist too.

    Tenants, groups, and prefixes are compared as they are: a list of another tenant's is empty.
    """
    sort = fields.get("sort", "")
    back = tuple(fields.get("back", "").split(_SEPARATOR)) if fields.get("back") else ()
    return ListRequest(
        DirectoryQuery(
            prefix=fields.get("prefix", "").strip()[:320],
            status=_known(fields.get("status", ""), Status),
            reason=_known(fields.get("reason", ""), Reason),
            tenant=fields.get("tenant", "").strip()[:100],
            source=_known(fields.get("source", ""), SourceName),
            way=_known(fields.get("way", ""), WayIn),
            group=fields.get("group", "").strip()[:LONGEST_NAME],
            sort=Sort(sort) if sort in tuple(Sort) else Sort.ADDRESS,
            hold=ON_HOLD if fields.get("hold") == ON_HOLD else "",
        ),
        sort == STALEST,
        fields.get("cursor", ""),
        back[-MOST_CURSORS:],
    )


def _known(value: str, kind: type[Status] | type[Reason] | type[SourceName] | type[WayIn]) -> str:
    return value if value in tuple(kind) else ""


def list_values(
    asked: ListRequest,
    page: ListedMailboxes,
    totals: Totals,
    now: datetime,
    interval: timedelta,
    *,
    groups: Sequence[str] = (),
) -> dict[str, Any]:
    """Return the values of the template `console/mailboxes`; `groups` are the names of all groups."""
    rows = [ListRow(mailbox, status_view(mailbox, now, interval)) for mailbox in page.mailboxes]
    return {
        "rows": rows,
        "form": asked.form(),
        "query": asked.query,
        "sort": asked.sort,
        "sorts": SORTS,
        "statuses": [status.value for status in Status],
        "reasons": sorted({*totals.counts.by_reason, *([asked.query.reason] if asked.query.reason else [])}),
        "tenants": [tenant for tenant in totals.counts.by_tenant if tenant != NOT_COUNTED],
        "sources": [source.value for source in SourceName],
        "ways": [way.value for way in WayIn],
        "holds": [ON_HOLD],
        "groups": list(groups),
        "group_choices": _group_choices(asked.query.group, groups),
        "counted": _counted(asked, totals),
        "next_page": _next(asked, page.cursor),
        "previous_page": _previous(asked),
        "is_searched": bool(asked.query.prefix or asked.query.filters),
        "stalest": asked.stalest,
    }


def _group_choices(asked: str, groups: Sequence[str]) -> list[str]:
    """The values of the filter by group: all groups, `default` for none, and what was asked for if it is gone."""
    choices = [*groups, DEFAULT]
    return choices if not asked or asked in choices else [*choices, asked]


def _counted(asked: ListRequest, totals: Totals) -> int | None:
    """How many mailboxes the list has, if the totals know: for no filter or one, if all shards are counted."""
    counts, query = totals.counts, asked.query
    is_uncounted = query.prefix or query.group or query.hold or asked.stalest
    if is_uncounted or len(query.filters) > 1 or totals.missing:
        return None
    by_filter = {
        "status": counts.by_status,
        "reason": counts.by_reason,
        "tenant_id": counts.by_tenant,
        "source": counts.by_source,
        "way": counts.by_way,
    }
    for name, wanted in query.filters.items():
        return by_filter[name].get(wanted, 0)
    return counts.mailboxes


def _next(asked: ListRequest, cursor: str) -> dict[str, str] | None:
    """The form's fields for the next page."""
    if not cursor:
        return None
    back = (*asked.back, asked.cursor) if asked.cursor else ()
    return asked.form() | {"cursor": cursor, "back": _SEPARATOR.join(back[-MOST_CURSORS:])}


def _previous(asked: ListRequest) -> dict[str, str] | None:
    """The form's fields for the page before."""
    if not asked.cursor:
        return None
    *earlier, last = asked.back or ("",)  # the first page has no cursor
    return asked.form() | {"cursor": last, "back": _SEPARATOR.join(earlier)}


def csv_of(mailboxes: Iterable[Mailbox]) -> str:
    """The list as CSV, with what the page shows."""
    return csv_text(_COLUMNS, map(_row, mailboxes))


def _row(mailbox: Mailbox) -> list[object]:
    return [
        *(mailbox.id, mailbox.address, mailbox.tenant_id, mailbox.status.value, mailbox.reason),
        *(mailbox.source.value, way_in(mailbox).value, mailbox.created_at.isoformat()),
        *(_time(mailbox.complete_as_of), mailbox.items, mailbox.issues),
        *(mailbox.support, shown_name(mailbox.group), _time(mailbox.hold_since)),
    ]


def _time(at: datetime | None) -> str:
    return at.isoformat() if at is not None else ""
