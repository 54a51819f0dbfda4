"""Erasures whose process is killed, and a worker that is stopped in its first page while its mailbox is erased.

Rows S1, S2 and S3 of the field cases; docs/decisions/0010-erasure.md.
"""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from copy import copy
from functools import partial
from typing import Any

import pytest
from requests import RequestException

from sandbox.local.local_stack import LocalStack, local_stack
from shared.app import App
from shared.errors import NotFound
from shared.replica.port import Cursor
from tests.e2e.conftest import NEVER
from tests.e2e.killing import end_lease, is_free, packs_of
from tests.e2e.person import Person
from tests.e2e.watching import Watched
from tests.waiting import eventually

MANY = 300
HELD_SECONDS = 300
"""How long the storage proxy keeps a request back at most; it lets go when it is told to."""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """The product behind a proxy that can keep a request to Storage back."""
    settings = {"SYNC_SCHEDULE": NEVER, "SWEEP_SCHEDULE": NEVER}
    options = ("--in-memory", "--storage-proxy", "--messages", "1")
    with local_stack(tmp_path_factory.mktemp("erasure"), *options, settings=settings) as made:
        yield made


class Held:
    """Requests to Storage that are kept back."""

    def __init__(self, running: LocalStack, rule: str) -> None:
        self._control = running.sandbox.control
        self._rule = rule

    def wait(self) -> None:
        """Until one is."""
        eventually("the request to be kept back", self._is_hit)

    def let_go(self) -> None:
        """Let them take effect now."""
        self._control.delete(f"/faults/{self._rule}")

    def _is_hit(self) -> bool:
        rules: list[dict[str, Any]] = self._control.get("/faults")["rules"]
        return any(rule["id"] == self._rule and rule["hits"] for rule in rules)


@contextmanager
def held(running: LocalStack, operation: str) -> Iterator[Held]:
    """The first request of this kind to Blob Storage is kept back."""
    fault = {"kind": "delay", "seconds": HELD_SECONDS}
    rule = {"service": "blob", "match": {"operation": operation}, "times": 1, "fault": fault}
    requests = Held(running, running.sandbox.control.post("/faults", rule)["id"])
    try:
        yield requests
    finally:
        requests.let_go()


def assert_erased(parts: App, mailbox_id: str) -> None:
    """Of its contents nothing is left, and nothing can be written under its id."""
    with pytest.raises(NotFound):
        parts.registry.get(mailbox_id)
    for container in ("packs", "feed", "cursors"):
        assert list(parts.blobs.get_container_client(container).list_blobs(mailbox_id)) == []
    rows = parts.tables.get_table_client("items").query_entities(f"PartitionKey eq '{mailbox_id}'")
    assert [(row["RowKey"], row["state"]) for row in rows] == [("0-fence", "erased")]
    assert parts.replica.load(mailbox_id) == Cursor()
    assert parts.registry.runs(mailbox_id) == []


def test_s2b_worker_stopped_in_its_first_pack_writes_nothing_later(running: LocalStack) -> None:
    """S2b: SIGSTOP in the first pack write, an erasure by another instance, SIGCONT."""
    one = Watched(running, MANY)
    with held(running, "PUT packs") as pack:
        one.sign_in()
        one.ask()
        pack.wait()
        process = running.host.process.pid
        os.kill(process, signal.SIGSTOP)
        try:
            # Storage ends the lease by itself, a minute after its holder was stopped: the test does not wait for it.
            end_lease(one)
            erased = one.parts.mailbox_commands.erase(one.id, "another-instance")
            assert erased.erased["mailboxes"] == 1
            pack.let_go()
            eventually("the pack to be written after the erasure", lambda: packs_of(one))
        finally:
            os.kill(process, signal.SIGCONT)
        eventually("the worker to have ended its pass", lambda: not running.host.status()["in_flight"])
    assert_erased(one.parts, one.id)


def test_s1_erasure_killed_and_signed_in_again_gives_a_new_whole_mailbox(running: LocalStack) -> None:
    """S1: SIGKILL in the deletions, the same person signs in, the daily round finishes the old mailbox."""
    one = Watched(running, MANY)
    one.sign_in()
    one.synced()
    old = one.id
    person = Person(running, one.address).connect()
    fields = {"mailbox": old, "csrf": person.csrf()}
    with held(running, "DELETE packs") as deletion, ThreadPoolExecutor(1) as pool:
        asked = pool.submit(person.ask, "POST", "/my-sync/erase", data=fields)
        deletion.wait()
        running.host.kill()
        with pytest.raises(RequestException):
            asked.result()
    end_lease(one)
    assert one.mailbox.erasing_since is not None
    running.restart()
    one.sign_in()
    (new,) = (box for box in one.parts.registry.all() if box.address == one.address and box.id != old)
    again = copy(one)
    again._id = new.id
    again.synced()
    assert again.compared().is_equal, again.compared()

    def finished() -> bool:
        if not running.host.status()["in_flight"]:
            running.host.fire("daily")
        return all(box.id != old for box in one.parts.registry.all())

    eventually("the daily round to erase the mailbox", finished, 150)
    eventually("the round's end", lambda: not running.host.status()["in_flight"])
    assert_erased(one.parts, old)
    assert again.compared().is_equal, again.compared()
    assert one.parts.token_store.read(new.authorization_id)
    eventually("the lease to be free", partial(is_free, again))
    person.close()
