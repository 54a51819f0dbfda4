"""What befalls the mailbox itself: moved, emptied, under new ids, on another server for a while."""

import pytest

from sandbox.local.sandbox_process import Sandbox
from tests.conftest import Faults
from tests.e2e.fault_bench import Bench, Trouble

ENOUGH_TO_BE_PROTECTED = 80


@pytest.fixture
def large(bench: Bench, sandbox: Sandbox) -> Bench:
    """Somebody with more in the mailbox than may vanish unquestioned; `bench` has set the environment."""
    one = Bench(sandbox, bench.app.environment, ENOUGH_TO_BE_PROTECTED)
    one.get_over_it()
    one.assert_whole()
    return one


def test_an_empty_answer_is_believed_when_it_is_given_again_later(large: Bench) -> None:
    held = large.mailbox.items
    large.control("answer-empty", how="items")
    since = large.app.clocks.now()
    large.run()
    assert (large.outcome(since), large.mailbox.items) == ("held", held)
    large.get_over_it()
    large.assert_whole()
    assert large.mailbox.items == 0
    large.control("answer-empty", how="off")
    large.get_over_it()
    large.assert_whole()
    assert large.mailbox.items == held


def test_a_mailbox_without_folders_is_not_believed_at_once(large: Bench) -> None:
    held = large.mailbox.items
    large.control("answer-empty", how="folders")
    large.run()
    assert sum(1 for _ in large.app.replica.items(large.mailbox_id)) == held
    large.control("answer-empty", how="off")
    large.get_over_it()
    large.assert_whole()


def test_a_mailbox_recreated_under_new_ids_ends_equal(large: Bench) -> None:
    large.control("recreate")
    large.change("recreated")
    large.get_over_it()
    large.assert_whole()


def test_a_mailbox_that_is_being_moved_is_waited_for(bench: Bench) -> None:
    bench.spoilt = True
    bench.change("moving")
    bench.control("move-in-progress", on=True)
    since = bench.app.clocks.now()
    bench.run()
    assert bench.outcome(since) == "unavailable"
    assert (bench.mailbox.failures, bench.mailbox.rejections) == (0, 0)
    bench.control("move-in-progress", on=False)
    bench.get_over_it()
    bench.assert_whole()


def test_sync_states_forgotten_while_storage_is_in_trouble_end_equal(bench: Bench, faults: Faults) -> None:
    bench.control("invalidate-sync-states")
    bench.suffer(faults, Trouble("blob", "PUT cursors", {"kind": "status", "status": 500}))
    bench.get_over_it()
    bench.assert_whole()


def test_a_lost_cursor_while_exchange_is_in_trouble_ends_equal(bench: Bench, faults: Faults) -> None:
    bench.app.blobs.get_blob_client("cursors", bench.mailbox_id).delete_blob()
    bench.suffer(faults, Trouble("exchange", "SyncFolderItems", {"kind": "status", "status": 503}, skip=2))
    bench.get_over_it()
    bench.assert_whole()
