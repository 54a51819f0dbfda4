"""Mailboxes and their folders."""

from msgspec import Struct

from shared.api.resources.values import Time
from shared.mailboxes.groups.model import shown_name
from shared.mailboxes.model import Mailbox as StoredMailbox
from shared.mailboxes.model import Status
from shared.mailboxes.not_copied import not_copied
from shared.replica.port import FolderState
from shared.sources.model import AccessMode, FolderKind, FolderRole, SourceName


class NotCopied(Struct, frozen=True):
    """The items that are not in a copy. The four parts add up to `total`.

    `private` items are left out by a setting, `not_given` are counted by the mailbox and not given by Microsoft Graph,
    `by_settings` are left out by other settings (excluded addresses, mail that is too old), and `with_issues` are tried
    again.
    """

    total: int
    """Items that the mailbox counts and the copy does not have."""
    private: int
    """Private items, which a setting leaves out."""
    not_given: int
    """Items that the mailbox counts and Microsoft Graph does not give."""
    by_settings: int
    """Items that other settings leave out: excluded addresses, or mail that is too old."""
    with_issues: int
    """Items that could not be copied so far and are tried again."""


class Mailbox(Struct, kw_only=True, frozen=True):
    """One connected mailbox. Its id is opaque and stays the same when the address changes.

    With `hold_since` it is on legal hold: nothing of its copy is deleted. `not_copied` says why `items` is below
    `in_scope`; it is null during the first sync, and if nothing is missing.
    """

    id: str
    """Our own id of the mailbox."""
    tenant_id: str
    """The tenant of its owner."""
    owner_id: str
    """The object id of its owner; of a shared mailbox, an id of ours."""
    address: str
    """The primary address, as the mail server reports it."""
    display_name: str
    """The name of its owner."""
    sign_in_name: str
    """The name its owner signed in with; empty if nobody did."""
    mode: AccessMode
    """How it is read."""
    status: Status
    """What it is doing, or waits for."""
    reason: str
    """Why it needs attention; empty if it does not."""
    support: str
    """The error number of Microsoft that goes with `reason`; empty if there is none."""
    source: SourceName
    """The source that reads it."""
    group: str
    """The group whose settings apply; `default`: those of the deployment."""
    created_at: Time
    """When it was connected."""
    first_sync_done: bool
    """Whether every folder has been read to its end once."""
    items: int
    """Items in the copy."""
    in_scope: int
    """Items that the source counts in the folders in scope, as of the last pass. Private items and items that settings
    leave out are among them; `not_copied` divides the difference to `items`."""
    not_copied: NotCopied | None
    """Why `items` is below `in_scope`; null during the first sync, and if nothing is missing."""
    issues: int
    """Items that could not be copied so far and are tried again."""
    not_provided: int
    """Items that the folders count and the source does not return, as of the last daily sweep."""
    rejections: int
    """Rejections by the mail server in a row; after six the person has to sign in again."""
    failures: int
    """Failed passes in a row; after ten the mailbox is suspended."""
    syncing_since: Time | None
    """When the running pass began; null if none runs."""
    last_pass_at: Time | None
    """When the last pass ended."""
    last_success_at: Time | None
    """When the last pass ended that did not fail."""
    complete_as_of: Time | None
    """The time as of which the copy is complete; null before the first sync is done."""
    swept_at: Time | None
    """When a sweep last compared the whole copy with the mailbox, once a day."""
    due_at: Time | None
    """No pass starts before this time, because something has to pass; null: at the next tick."""
    reset_at: Time | None
    """When an operator last asked to read it anew."""
    erasing_since: Time | None
    """When its erasure was asked for; null if it was not."""
    hold_since: Time | None
    """Since when it is on legal hold; null if it is not."""
    moving_to: SourceName | None
    """The source that it is to be moved to, or surveyed over; null if none."""
    move_dry: bool
    """Whether that is a dry run."""
    move_blocked: str
    """Why the last try to move it to the other source did not succeed: a reason, or `safety`."""
    moved_at: Time | None
    """When it was last moved between sources."""


_MAILBOX_FIELDS = set(Mailbox.__struct_fields__) - {"not_copied", "group"}


def mailbox(stored: StoredMailbox) -> Mailbox:
    """The mailbox as programs see it, without internal fields."""
    return Mailbox(
        not_copied=_not_copied(stored),
        group=shown_name(stored.group),
        **{name: getattr(stored, name) for name in _MAILBOX_FIELDS},
    )


def _not_copied(stored: StoredMailbox) -> NotCopied | None:
    """The figures; None during the first sync, and if nothing is missing."""
    found = not_copied(stored)
    if found is None:
        return None
    return NotCopied(**{name: getattr(found, name) for name in NotCopied.__struct_fields__})


class MailboxPage(Struct, frozen=True):
    """A page of mailboxes. `next` is the cursor of the next page; empty on the last page."""

    mailboxes: list[Mailbox]
    """The mailboxes."""
    next: str
    """The `cursor` of the next page; empty on the last page."""


class MailboxList(Struct, frozen=True):
    """Mailboxes, all of them."""

    mailboxes: list[Mailbox]
    """The mailboxes."""


class Folder(Struct, frozen=True):
    """One folder of a copy. `items` are in the copy; `total` is what the mail server counts."""

    id: str
    """The id of the folder at its source."""
    path: str
    """Its path, with the names that the mailbox has."""
    parent_id: str
    """The id of the folder above; it may not be in the copy."""
    kind: FolderKind
    """What it is made to hold."""
    role: FolderRole
    """What it is for its mailbox."""
    archive: bool
    """Whether it is in the online archive."""
    items: int
    """Items in the copy."""
    total: int
    """Items that the mail server counts."""


class FolderList(Struct, frozen=True):
    """The folders of a copy."""

    folders: list[Folder]
    """The folders."""


def folder(stored: FolderState) -> Folder:
    """The folder as programs see it."""
    return Folder(
        stored.id, stored.path, stored.parent_id, stored.kind, stored.role, stored.archive, stored.items, stored.total
    )
