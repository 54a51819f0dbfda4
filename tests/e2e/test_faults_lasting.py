"""Trouble that lasts, and trouble that comes in pairs: an outage never asks anybody to sign in, a rejection does."""

from datetime import timedelta
from itertools import combinations
from random import Random

import pytest

from shared.mailboxes.model import Status
from tests.conftest import Faults
from tests.e2e import fault_table as table
from tests.e2e.fault_bench import Bench, Trouble

LONGER_THAN_ANY_THRESHOLD = 12
PAIRS = 8


def last(bench: Bench, faults: Faults, trouble: Trouble, passes: int) -> None:
    """Let a trouble last for so many passes, then be over."""
    bench.spoilt = True
    trouble.begin(faults)
    for _ in range(passes):
        bench.app.access_tokens.forget(bench.mailbox.authorization_id)
        bench.app.clocks.ahead += timedelta(minutes=31)
        bench.run()
    faults.clear()


@pytest.mark.parametrize(
    "trouble",
    [
        Trouble("exchange", "FindFolder", table.status(503)),
        Trouble("exchange", "FindFolder", table.status(404)),
        Trouble("entra", "token refresh_token", table.status(503)),
        Trouble("entra", "token refresh_token", table.refused("invalid_client", 7000222)),
        Trouble("key_vault", "GET secret", table.status(403)),
        Trouble("key_vault", "GET secret", table.status(404)),
        Trouble("blob", "GET cursors", table.status(500)),
    ],
    ids=lambda trouble: f"{trouble.service} {trouble.fault['status']}",
)
def test_an_outage_of_any_length_asks_nobody_to_sign_in(bench: Bench, faults: Faults, trouble: Trouble) -> None:
    bench.change(repr(trouble))
    last(bench, faults, trouble, LONGER_THAN_ANY_THRESHOLD)
    mailbox = bench.mailbox
    assert (mailbox.status, mailbox.failures, mailbox.rejections) == (Status.ACTIVE, 0, 0)
    bench.get_over_it()
    bench.assert_whole()


def test_the_sixth_rejection_in_a_row_asks_to_sign_in(bench: Bench, faults: Faults) -> None:
    bench.change("rejected")
    rejected = Trouble("exchange", "FindFolder", {"kind": "expired_token"})
    last(bench, faults, rejected, 5)
    assert (bench.mailbox.status, bench.mailbox.rejections) == (Status.ACTIVE, 5)
    last(bench, faults, rejected, 1)
    assert bench.mailbox.status is Status.NEEDS_SIGN_IN
    bench.get_over_it()
    bench.assert_whole()


def test_a_blocked_mailbox_is_tried_ever_more_seldom_and_needs_no_sign_in(bench: Bench, faults: Faults) -> None:
    bench.change("blocked")
    last(bench, faults, Trouble("exchange", ".*", table.status(403)), 3)
    mailbox = bench.mailbox
    assert (mailbox.status, mailbox.rejections) == (Status.NEEDS_ADMIN, 0)
    assert mailbox.due_at is not None
    assert mailbox.due_at - bench.app.clocks.now() > timedelta(hours=1)
    bench.get_over_it()
    bench.assert_whole()


def test_a_throttled_tenant_is_left_alone_by_all_its_mailboxes(bench: Bench, faults: Faults) -> None:
    bench.suffer(faults, Trouble("exchange", "FindFolder", table.status(429, Retry_After="600")))
    bench.sandbox.control.delete("/requests")
    bench.app.clocks.ahead += timedelta(minutes=5)
    bench.run()
    assert "exchange" not in bench.sandbox.control.get("/requests")
    assert 240 <= bench.app.sent[-1].delay <= 600
    bench.get_over_it()
    bench.assert_whole()


def test_an_item_that_nobody_can_parse_is_an_issue_until_it_can_be_read(bench: Bench, faults: Faults) -> None:
    trouble = Trouble("exchange", "GetItem", table.as_xml(table.MISMATCHED))
    assert bench.suffer(faults, trouble, kinds=["create"]) == table.HEALS
    assert [issue.reason for issue in bench.app.registry.issues(bench.mailbox_id)] == ["item_unreadable"]
    bench.get_over_it()
    bench.assert_whole()


def test_folders_that_cannot_be_read_are_issues_until_they_can(bench: Bench, faults: Faults) -> None:
    trouble = Trouble("exchange", "SyncFolderItems", table.as_xml(table.MISMATCHED))
    assert bench.suffer(faults, trouble) == table.HEALS
    assert {issue.reason for issue in bench.app.registry.issues(bench.mailbox_id)} == {"item_unreadable"}
    bench.get_over_it()
    bench.assert_whole()


@pytest.mark.parametrize("fault", [table.RESET, table.SILENCE, table.status(500)], ids=["reset", "silence", "500"])
def test_items_that_end_every_pass_become_issues_and_block_nothing(
    bench: Bench, faults: Faults, fault: table.Fault
) -> None:
    bench.spoilt = True
    bench.control("generate", folder="inbox", count=2, size=3000)
    choking = Trouble("exchange", "GetItem", fault)
    last(bench, faults, choking, 4)
    assert bench.mailbox.reason in ("unavailable", "timed_out")
    assert bench.app.registry.issues(bench.mailbox_id) == []
    last(bench, faults, choking, 1)
    assert (bench.mailbox.reason, bench.mailbox.issues) == ("", 2)
    assert [issue.reason for issue in bench.app.registry.issues(bench.mailbox_id)] == ["item_unreadable"] * 2
    bench.get_over_it()
    bench.assert_whole()


def chosen() -> list[tuple[str, str]]:
    """Some pairs, the same ones every time."""
    return Random(20261123).sample(list(combinations(table.SAMPLES, 2)), PAIRS)  # noqa: S311 -- repeatable on purpose


@pytest.mark.parametrize("names", chosen(), ids=" and ".join)
def test_two_troubles_together_end_whole(bench: Bench, faults: Faults, names: tuple[str, str]) -> None:
    bench.two_together(faults, *(table.SAMPLES[name] for name in names))
