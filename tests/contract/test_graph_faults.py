"""Faults of Graph in one or two requests: the replica is correct afterward, and no wrong actor is asked to act."""

import itertools
import random

import pytest

from sandbox.compare import compare
from sandbox.mailboxes import deletion
from sandbox.mailboxes.item_parts import Corruption
from sandbox.mailboxes.snapshot import snapshot
from shared.errors import OperatorMustAct
from shared.mailboxes.model import Status
from shared.sources.graph.ids import ews_id
from shared.sources.https_pool import HttpReply, TransportFailed, TransportFault
from tests.contract.graph_in_process import Fault, GraphWorld, breaking, refusing
from tests.fakes.sync_harness import ID


def cut(reply: HttpReply) -> HttpReply:
    """Half of the JSON. Half of a message as such would be a message, and the transport notices that it is cut."""
    if not reply.body.startswith(b"{"):
        raise TransportFailed(TransportFault.CUT)
    return HttpReply(reply.status, reply.headers, reply.body[: len(reply.body) // 2])


FAULTS: dict[str, Fault] = {
    "throttled": refusing(429, "ApplicationThrottled", retry_after="3"),
    "busy": refusing(503, retry_after="3"),
    "empty 503": refusing(503),
    "server error": refusing(500, "InternalServerError"),
    "conversion failed": refusing(500, "ErrorContentConversionFailed"),
    "gateway": refusing(502),
    "timed out": refusing(504),
    "token rejected": refusing(401, "InvalidAuthenticationToken"),
    "state lost": refusing(410, "syncStateNotFound"),
    "over quota": refusing(403, "ErrorQuotaExceeded"),
    "not found": refusing(404, "ErrorItemNotFound"),
    "denied": refusing(403, "ErrorAccessDenied"),
    "redirect": refusing(302, location="https://evil.example/"),
    "no JSON": lambda reply: HttpReply(200, {}, b"<html>"),
    "other JSON": lambda reply: HttpReply(200, {}, b'{"value":"x"}'),
    "cut": cut,
    "reset": breaking(TransportFailed(TransportFault.RESET)),
    "silence": breaking(TransportFailed(TransportFault.SILENCE)),
    "oversized": breaking(TransportFailed(TransportFault.OVERSIZED)),
}

REQUESTS = range(1, 7)
"""The numbers of the requests of a pass: scan batches, delta pages, contents."""


def synced_once() -> GraphWorld:
    world = GraphWorld()
    for number in range(4):
        world.insert("inbox", number)
    world.sync()
    assert world.subjects() == world.wanted()
    return world


def work(world: GraphWorld) -> None:
    """Move, delete and add mail."""
    first, second, *_ = list(world.exchange.distinguished["inbox"].items.values())
    deletion.move_item(first, world.exchange.distinguished["drafts"])
    deletion.delete_item(second, "HardDelete")
    world.insert("inbox", 10)
    world.insert("drafts", 11)


def disturbed_pass(world: GraphWorld, faults: dict[int, Fault]) -> None:
    """Run a pass with faults in some requests. An error for the operator ends it, and its messages are dropped."""
    world.faults.update(faults)
    world.clock.pass_by(minutes=30)
    try:
        world.sync()
    except OperatorMustAct:
        world.queue.mailboxes.clear()


def assert_whole(world: GraphWorld) -> None:
    """Every item is the mailbox's, and its content byte for byte: no error page was kept as a message."""
    found = compare(snapshot(world.exchange), world.replica, ID, over_graph=True)
    assert found.is_equal, found


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_each_fault_at_each_request_of_a_pass_leaves_the_replica_right(fault: Fault) -> None:
    for request in REQUESTS:
        world = synced_once()
        work(world)
        disturbed_pass(world, {request: fault})
        assert world.stored.status in (Status.ACTIVE, Status.NEEDS_ADMIN)
        world.heal()
        assert world.subjects() == world.wanted()
        assert world.stored.status is Status.ACTIVE
        assert world.stored.issues == 0
        assert_whole(world)


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_each_fault_at_each_request_of_a_first_sync_leaves_it_right(fault: Fault) -> None:
    for request in REQUESTS:
        world = GraphWorld()
        for number in range(4):
            world.insert("inbox", number)
        disturbed_pass(world, {request: fault})
        world.heal()
        assert world.subjects() == world.wanted()
        assert world.stored.issues == 0
        assert_whole(world)


def test_two_faults_in_one_pass_leave_the_replica_right() -> None:
    chosen = random.Random(11)  # noqa: S311 -- a fixed seed, so that every run tests the same
    pairs = chosen.sample(list(itertools.combinations(FAULTS, 2)), 20)
    for one, other in pairs:
        world = synced_once()
        work(world)
        first = chosen.choice(REQUESTS)
        disturbed_pass(world, {first: FAULTS[one], first + chosen.choice((1, 2)): FAULTS[other]})
        world.heal()
        assert world.subjects() == world.wanted(), (one, other)


def test_mutated_answers_never_spoil_the_replica() -> None:
    chosen = random.Random(7)  # noqa: S311 -- a fixed seed, so that every run tests the same

    def mutated(reply: HttpReply) -> HttpReply:
        body = bytearray(reply.body)
        for _ in range(chosen.choice((1, 1, 3))):
            if body:
                body[chosen.randrange(len(body))] = chosen.choice(b'"{}[]:,0x\x00\xff')
        return HttpReply(reply.status, reply.headers, bytes(body))

    for request in list(REQUESTS) * 2:
        world = synced_once()
        work(world)
        disturbed_pass(world, {request: mutated})
        world.heal()
        assert world.subjects() == world.wanted()


def test_an_item_never_given_becomes_an_issue_and_stops_nothing() -> None:
    world = synced_once()
    item_id = world.insert("inbox", 12)
    world.insert("inbox", 13)

    world.exchange.items[ews_id(item_id)].corruption = Corruption("ErrorItemCorrupt")
    world.clock.pass_by(minutes=30)

    world.sync()

    assert "Letter 13" in world.subjects()
    assert world.stored.issues == 1
    assert world.stored.status is Status.ACTIVE
