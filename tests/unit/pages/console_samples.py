"""Sample values of the operator's pages: of none, five, five hundred, and fifty thousand mailboxes."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from shared.authorization.model import Invitation
from shared.authorization.onboarding.invitations import CreatedInvitation
from shared.errors import AdministratorMustAct, Reason
from shared.mailboxes.bulk.model import Job, JobCommand, JobState, Outcome, Progress
from shared.mailboxes.directory.counting import MatchCount
from shared.mailboxes.directory.listing import ListedMailboxes
from shared.mailboxes.groups.model import Group, GroupSettings, ScopeSettings
from shared.mailboxes.model import Mailbox, Status
from shared.mailboxes.port import AuditEntry, ItemIssue, Run
from shared.mailboxes.summary.counting import ShardCounter
from shared.mailboxes.summary.model import ShardSummary, Totals, total
from shared.pages.console.groups import group_form, group_values, groups_values
from shared.pages.console.invitations import invitation_values
from shared.pages.console.jobs import OFFERED, job_request, job_values, jobs_values
from shared.pages.console.mailbox import mailbox_values
from shared.pages.console.mailbox_list import list_request, list_values
from shared.pages.console.overview import attention_ids, overview_values
from shared.replica.port import FolderState
from shared.sources.model import AccessMode, SourceName

NOW = datetime(2026, 11, 23, 14, 7, tzinfo=UTC)
INTERVAL = timedelta(minutes=30)
MINUTE = timedelta(minutes=1)
TENANT = "7a0f5c1e-0000-4000-8000-00000000000"
TROUBLES = (
    {"status": Status.NEEDS_SIGN_IN, "reason": "grant_revoked", "support": "AADSTS50173"},
    {"status": Status.NEEDS_ADMIN, "reason": "ews_blocked", "failures": 3},
    {"status": Status.SUSPENDED, "reason": "bad_answer", "failures": 10},
    {"reason": "bad_answer", "failures": 2},
    {"last_success_at": NOW - timedelta(hours=7), "complete_as_of": NOW - timedelta(hours=7)},
    {"moving_to": SourceName.GRAPH, "move_blocked": "safety"},
    {"status": Status.PAUSED},
    {"status": Status.DISCONNECTED},
)


GROUPS = (
    Group("board", NOW),
    Group(
        "legal",
        NOW,
        "operator-oid",
        "Matter 7 <b>",
        GroupSettings(folders_out=(), exclude=("@fabrikam.example",), private_items=False, retention_days=365),
    ),
)


def fleet(mailbox: Mailbox, number: int) -> list[Mailbox]:
    """So many mailboxes, of which one in forty needs somebody."""
    return [
        mailbox.with_changes(
            id=f"{n:032x}",
            owner_id=f"owner-{n}",
            tenant_id=f"{TENANT}{n % 3}",
            address=f"person.{n}@contoso.example"
            if n % 5
            else f"first-name.family-name.{n}@subsidiary.contoso.example",
            mode=AccessMode.APP_ONLY if n % 4 == 0 else AccessMode.DELEGATED,
            source=SourceName.GRAPH if n % 3 == 0 else SourceName.EWS,
            complete_as_of=NOW - ((n * 7) % 34) * MINUTE,
            items=(n * 7919) % 60_000,
        ).with_changes(
            **(TROUBLES[n // 40 % len(TROUBLES)] if n % 40 == 1 else {}),
        )
        for n in range(number)
    ]


def totals_of(mailboxes: Sequence[Mailbox], copies: int = 1) -> Totals:
    """The totals of so many shards that are all alike, with the trend of a day."""
    counter = ShardCounter(NOW, INTERVAL)
    for mailbox in mailboxes:
        counter.count(mailbox)
    now = counter.summary(0, NOW, None)
    trend = tuple(
        replace(
            now.trend[0], at=NOW - n * INTERVAL, fresh=now.trend[0].fresh - (n * n * 13 % 37) * len(mailboxes) // 900
        )
        for n in range(47, -1, -1)
    )
    shards = [ShardSummary(shard, NOW, now.counts, now.attention, now.stalest, trend) for shard in range(copies)]
    return total(shards, copies, NOW)


def overview(
    mailboxes: Sequence[Mailbox], copies: int = 1, *, is_operator: bool = True
) -> tuple[str, dict[str, object]]:
    """The overview of these mailboxes."""
    totals = totals_of(mailboxes, copies) if mailboxes else total([], 16, NOW)
    ids = attention_ids(totals)
    named = [mailbox for mailbox in mailboxes if mailbox.id in ids]
    return "console/overview", overview_values(totals, named, NOW, INTERVAL, is_operator) | {"csrf": "c"}


def listed(
    mailboxes: Sequence[Mailbox], fields: dict[str, str], cursor: str = "", notice: str = ""
) -> tuple[str, dict[str, object]]:
    """A page of the list."""
    asked = list_request(fields)
    page, groups = ListedMailboxes(tuple(mailboxes[:50]), cursor), ["board", "legal"] if mailboxes else []
    values = list_values(asked, page, totals_of(mailboxes), NOW, INTERVAL, groups=groups)
    return "console/mailboxes", values | {"csrf": "c", "is_operator": True, "commands": OFFERED, "notice": notice}


def one(mailbox: Mailbox, *, is_operator: bool = True, **more: Any) -> tuple[str, dict[str, object]]:
    """The page of one mailbox."""
    started = NOW - 36 * MINUTE
    given: dict[str, Any] = {
        "runs": [
            Run(mailbox.id, NOW - 6 * MINUTE, NOW - 6 * MINUTE + timedelta(seconds=4), "done", created=3, updated=1),
            Run(mailbox.id, started, started + timedelta(seconds=95), "throttled"),
        ],
        "issues": [
            ItemIssue(mailbox.id, f"AAMkAGI2T{n}" + "A" * 60, "f", "item_corrupt", "ErrorItemCorrupt", n, started, NOW)
            for n in range(1, 30)
        ],
        "activity": [
            AuditEntry("1", NOW - 9 * MINUTE, "operator-oid", "sync_now"),
            AuditEntry("2", NOW - timedelta(days=2), mailbox.owner_id, "pause"),
            AuditEntry("3", NOW - timedelta(days=9), "system", "something_new"),
        ],
        "folders": [
            FolderState("f1", "Inbox", items=9_120, total=9_122),
            FolderState(
                "f2", "Projects/A very long name of a folder without any end to it at all/2026", items=12, total=12
            ),
            FolderState("f3", "Archive", archive=True, items=40_000, total=40_000),
        ],
    }
    values = mailbox_values(
        mailbox, **{"groups": GROUPS} | given | more, now=NOW, interval=INTERVAL, is_operator=is_operator
    )
    shown: dict[str, object] = {"csrf": "c", "done": "", "sign_in_url": "https://sync.contoso.example/my-sync"}
    return "console/mailbox", values | shown | {"sync_possible_at": None}


def group_pages(*, is_operator: bool = True) -> dict[str, tuple[str, dict[str, object]]]:
    """The pages of groups."""
    extra: dict[str, object] = {"csrf": "c", "is_operator": is_operator}
    deployment, legal = ScopeSettings(folders_out=("junkemail", "deleteditems")), GROUPS[1]
    refused = group_form({"description": "x", "mail_days": "many", "exclude": "@fabrikam.example"})
    return {
        "groups": ("console/groups", groups_values(GROUPS) | extra),
        "groups-none": ("console/groups", groups_values([], wrong="name", name="Legal") | extra),
        "group": ("console/group", group_values(legal, deployment, MatchCount(12), done=True) | extra),
        "group-wrong": ("console/group", group_values(legal, deployment, MatchCount(0), form=refused) | extra),
    }


def _held(mailbox: Mailbox) -> Mailbox:
    return mailbox.with_changes(hold_since=NOW, hold_by="operator-oid", hold_reason="Matter 7 <b>")


def job_pages(mailbox: Mailbox) -> dict[str, tuple[str, dict[str, object]]]:
    """The pages of bulk jobs."""
    job = Job("j1", JobCommand.PAUSE, "operator-oid", NOW, filter={"status": "active"}, total=5_000, slices=100)
    failures = [Outcome(mailbox.id, "grant_revoked", "AADSTS50173"), Outcome("f" * 32, "not_found")]
    running = Progress(job, JobState.RUNNING, 1_200, 8, 2, 3_790, {"grant_revoked": 1, "not_found": 1})
    done = Progress(
        job.with_changes(id="j2", command=JobCommand.ERASE), JobState.DONE, 4_992, 8, ended_at=NOW, receipts=4_990
    )
    extra: dict[str, object] = {"csrf": "c", "is_operator": True}
    asked = job_request({"command": "erase", "scope": "all", "status": "disconnected"})
    everything = job_request({"command": "pause", "scope": "all", "confirmed": "yes", "number": "12"})
    chosen = job_request({"command": "disconnect", f"chosen-{mailbox.id}": "on"})
    hold = job_request({"command": "hold", f"chosen-{mailbox.id}": "on", "confirmed": "yes"})
    lift = job_request({"command": "lift_hold", "scope": "all", "hold": "on"})
    return {
        "job": ("console/job", job_values(running, failures, [mailbox]) | extra),
        "job-done": ("console/job", job_values(done, [], []) | extra),
        "job-confirm-hold": ("console/confirm_job", {"job": hold, "csrf": "c", "count": MatchCount(1)}),
        "job-confirm-lift": ("console/confirm_job", {"job": lift, "csrf": "c", "count": MatchCount(12)}),
        "jobs": ("console/jobs", jobs_values([running, done]) | extra),
        "jobs-none": ("console/jobs", jobs_values([]) | extra | {"is_operator": False}),
        "job-confirm": (
            "console/confirm_job",
            {"job": asked, "csrf": "c", "count": MatchCount(10_000, is_exact=False)},
        ),
        "job-confirm-chosen": ("console/confirm_job", {"job": chosen, "csrf": "c", "count": MatchCount(1)}),
        "job-confirm-all": ("console/confirm_job", {"job": everything, "csrf": "c", "count": MatchCount(5_000)}),
    }


@cache
def console_pages(mailbox: Mailbox) -> dict[str, tuple[str, dict[str, object]]]:
    """The pages by name: the template and its values."""
    five, many = fleet(mailbox, 5), fleet(mailbox, 500)
    troubled = [each.with_changes(id=f"t{n}") for n, each in enumerate(many) if each.status is not Status.ACTIVE]
    made = CreatedInvitation("i", "https://sync.contoso.example/invitation/" + "x" * 200, NOW + timedelta(days=7))
    invitations = [
        Invitation("i1", "ada@contoso.example", "Ticket 12", "", NOW + timedelta(days=3), group="legal"),
        Invitation("i2", "", "", "", NOW + timedelta(days=2), used_at=NOW),
        Invitation("i3", "late@contoso.example", "", "", NOW - timedelta(days=2)),
    ]
    extra: dict[str, object] = {"csrf": "c", "is_operator": True}
    new = mailbox.with_changes(first_sync_done=False, items=0, in_scope=0, complete_as_of=None, last_success_at=None)
    return {
        "overview-0": overview([]),
        "overview-none": (
            "console/overview",
            overview_values(totals_of([]), [], NOW, INTERVAL, True) | {"csrf": "c"},
        ),
        "overview-5": overview(five),
        "overview-500": overview(many),
        "overview-50000": overview(many, 100, is_operator=False),
        "list-5": listed(five, {}),
        "list-500": listed(many, {"status": "active", "cursor": "two", "back": ""}, "three"),
        "list-troubled": listed(troubled, {"sort": "stalest"}),
        "list-none": listed([], {"prefix": "nobody", "reason": "ews_blocked", "tenant": f"{TENANT}0"}),
        "list-nothing-chosen": listed(five, {"status": "active"}, notice="nothing_chosen"),
        "list-part": listed([], {"way": "shared", "source": "graph"}, "more"),
        "mailbox": one(mailbox, is_operator=False),
        "mailbox-operator": one(mailbox),
        "mailbox-check-refused": one(mailbox, refusal=AdministratorMustAct(Reason.EWS_BLOCKED, support="unsaid")),
        "mailbox-signs-in": one(mailbox.with_changes(**TROUBLES[0])),
        "mailbox-blocked": one(mailbox.with_changes(**TROUBLES[1])),
        "mailbox-new": one(new, runs=[], issues=[], activity=[], folders=[]),
        "mailbox-erasing": one(mailbox.with_changes(status=Status.DISCONNECTED, erasing_since=NOW)),
        "mailbox-on-hold": one(_held(mailbox)),
        "list-on-hold": listed([_held(mailbox)], {"hold": "on"}),
        "list-no-group": listed(five, {"group": "default"}),
        "mailbox-in-group": one(mailbox.with_changes(group="legal", private_left_out=3, in_scope=mailbox.items + 9)),
        **group_pages(),
        **job_pages(mailbox),
        "operator-confirm-disconnect": ("console/confirm", {"mailbox": mailbox, "action": "disconnect", "csrf": "c"}),
        "operator-confirm-lift-hold": ("console/confirm", {"mailbox": mailbox, "action": "lift-hold", "csrf": "c"}),
        "operator-confirm-erase": ("console/confirm", {"mailbox": mailbox, "action": "erase", "csrf": "c"}),
        "invitations": (
            "console/invitations",
            invitation_values(
                invitations, "more", NOW, made=made, address="new@contoso.example", groups=["board", "legal"]
            )
            | extra,
        ),
        "invitations-none": (
            "console/invitations",
            invitation_values([], "", NOW, address="nonsense", refused="address") | extra,
        ),
    }
