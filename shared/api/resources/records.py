"""What is recorded of mailboxes: runs, issues, the audit trail, receipts of erasures, and parity reports."""

from typing import Any

from msgspec import Struct

from shared.api.resources.values import Time
from shared.mailboxes.port import AuditEntry as StoredAuditEntry
from shared.mailboxes.port import ItemIssue, Run
from shared.sources.model import SourceName


class RunEntry(Struct, frozen=True):
    """One pass: `done`, `continues`, `held`, `moved`, `restated`, `surveyed`, `blocked`, or the reason of a failure."""

    started_at: Time
    """When the pass began."""
    ended_at: Time
    """When it ended."""
    kind: str
    """`pass`, `sweep`, or `move`."""
    outcome: str
    """How it ended."""
    created: int
    """New items."""
    updated: int
    """Items that changed."""
    moved: int
    """Items that moved to another folder."""
    deleted: int
    """Items that are gone."""
    issues: int
    """Items that could not be copied."""
    bytes: int
    """Bytes that were received."""
    requests: int
    """Requests that were sent to the mail server."""


class RunList(Struct, frozen=True):
    """The latest passes, newest first."""

    runs: list[RunEntry]
    """The passes."""


def run(stored: Run) -> RunEntry:
    """The pass as programs see it."""
    return RunEntry(**{name: getattr(stored, name) for name in RunEntry.__struct_fields__})


class Issue(Struct, frozen=True):
    """An item that could not be synced. `folder`, `subject`, and `at` are empty for callers who read no content."""

    reason: str
    """Why it could not be copied."""
    support: str
    """The error number of Microsoft; empty if there is none."""
    tries: int
    """How often it was tried."""
    first_at: Time
    """When it was tried first."""
    next_try_at: Time
    """When it is tried again."""
    folder: str | None
    """The path of its folder."""
    subject: str | None
    """Its subject, as far as it is known."""
    at: Time | None
    """The time of the item, as far as it is known."""


class IssueList(Struct, frozen=True):
    """The open issues of a mailbox."""

    issues: list[Issue]
    """The issues."""


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
    """When it was done."""
    actor: str
    """Who did it: an object id, `operator`, or `system`."""
    act: str
    """What was done, for example `pause` or `read_content`."""


class AuditPage(Struct, frozen=True):
    """Actions, newest first. `next` is the cursor of the next page; empty on the last page."""

    entries: list[AuditEntry]
    """The actions."""
    next: str
    """The `cursor` of the next page; empty on the last page."""


def audit_entry(stored: StoredAuditEntry) -> AuditEntry:
    """The action as programs see it."""
    return AuditEntry(stored.at, stored.actor, stored.act)


class Receipt(Struct, frozen=True):
    """What an erasure has deleted, by kind, and until when the vault's soft delete still holds the token."""

    mailbox_id: str
    """The mailbox that was erased."""
    address: str
    """Its address."""
    erased_at: Time
    """When it was erased."""
    erased: dict[str, int]
    """How many objects were deleted, by kind."""
    held_until: Time | None
    """Until when the vault's soft delete still holds the token; null if it held none."""
    reconnected: bool
    """Whether the owner has connected the mailbox again meanwhile, which gave another mailbox."""
    organization_copy: bool
    """Whether an operator has activated the address since, which gave another mailbox."""


class ParityReport(Struct, frozen=True, rename={"origin": "from"}):
    """The report of the last move, or survey, between sources (see docs/moving-to-graph.md). Items are keys."""

    outcome: str = ""
    """`moved`, `surveyed` (a dry run), or `blocked` (by the safety stop)."""
    origin: SourceName | None = None
    """The source that read the mailbox before."""
    to: SourceName | None = None
    """The source that it was compared with."""
    begun_at: str = ""
    """When the survey began."""
    at: str = ""
    """When it ended."""
    total: dict[str, Any] = {}
    """The counts of all items: `same`, `changed`, `new`, `gone`, `not_given`, and `fields_lost`."""
    kinds: dict[str, dict[str, Any]] = {}
    """The same counts by kind of item."""
    folders: list[dict[str, Any]] = []
    """The same counts by folder and kind."""
    kept_folders: list[str] = []
    """The paths of folders that the other source does not give; the copy keeps them."""
    examples: dict[str, list[str]] = {}
    """At most 20 item ids for each outcome."""
    samples: dict[str, Any] = {}
    """The contents that were compared as a sample, by result."""
    requests: int = 0
    """Requests that the survey took."""
    bytes: int = 0
    """Bytes that it received."""
