"""Mailboxes, their folders, runs, issues, and audit trail."""

from typing import Any

from msgspec import Struct

from shared.api.resources.values import Time
from shared.mailboxes.model import Mailbox as StoredMailbox
from shared.mailboxes.model import Status
from shared.mailboxes.port import AuditEntry as StoredAuditEntry
from shared.mailboxes.port import ItemIssue, Run
from shared.replica.port import FolderState
from shared.sources.port import AccessMode, FolderKind, FolderRole, SourceName


class Mailbox(Struct, kw_only=True, frozen=True):
    """One connected mailbox. Its id is opaque and stays the same when the address changes.

    With `hold_since` it is on legal hold: nothing of its copy is deleted.
    """

    id: str
    tenant_id: str
    owner_id: str
    address: str
    display_name: str
    sign_in_name: str
    mode: AccessMode
    status: Status
    reason: str
    support: str
    source: SourceName
    created_at: Time
    first_sync_done: bool
    items: int
    in_scope: int
    issues: int
    not_provided: int
    rejections: int
    failures: int
    syncing_since: Time | None
    last_pass_at: Time | None
    last_success_at: Time | None
    complete_as_of: Time | None
    swept_at: Time | None
    due_at: Time | None
    erasing_since: Time | None
    hold_since: Time | None
    moving_to: SourceName | None
    move_dry: bool
    move_blocked: str
    moved_at: Time | None


_MAILBOX_FIELDS = Mailbox.__struct_fields__


def mailbox(stored: StoredMailbox) -> Mailbox:
    """The mailbox as programs see it, without internal fields."""
    return Mailbox(**{name: getattr(stored, name) for name in _MAILBOX_FIELDS})


class MailboxPage(Struct, frozen=True):
    """A page of mailboxes. `next` is the cursor of the next page; empty on the last page."""

    mailboxes: list[Mailbox]
    next: str


class MailboxList(Struct, frozen=True):
    """Mailboxes, all of them."""

    mailboxes: list[Mailbox]


class Folder(Struct, frozen=True):
    """One folder of a copy. `items` are in the copy; `total` is what the mail server counts."""

    id: str
    path: str
    parent_id: str
    kind: FolderKind
    role: FolderRole
    archive: bool
    items: int
    total: int


class FolderList(Struct, frozen=True):
    """The folders of a copy."""

    folders: list[Folder]


def folder(stored: FolderState) -> Folder:
    """The folder as programs see it."""
    return Folder(
        stored.id, stored.path, stored.parent_id, stored.kind, stored.role, stored.archive, stored.items, stored.total
    )


class RunEntry(Struct, frozen=True):
    """One pass: `done`, `continues`, `held`, `moved`, `restated`, `surveyed`, `blocked`, or the reason of a failure."""

    started_at: Time
    ended_at: Time
    kind: str
    outcome: str
    created: int
    updated: int
    moved: int
    deleted: int
    issues: int
    bytes: int
    requests: int


class RunList(Struct, frozen=True):
    """The latest passes, newest first."""

    runs: list[RunEntry]


def run(stored: Run) -> RunEntry:
    """The pass as programs see it."""
    return RunEntry(**{name: getattr(stored, name) for name in RunEntry.__struct_fields__})


class Issue(Struct, frozen=True):
    """An item that could not be synced. `folder`, `subject`, and `at` are empty for callers who read no content."""

    reason: str
    support: str
    tries: int
    first_at: Time
    next_try_at: Time
    folder: str | None
    subject: str | None
    at: Time | None


class IssueList(Struct, frozen=True):
    """The open issues of a mailbox."""

    issues: list[Issue]


def issue(stored: ItemIssue, *, named: bool) -> Issue:
    """The issue as programs see it; `named`: with what names the item."""
    return Issue(
        stored.reason,
        stored.support,
        stored.tries,
        stored.first_at,
        stored.next_try_at,
        stored.folder if named else None,
        stored.subject if named else None,
        stored.at if named else None,
    )


class AuditEntry(Struct, frozen=True):
    """One action: when, by whom (an object id, `operator`, or `system`), and which."""

    at: Time
    actor: str
    act: str


class AuditPage(Struct, frozen=True):
    """Actions, newest first. `next` is the cursor of the next page; empty on the last page."""

    entries: list[AuditEntry]
    next: str


def audit_entry(stored: StoredAuditEntry) -> AuditEntry:
    """The action as programs see it."""
    return AuditEntry(stored.at, stored.actor, stored.act)


class Receipt(Struct, frozen=True):
    """What an erasure has deleted, by kind, and until when the vault's soft delete still holds the token."""

    mailbox_id: str
    address: str
    erased_at: Time
    erased: dict[str, int]
    held_until: Time | None
    reconnected: bool
    organization_copy: bool


class ParityReport(Struct, frozen=True, rename={"origin": "from"}):
    """The report of the last move, or survey, between sources (see docs/moving-to-graph.md). Items are keys."""

    outcome: str = ""
    origin: SourceName | None = None
    to: SourceName | None = None
    begun_at: str = ""
    at: str = ""
    total: dict[str, Any] = {}
    kinds: dict[str, dict[str, Any]] = {}
    folders: list[dict[str, Any]] = []
    kept_folders: list[str] = []
    examples: dict[str, list[str]] = {}
    samples: dict[str, Any] = {}
    requests: int = 0
    bytes: int = 0
