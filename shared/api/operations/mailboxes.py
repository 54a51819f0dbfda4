"""Mailboxes: the list, one, its folders, runs, issues, and audit trail, and the commands on it."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from shared.api.access import OPERATORS, STATE_READERS
from shared.api.calls import ApiComponents, Call, NoQuery, operation
from shared.api.errors import Malformed, Refused, naming
from shared.api.paging import EXPECTED_CURSOR, Cursor, decode_cursor, encode_cursor
from shared.api.resources import mailboxes as resources
from shared.api.resources import records
from shared.errors import NotFound
from shared.mailboxes.directory.model import CursorInvalid, DirectoryQuery, Sort, WayIn
from shared.mailboxes.model import Mailbox, Status
from shared.sources.model import SourceName

if TYPE_CHECKING:
    from shared.mailboxes.erasures.erasing import ErasureReceipt

Limit = Annotated[int, Meta(ge=1, le=1000)]


class MailboxQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which mailboxes to list, and in which order. All filters that are given must hold.

    Without filters and `sort`, mailboxes come in an order of their own. `cursor` is `next` of the page before, with the
    same filters.
    """

    status: Status | None = None
    """What the mailboxes are doing, or wait for."""
    reason: str | None = None
    """Why they need attention."""
    tenant: str | None = None
    """The id of their tenant."""
    address: str | None = None
    """The beginning of an address."""
    source: SourceName | None = None
    """The source that they are read from."""
    way: WayIn | None = None
    """How they were connected."""
    group: str | None = None
    """The name of their group; `default`: those in no group."""
    hold: Literal["on"] | None = None
    """`on`: those on legal hold."""
    sort: Sort | None = None
    """The order: by address, or the newest first."""
    limit: Limit = 100
    """The most mailboxes of the page."""
    cursor: Cursor = ""
    """`next` of the page before, with the same filters."""

    @property
    def of_directory(self) -> DirectoryQuery | None:
        """The same question to the directory; None if neither a filter nor an order is given."""
        query = DirectoryQuery(
            prefix=self.address or "",
            status=self.status or "",
            reason=self.reason or "",
            tenant=self.tenant or "",
            source=self.source or "",
            way=self.way or "",
            group=self.group or "",
            sort=self.sort or Sort.ADDRESS,
            hold=self.hold or "",
        )
        return query if query.prefix or query.filters or self.sort is not None else None


@operation("GET", "/mailboxes", tag="mailboxes", query=MailboxQuery, answer=resources.MailboxPage)
def list_mailboxes(components: ApiComponents, call: Call[MailboxQuery, None]) -> resources.MailboxPage:
    """List mailboxes. A page may hold fewer than `limit`, or none, and still not be the last one."""
    found, following = _page(components, call.query)
    seen = [mailbox for mailbox in found if call.caller.sees(mailbox.id, mailbox.tenant_id)]
    return resources.MailboxPage([resources.mailbox(each) for each in seen], following)


def _page(components: ApiComponents, query: MailboxQuery) -> tuple[Sequence[Mailbox], str]:
    """A page of mailboxes and the cursor of the next one. Raises Malformed."""
    if query.of_directory is None:
        found = components.registry.page(decode_cursor(query.cursor), query.limit)
        return found, encode_cursor(found[-1].id) if len(found) == query.limit else ""
    try:
        listed = components.listing.page(query.of_directory, size=query.limit, cursor=query.cursor)
    except CursorInvalid as exc:
        raise Malformed("cursor", expected=EXPECTED_CURSOR) from exc
    return listed.mailboxes, listed.cursor


@operation("GET", "/mailboxes/{mailbox}", tag="mailboxes", answer=resources.Mailbox)
def get_mailbox(components: ApiComponents, call: Call[NoQuery, None]) -> resources.Mailbox:
    """Return one mailbox."""
    return resources.mailbox(visible_mailbox(components, call))


@operation("GET", "/mailboxes/{mailbox}/folders", tag="mailboxes", answer=resources.FolderList)
def list_folders(components: ApiComponents, call: Call[NoQuery, None]) -> resources.FolderList:
    """List the folders of a copy, ordered by path."""
    mailbox = visible_mailbox(components, call)
    folders = components.replica_reader.folders(mailbox.id).folders.values()
    return resources.FolderList(
        [resources.folder(each) for each in sorted(folders, key=lambda one: (one.archive, one.path))]
    )


class RunQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """How many of the latest passes to list."""

    limit: Limit = 20
    """The most passes to list."""


@operation("GET", "/mailboxes/{mailbox}/runs", tag="mailboxes", query=RunQuery, answer=records.RunList)
def list_runs(components: ApiComponents, call: Call[RunQuery, None]) -> records.RunList:
    """List the latest passes, newest first."""
    mailbox = visible_mailbox(components, call)
    return records.RunList([records.run(run) for run in components.registry.runs(mailbox.id, call.query.limit)])


@operation("GET", "/mailboxes/{mailbox}/issues", tag="mailboxes", answer=records.IssueList)
def list_issues(components: ApiComponents, call: Call[NoQuery, None]) -> records.IssueList:
    """List the items that could not be synced, at most a thousand."""
    mailbox = visible_mailbox(components, call)
    named = call.caller.reads_content_of(mailbox.id, mailbox.tenant_id)
    issues = components.registry.issues(mailbox.id)
    return records.IssueList([records.issue(issue, named=named) for issue in issues])


class AuditQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which part of an audit trail to list."""

    limit: Limit = 100
    """The most actions of the page."""
    cursor: Cursor = ""
    """`next` of the page before."""


@operation(
    "GET",
    "/audit/{subject}",
    tag="audit",
    roles=STATE_READERS,
    query=AuditQuery,
    answer=records.AuditPage,
)
def list_audit_trail(components: ApiComponents, call: Call[AuditQuery, None]) -> records.AuditPage:
    """List who did what to a mailbox, an invitation, a service account, or a reader, by its id, newest first."""
    after = decode_cursor(call.query.cursor)
    entries = components.registry.audit_trail(call.path["subject"], after, call.query.limit)
    following = encode_cursor(entries[-1].key) if len(entries) == call.query.limit else ""
    return records.AuditPage([records.audit_entry(entry) for entry in entries], following)


@operation("POST", "/mailboxes/{mailbox}/pause", tag="commands", roles=OPERATORS, answer=resources.Mailbox)
def pause_mailbox(components: ApiComponents, call: Call[NoQuery, None]) -> resources.Mailbox:
    """Stop passes until the mailbox is started again."""
    return resources.mailbox(components.mailbox_commands.pause(call.path["mailbox"], call.caller.object_id))


@operation("POST", "/mailboxes/{mailbox}/start", tag="commands", roles=OPERATORS, answer=resources.Mailbox)
def start_mailbox(components: ApiComponents, call: Call[NoQuery, None]) -> resources.Mailbox:
    """Resume passes and queue the first one now."""
    return resources.mailbox(components.mailbox_commands.start(call.path["mailbox"], call.caller.object_id))


@operation("POST", "/mailboxes/{mailbox}/sync", tag="commands", roles=OPERATORS, answer=resources.Mailbox)
def sync_mailbox(components: ApiComponents, call: Call[NoQuery, None]) -> resources.Mailbox:
    """Queue a pass now, at most once a minute."""
    components.mailbox_commands.sync_now(call.path["mailbox"], call.caller.object_id)
    return resources.mailbox(components.registry.get(call.path["mailbox"]))


@operation("POST", "/mailboxes/{mailbox}/reset", tag="commands", roles=OPERATORS, answer=resources.Mailbox)
def reset_mailbox(components: ApiComponents, call: Call[NoQuery, None]) -> resources.Mailbox:
    """Read the mailbox anew and compare every item with the copy. 409, `not_while_stopped`: paused or disconnected."""
    return resources.mailbox(components.mailbox_commands.reset(call.path["mailbox"], call.caller.object_id))


@operation("POST", "/mailboxes/{mailbox}/disconnect", tag="commands", roles=OPERATORS, answer=resources.Mailbox)
def disconnect_mailbox(components: ApiComponents, call: Call[NoQuery, None]) -> resources.Mailbox:
    """Stop syncing permanently and delete the token; the copy stays."""
    return resources.mailbox(components.mailbox_commands.disconnect(call.path["mailbox"], call.caller.object_id))


@operation("POST", "/mailboxes/{mailbox}/erase", tag="commands", roles=OPERATORS, answer=records.Receipt)
def erase_mailbox(components: ApiComponents, call: Call[NoQuery, None]) -> records.Receipt:
    """Delete everything of a mailbox and return the receipt. 409, `on_hold`: a legal hold forbids it."""
    return _receipt(components.mailbox_commands.erase(call.path["mailbox"], call.caller.object_id))


@operation(
    "GET",
    "/mailboxes/{mailbox}/parity",
    tag="mailboxes",
    roles=STATE_READERS,
    answer=records.ParityReport,
)
def get_parity_report(components: ApiComponents, call: Call[NoQuery, None]) -> records.ParityReport:
    """Return the report of a mailbox's last move, or dry run, between sources.

    404, `no_parity_report`: neither was made; `POST /moves` with `dry_run` asks for a report. 404,
    `parity_report_pending`: one was asked for, and no pass has made it yet.
    """
    from shared.sync.moving import parity

    mailbox = visible_mailbox(components, call)
    try:
        stored = components.replica_reader.derived(mailbox.id, parity.DOCUMENT)
    except NotFound as exc:
        raise Refused("parity_report_pending" if mailbox.moving_to else "no_parity_report") from exc
    return msgspec.convert(parity.decode(stored), records.ParityReport)


def visible_mailbox[Q, B](components: ApiComponents, call: Call[Q, B]) -> Mailbox:
    """Return the mailbox of the path. Raises Missing, also for one that the caller may not know of."""
    with naming("mailbox"):
        return call.caller.require_mailbox(components.registry.get(call.path["mailbox"]))


def _receipt(receipt: "ErasureReceipt") -> records.Receipt:
    erased: Mapping[str, int] = receipt.erased
    return records.Receipt(
        receipt.mailbox_id,
        receipt.address,
        receipt.erased_at,
        dict(erased),
        receipt.held_until,
        receipt.reconnected,
        receipt.organization_copy,
    )


OPERATIONS = (
    list_mailboxes,
    get_mailbox,
    list_folders,
    list_runs,
    list_issues,
    get_parity_report,
    pause_mailbox,
    start_mailbox,
    sync_mailbox,
    reset_mailbox,
    disconnect_mailbox,
    erase_mailbox,
    list_audit_trail,
)
