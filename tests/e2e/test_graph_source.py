"""Somebody whose tenant blocks EWS signs in, is synced over Microsoft Graph, and never learns the difference."""

import pytest

from sandbox.local.local_stack import LocalStack
from sandbox.mailboxes.editor import KINDS
from shared.sources.model import SourceName
from tests.e2e.watching import Watched


@pytest.fixture(scope="module")
def somebody(running_app: LocalStack) -> Watched:
    """Connected through the real pages while EWS is blocked for them, and synced once."""
    one = Watched(running_app, 60)
    one.control("block", variant="app_not_listed")
    assert one.sign_in() == "My sync"
    one.synced(since=one.mailbox.created_at)
    return one


def test_first_sync_over_graph_brings_everything_that_graph_gives(somebody: Watched) -> None:
    assert somebody.mailbox.source is SourceName.GRAPH
    assert somebody.compared().is_equal, somebody.compared()
    assert somebody.mailbox.first_sync_done
    assert somebody.mailbox.issues == 0


def test_changes_of_every_kind_arrive_over_graph(somebody: Watched) -> None:
    for seed in (1, 2):
        somebody.change(list(KINDS), seed)
        somebody.synced()
        assert somebody.compared().is_equal, somebody.compared()


def test_every_delta_token_forgotten_is_no_loss(somebody: Watched) -> None:
    somebody.control("invalidate-sync-states")
    somebody.change(["create", "hard_delete", "update"], 3)
    somebody.synced()
    assert somebody.compared().is_equal, somebody.compared()


def test_daily_sweep_over_graph_finds_nothing_amiss(somebody: Watched) -> None:
    somebody.swept()
    assert (somebody.mailbox.sweep_missing, somebody.mailbox.sweep_extra) == (0, 0)
