"""Sample values for every template, in every shape that matters: what the tests render and the screenshots show."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from shared.api.docs_page import page_values
from shared.authorization.onboarding.activation import ActivationResult
from shared.authorization.onboarding.service_accounts import ServiceAccount
from shared.errors import Reason
from shared.mailboxes.model import Mailbox, Status
from shared.mailboxes.port import ItemIssue, Run
from shared.pages.my_sync import actions_for, live_values
from shared.pages.problems import PROBLEMS, problem_of
from shared.pages.status import status_view
from shared.sources.model import AccessMode, SourceName
from tests.unit.pages.console_samples import GROUPS, console_pages, listed
from tests.unit.pages.move_samples import move_pages
from tests.unit.pages.webhook_samples import webhook_pages

NOW = datetime(2026, 11, 23, 14, 7, tzinfo=UTC)
INTERVAL = timedelta(minutes=30)
MINUTE = timedelta(minutes=1)

MAILBOX = Mailbox(
    id="4f1c2a7e-mailbox",
    shard=3,
    tenant_id="tenant",
    owner_id="owner",
    address="ada.lovelace@contoso.example",
    display_name="Ada Lovelace",
    authorization_id="authorization",
    mode=AccessMode.DELEGATED,
    created_at=NOW - timedelta(days=9),
    first_sync_done=True,
    items=12480,
    in_scope=12480,
    last_pass_at=NOW - 6 * MINUTE,
    last_success_at=NOW - 6 * MINUTE,
    complete_as_of=NOW - 6 * MINUTE,
)

FIRST = MAILBOX.with_changes(
    first_sync_done=False,
    created_at=NOW - 4 * MINUTE,
    syncing_since=NOW - 3 * MINUTE,
    items=4321,
    in_scope=12480,
    last_pass_at=None,
    last_success_at=None,
    complete_as_of=None,
)


def run(minutes_ago: int, seconds: int = 3, outcome: str = "done", **counts: Any) -> Run:
    """A session so many minutes ago."""
    started = NOW - minutes_ago * MINUTE
    return Run(MAILBOX.id, started, started + timedelta(seconds=seconds), outcome, **counts)


def issue(number: int, reason: Reason, support: str = "") -> ItemIssue:
    """An issue of one item."""
    return ItemIssue(
        MAILBOX.id, f"item-{number}", "folder", reason, support, 2, NOW - timedelta(days=1), NOW + 24 * MINUTE,
        "Inbox/2026", f"Report {number}" if number > 1 else "", NOW - timedelta(days=number) if number > 1 else None,
    )  # fmt: skip


RUNS = [
    run(6, created=3, updated=1),
    run(36),
    run(66, seconds=31, outcome="throttled"),
    run(96, seconds=12, created=41, moved=7, deleted=12, issues=2),
    run(126, seconds=240, outcome="continues", created=9800, issues=1),
    run(156, outcome="held"),
]

ISSUES = [issue(1, Reason.ITEM_TOO_LARGE), issue(2, Reason.ITEM_TOO_LARGE), issue(3, Reason.ITEM_CORRUPT, "ErrorX")]

STATES = {
    "up-to-date": (MAILBOX, RUNS, []),
    "just-synced": (MAILBOX.with_changes(last_pass_at=NOW), RUNS, []),
    "stopping": (MAILBOX.with_changes(status=Status.PAUSED, syncing_since=NOW - MINUTE), RUNS, []),
    "exceptions": (MAILBOX.with_changes(issues=3, in_scope=12495, private_left_out=12), RUNS, ISSUES),
    "in-group": (MAILBOX.with_changes(group="legal", in_scope=12495, private_left_out=12), RUNS, []),
    "syncing": (MAILBOX.with_changes(syncing_since=NOW - MINUTE), RUNS, []),
    "retrying": (MAILBOX.with_changes(reason="throttled"), RUNS, []),
    "late": (MAILBOX.with_changes(last_success_at=NOW - timedelta(hours=3), reason="unavailable"), RUNS, []),
    "first-waiting": (FIRST.with_changes(syncing_since=None, items=0, in_scope=0), [], []),
    "first-counting": (FIRST.with_changes(items=0, in_scope=0), [], []),
    "first": (FIRST, [], []),
    "first-interrupted": (FIRST.with_changes(syncing_since=None, reason="timed_out"), [], []),
    "moved": (
        MAILBOX.with_changes(source=SourceName.GRAPH, moved_at=NOW, parity_same=1_200, parity_not_given=3),
        [replace(RUNS[0], kind="move", outcome=outcome) for outcome in ("moved", "restated", "surveyed", "blocked")],
        [],
    ),
    "permission-needed": (MAILBOX.with_changes(move_blocked="admin_consent_required"), RUNS, []),
    "paused": (MAILBOX.with_changes(status=Status.PAUSED), RUNS, []),
    "needs-sign-in": (
        MAILBOX.with_changes(status=Status.NEEDS_SIGN_IN, reason="grant_revoked", support="AADSTS50173"),
        RUNS,
        [],
    ),
    "needs-admin": (MAILBOX.with_changes(status=Status.NEEDS_ADMIN, reason="ews_blocked", support="403"), RUNS, []),
    "suspended": (MAILBOX.with_changes(status=Status.SUSPENDED, reason="bad_answer"), RUNS, []),
    "disconnected": (MAILBOX.with_changes(status=Status.DISCONNECTED), RUNS, []),
}

PROMISE: dict[str, object] = {
    "minutes": 30,
    "usual_folders": True,
    "content": "mime",
    "mail_days": 0,
    "private_items": False,
    "has_exclusions": False,
    "is_own": False,
    "deleted_days": 7,
    "retention_days": 0,
}


C = {"csrf": "csrf-token"}

ACTIVATE: dict[str, object] = {
    "authorization": "",
    "tenant": "t-1",
    "results": [],
    "refused": "",
    "names": "",
    "accounts": [],
    "groups": ["board", "legal"],
    "group": "legal",
    "done": "",
}
ACCOUNTS = [
    ServiceAccount("a-1", "service@contoso.example", NOW, 12),
    ServiceAccount("a-2", "spare@contoso.example", NOW, 0),
]

ACTIVATED = [
    ActivationResult("ada@contoso.example", "ada@contoso.example", "active", "m-1"),
    ActivationResult("Alan", "alan@contoso.example", "already"),
    ActivationResult("grace@contoso.example", "grace@contoso.example", "failed", reason="no_licence", support="ErrorX"),
    ActivationResult("Smith", "", "failed", reason="ambiguous_name"),
    ActivationResult("kurt@contoso.example", "", "not_tried"),
]


def live(state: str) -> dict[str, object]:
    """The values of the changing part of My sync, in one of the states."""
    mailbox, runs, issues = STATES[state]
    possible_at = NOW + MINUTE if state == "just-synced" else None
    values = live_values(mailbox, runs, issues, NOW, INTERVAL, group=GROUPS[1] if mailbox.group else None)
    return values | {"csrf": "csrf-token", "sync_possible_at": possible_at}


def my_sync(state: str, **values: object) -> tuple[str, dict[str, object]]:
    """The whole page."""
    mailbox = STATES[state][0]
    acts = actions_for(mailbox, status_view(mailbox, NOW, INTERVAL))
    return "my_sync", PROMISE | {"is_own": True} | live(state) | {"acts": acts, "others": [], "done": "", **values}


def on_hold(state: str) -> tuple[str, dict[str, object]]:
    """The whole page of a mailbox on legal hold."""
    mailbox = STATES[state][0].with_changes(hold_since=NOW, hold_by="operator-oid", hold_reason="Matter 7")
    acts = actions_for(mailbox, status_view(mailbox, NOW, INTERVAL))
    return my_sync(state, mailbox=mailbox, acts=acts)


def problem(code: str, **values: object) -> tuple[str, dict[str, object]]:
    """A problem's page."""
    found = problem_of(code)
    return "problem", {"code": code, "target": found.target, "support": "", "values": values, **values}


def _fleet() -> list[Mailbox]:
    return [
        mailbox.with_changes(id=f"{number:08d}-{state}", address=f"person.{number}@contoso.example")
        for number, (state, (mailbox, _, _)) in enumerate(STATES.items())
    ]


@cache
def _api_docs() -> dict[str, Any]:
    """The values of the API's page: the same each time, and the dearest of all."""
    return page_values()


def all_pages() -> dict[str, tuple[str, dict[str, object]]]:
    """Every page by a name of its own: the template and its values."""
    other = MAILBOX.with_changes(id="other", address="ada@fabrikam.example")
    pages: dict[str, tuple[str, dict[str, object]]] = {
        "landing": ("landing", PROMISE),
        "landing-narrow": ("landing", PROMISE | {"content": "metadata", "mail_days": 90, "usual_folders": False}),
        "landing-retention": ("landing", PROMISE | {"retention_days": 30}),
        "interstitial": ("interstitial", {"url": "https://login.example/authorize?a=1&b=2"}),
        "connected": ("connected", {"address": MAILBOX.address, "next_at": NOW, "return_url": ""}),
        "connected-return": (
            "connected",
            {"address": MAILBOX.address, "next_at": None, "return_url": "https://a.example/"},
        ),
        "invitation": (
            "invitation",
            {"address": MAILBOX.address, "valid_until": NOW, "target": "/sign-in?invitation=x", "has_summary": False},
        ),
        "invitation-group": (
            "invitation",
            {"address": MAILBOX.address, "valid_until": NOW, "target": "/sign-in?invitation=x", "has_summary": True}
            | PROMISE
            | {"is_own": True, "private_items": True, "retention_days": 365, "has_exclusions": True},
        ),
        "signed-out": ("signed_out", {}),
        "approval": (
            "need_admin_approval",
            {"approval_url": "https://sync.contoso.example/approval", "support": "AADSTS90094"},
        ),
        "ask-administrator": (
            "ask_administrator",
            {
                "reason": "ews_blocked",
                "client_id": "0b1c5b6e-8a4f-4c59-9d0a-7c1f7f2d3e4a",
                "mailbox": MAILBOX.address,
                "support": "unsaid",
                "csrf": "c",
            },
        ),
        "approved": ("admin_consented", {"waiting": 2}),
        "no-mailbox": ("no_mailbox", {"csrf": "c"}),
        "receipt": (
            "receipt",
            {
                "number": "r-2f9c1b",
                "address": MAILBOX.address,
                "erased_at": NOW,
                "gone": [
                    ("packs", 51),
                    ("pages", 104),
                    ("items", 12480),
                    ("runs", 318),
                    ("secrets", 4),
                    ("new-name", 1),
                ],
                "held_until": NOW + timedelta(days=90),
                "reconnected": True,
                "organization_copy": True,
                "other_copies": "unstated",
            },
        ),
        "activate": ("activate", ACTIVATE | {"refused": "tenant", "names": "a"} | C),
        "activate-revoked": ("activate", ACTIVATE | {"accounts": ACCOUNTS, "done": "revoked"} | C),
        "activate-results": (
            "activate",
            ACTIVATE | {"authorization": "a-1", "tenant": "", "results": ACTIVATED, "accounts": ACCOUNTS} | C,
        ),
        "api-docs": ("api_docs", _api_docs()),
        "two-mailboxes": my_sync("up-to-date", others=[MAILBOX, other], done="sync"),
        **move_pages(MAILBOX),
        **console_pages(MAILBOX),
        **webhook_pages(),
        "operator": listed(_fleet(), {}),
    }
    for state in ("up-to-date", "disconnected"):
        pages[f"my-sync-{state}-on-hold"] = on_hold(state)
    for act in ("change-account", "disconnect", "erase"):
        pages[f"confirm-{act}"] = ("confirm", {"act": act, "mailbox": MAILBOX, "csrf": "c", "signs_in": False})
    pages["confirm-erase-signs-in"] = ("confirm", {"act": "erase", "mailbox": MAILBOX, "csrf": "c", "signs_in": True})
    for state in STATES:
        pages[f"my-sync-{state}"] = my_sync(state)
    for code in PROBLEMS:
        pages[f"problem-{code}"] = problem(code)
    pages["problem-wrong_account"] = problem("wrong_account", wanted=MAILBOX.address, actual="bob@contoso.example")
    pages["problem-conditional_access"] = problem("conditional_access", support="AADSTS53003")
    pages["problem-ews_blocked-steps"] = problem("ews_blocked", client_id="0b1c5b6e", support="unsaid")
    return pages


ENGLISH_TEMPLATES = ("activate", "api_docs", "console/", "moves", "parity")
"""How the templates begin that are for operators and programs, and in English only."""


def person_pages() -> dict[str, tuple[str, dict[str, object]]]:
    """The pages that people see, in more than one language."""
    return {name: page for name, page in all_pages().items() if not page[0].startswith(ENGLISH_TEMPLATES)}
