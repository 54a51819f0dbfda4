"""Messages that come twice, late, out of order or broken: the mailbox is synced once and right all the same."""

import base64
import json
import shutil
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sandbox.local.local_stack import ROOT, LocalStack, local_stack
from shared.mailboxes.model import Status
from shared.mailboxes.queue import MAILBOXES
from shared.replica.encoding.feed import replay
from tests.conftest import Faults
from tests.e2e.conftest import NEVER
from tests.e2e.fault_bench import Bench, ImpatientApp
from tests.e2e.watching import Watched, wait_for
from tests.waiting import eventually

SLOW = {"kind": "delay", "seconds": 0.3}


def at_once(*acts: Callable[[], object]) -> None:
    """Do all of these at the same time; what one of them raises is raised here."""
    raised: list[BaseException] = []

    def do(act: Callable[[], object]) -> None:
        try:
            act()
        except BaseException as error:
            raised.append(error)

    threads = [threading.Thread(target=do, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    if raised:
        raise raised[0]


@pytest.fixture
def another(bench: Bench) -> ImpatientApp:
    """Another instance of the app, with its own parts, at the same storage."""
    made = ImpatientApp(bench.app.environment)
    made.clocks = bench.app.clocks
    return made


def runs_since(bench: Bench, since: datetime) -> list[str]:
    return [run.outcome for run in bench.app.registry.runs(bench.mailbox_id) if run.started_at >= since]


def assert_replays(bench: Bench) -> None:
    """Whoever replays the feed from zero has the item table."""
    items = {item.key: item.with_changes(located=None) for item in bench.app.replica.items(bench.mailbox_id)}
    assert replay(bench.app.replica.feed(bench.mailbox_id)) == items


def test_the_same_message_twice_at_once_is_one_pass(bench: Bench, another: ImpatientApp, faults: Faults) -> None:
    bench.change("twice at once")
    faults.add("exchange", SLOW, times=None)
    since = bench.app.clocks.now()
    at_once(bench.run, lambda: another.engine.sync(bench.mailbox_id), bench.run)
    assert runs_since(bench, since) == ["done"]
    bench.assert_whole()
    assert_replays(bench)


def test_many_messages_over_many_changes_never_double_anything(
    bench: Bench, another: ImpatientApp, faults: Faults
) -> None:
    faults.add("exchange", {"kind": "delay", "seconds": 0.05}, times=None)

    def again(app: ImpatientApp) -> None:
        for _ in range(4):
            app.engine.sync(bench.mailbox_id)

    def work() -> None:
        for number in range(4):
            bench.change(f"at work {number}")

    at_once(lambda: again(bench.app), lambda: again(another), work)
    faults.clear()
    bench.get_over_it()
    bench.assert_whole()
    assert_replays(bench)


def test_a_stale_continuation_ends_at_once(bench: Bench) -> None:
    bench.change("stale")
    now = bench.app.replica.load(bench.mailbox_id).sequence
    since = bench.app.clocks.now()
    bench.app.engine.sync(bench.mailbox_id, now - 1)
    bench.app.engine.sync(bench.mailbox_id, now + 1)
    assert runs_since(bench, since) == []
    bench.app.engine.sync(bench.mailbox_id, now)
    assert runs_since(bench, since) == ["done"]
    bench.assert_whole()


def ticked(app: ImpatientApp) -> None:
    """The timer, and all that follows from it up to the mailboxes' messages."""
    for shard in range(app.dispatch.tick()):
        app.dispatch.shard(shard)


def test_two_timers_overlapping_send_what_one_would(bench: Bench, another: ImpatientApp, faults: Faults) -> None:
    bench.change("two timers")
    del bench.app.sent[:]
    at_once(lambda: ticked(bench.app), lambda: ticked(another))
    sent = [message for app in (bench.app, another) for message in app.sent if message.mailbox_id == bench.mailbox_id]
    assert len(sent) == 2
    faults.add("exchange", SLOW, times=None)
    since = bench.app.clocks.now()
    at_once(*(lambda: bench.app.engine.sync(bench.mailbox_id) for _ in sent))
    assert runs_since(bench, since) == ["done"]
    bench.assert_whole()


@pytest.mark.parametrize("apart", [timedelta(minutes=10), timedelta(minutes=-10)], ids=["ahead", "behind"])
def test_instances_whose_clocks_are_minutes_apart_agree(bench: Bench, apart: timedelta) -> None:
    other = ImpatientApp(bench.app.environment)
    other.clocks.ahead = bench.app.clocks.ahead + apart
    for number in range(3):
        bench.change(f"apart {number}")
        (other if number % 2 else bench.app).engine.sync(bench.mailbox_id)
        assert bench.compared().is_equal, bench.compared()
    # Whoever comes next must not find passes of the future.
    bench.app.clocks.ahead += abs(apart)
    assert_replays(bench)


# ---------------------------------------------------------------- messages that fail at every try, in the real host


@pytest.fixture
def hasty(tmp_path: Path) -> Iterator[LocalStack]:
    """The product with a host that tries a failed message again after a second, not after minutes."""
    app = tmp_path / "app"
    app.mkdir()
    for part in ("function_app.py", "functions", "shared"):
        (app / part).symlink_to(ROOT / part)
    host = json.loads((ROOT / "host.json").read_text(encoding="utf-8"))
    host["extensions"]["queues"] |= {"visibilityTimeout": "00:00:01", "maxPollingInterval": "00:00:01"}
    (app / "host.json").write_text(json.dumps(host), encoding="utf-8")
    settings = {"SYNC_SCHEDULE": NEVER, "SWEEP_SCHEDULE": NEVER}
    with local_stack(tmp_path / "state", "--in-memory", "--messages", "1", settings=settings, app=app) as running:
        yield running
    shutil.rmtree(app)


def send(running: LocalStack, text: str) -> None:
    """Put a message on the mailboxes' queue as it is."""
    queue = running.parts().queues.get_queue_client(MAILBOXES)
    queue.send_message(base64.b64encode(text.encode()).decode())


def poisoned(running: LocalStack) -> list[str]:
    """What lies in the poison queue."""
    queue = running.parts().queues.get_queue_client(f"{MAILBOXES}-poison")
    names = [found.name for found in running.parts().queues.list_queues()]
    waiting = queue.peek_messages(32) if f"{MAILBOXES}-poison" in names else []
    return sorted(base64.b64decode(message.content).decode() for message in waiting)


def test_poison_messages_mark_the_mailbox_unless_the_fault_is_ours(
    hasty: LocalStack,
) -> None:
    one, other = Watched(hasty, 6), Watched(hasty, 6)
    for person in (one, other):
        person.sign_in()
    eventually("the first syncs", lambda: one.mailbox.first_sync_done and other.mailbox.first_sync_done)
    refused: dict[str, Any] = {"service": "exchange", "times": None, "fault": {"kind": "status", "status": 404}}
    hasty.sandbox.control.post("/faults", refused)
    broken = json.dumps({"mailbox": one.id, "continuation": "rubbish"})
    ours = json.dumps({"mailbox": other.id})
    failing = ["no json, but alex@contoso.example", json.dumps({"mailbox": one.address}), broken, ours]
    for text in (*failing, json.dumps({"mailbox": "0" * 32})):
        send(hasty, text)
    eventually("all but nobody's in the poison queue", lambda: poisoned(hasty) == sorted(failing))
    hasty.sandbox.control.delete("/faults")
    assert told(one) == (Status.ACTIVE, "internal", 1)
    assert told(other) == (Status.ACTIVE, "", 0)
    said = hasty.log.read_text(encoding="utf-8")
    assert said.count("message poisoned") == 1
    assert "alex@contoso" not in said
    assert one.address not in said
    wait_for([one, other], datetime.now(UTC))
    assert told(one) == (Status.ACTIVE, "", 0)
    for person in (one, other):
        assert person.compared().is_equal, person.compared()


def told(one: Watched) -> tuple[Status, str, int]:
    """What the mailbox says of itself."""
    mailbox = one.mailbox
    return mailbox.status, mailbox.reason, mailbox.failures
