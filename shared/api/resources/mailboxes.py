"""Mailboxes, their folders, runs, issues, and audit trail."""

from typing import Annotated, Any

from msgspec import Meta, Struct

from shared.api.resources.values import Time
from shared.mailboxes.model import Mailbox as StoredMailbox
from shared.mailboxes.model import Status
from shared.mailboxes.not_copied import not_copied
from shared.mailboxes.port import AuditEntry as StoredAuditEntry
from shared.mailboxes.port import ItemIssue, Run
from shared.replica.port import FolderState
from shared.sources.port import AccessMode, FolderKind, FolderRole, SourceName


class NotCopied(Struct, frozen=True):
    """The items that are not in a copy. The four parts add up to `total`.

    `private` items are left out by a setting, `not_given` are counted by the mailbox and not given by Microsoft Graph,
    `by_settings` are left out by other settings (excluded addresses, mail that is too old), and `with_issues` are tried
    again.
    """

    total: int
    private: int
    not_given: int
    by_settings: int
    with_issues: int


class Mailbox(Struct, kw_only=True, frozen=True):
    """One connected mailbox. Its id is opaque and stays the same when the address changes.

    With `hold_since` it is on legal hold: nothing of its copy is deleted. `not_copied` says why `items` is below
    `in_scope`; it is null during the first sync, and if nothing is missing.
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
    items: Annotated[int, Meta(description="Items in the copy.")]
    in_scope: Annotated[
        int,
        Meta(
            description="Items that the source counts in the folders in scope, as of the last pass. Private items and "
            "items that settings leave out are among them; `not_copied` divides the difference to `items`."
        ),
    ]
    not_copied: NotCopied | None
    issues: Annotated[int, Meta(description="Items that could not be copied so far and are tried again.")]
    not_provided: Annotated[
        int,
        Meta(description="Items that the folders count and the source does not return, as of the last daily sweep."),
    ]
    rejections: Annotated[
        int, Meta(description="Rejections by the mail server in a row; after six the person has to sign in again.")
    ]
    failures: Annotated[int, Meta(description="Failed passes in a row; after ten the mailbox is suspended.")]
    syncing_since: Time | None
    last_pass_at: Time | None
    last_success_at: Time | None
    complete_as_of: Time | None
    swept_at: Annotated[
        Time | None, Meta(description="When a sweep last compared the whole copy with the mailbox, once a day.")
    ]
    due_at: Annotated[
        Time | None,
        Meta(description="No pass starts before this time, because something has to pass; null: at the next tick."),
    ]
    reset_at: Annotated[Time | None, Meta(description="When an operator last asked to read it anew.")]
    erasing_since: Time | None
    hold_since: Time | None
    moving_to: SourceName | None
    move_dry: bool
    move_blocked: Annotated[
        str, Meta(description="Why the last try to move it to the other source did not succeed: a reason, or `safety`.")
    ]
    moved_at: Time | None


_MAILBOX_FIELDS = set(Mailbox.__struct_fields__) - {"not_copied"}


def mailbox(stored: StoredMailbox) -> Mailbox:
    """The mailbox as programs see it, without internal fields."""
    return Mailbox(not_copied=_not_copied(stored), **{name: getattr(stored, name) for name in _MAILBOX_FIELDS})


def _not_copied(stored: StoredMailbox) -> NotCopied | None:
    """The figures; None during the first sync, and if nothing is missing."""
    found = not_copied(stored)
    if found is None:
        return None
    return NotCopied(**{name: getattr(found, name) for name in NotCopied.__struct_fields__})


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
