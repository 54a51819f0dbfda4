"""A mailbox is registered under its primary address, also when that could not be asked for at the sign-in."""

from shared.errors import Reason, RetryLater
from tests.fakes.sync_harness import ADDRESS, ID, SyncHarness

PRIMARY = "quinn.baker@contoso.example"


def renamed() -> SyncHarness:
    """A mailbox whose registered address is not its primary one."""
    world = SyncHarness()
    world.mailbox.add(world.mailbox.inbox)
    world.sources.mailboxes[PRIMARY] = world.mailbox
    world.sources.primary[ADDRESS] = PRIMARY
    return world


def test_a_first_sync_learns_the_primary_address() -> None:
    """M2: the server was busy at the sign-in, so the sign-in name stood for the address."""
    world = renamed()
    world.sync()
    assert world.stored.address == PRIMARY
    assert world.registry.at_address(world.stored.tenant_id, PRIMARY) == world.stored
    assert world.registry.at_address(world.stored.tenant_id, ADDRESS) is None
    world.assert_equal()


def test_a_renamed_mailbox_has_its_new_address_after_the_daily_sweep() -> None:
    """M2: without a sign-in; passes in between do not ask."""
    world = SyncHarness()
    world.sync()
    asked = world.sources.requests["primary_address"]
    world.sources.mailboxes[PRIMARY] = world.mailbox
    world.sources.primary[ADDRESS] = PRIMARY
    world.sync()
    assert (world.stored.address, world.sources.requests["primary_address"]) == (ADDRESS, asked)
    world.sweep()
    assert world.stored.address == PRIMARY


def test_a_server_that_does_not_tell_the_address_changes_nothing() -> None:
    """M2: the pass counts, and the next sweep asks again."""
    for request in range(1, 20):
        world = renamed()
        world.sources.fail_at(request, RetryLater(Reason.THROTTLED))
        world.engine.sync(ID)
        if world.stored.first_sync_done and world.stored.address == ADDRESS:
            break
    assert world.sources.requests["primary_address"] == 1
    assert world.stored.reason == ""
    world.sweep()
    assert world.stored.address == PRIMARY


def test_an_address_that_another_mailbox_has_stays_with_that_one() -> None:
    """M2, U1: it was activated meanwhile; the log names both."""
    world = renamed()
    other = world.registry.add(world.stored.with_changes(id="other", address=PRIMARY, owner_id="app"))
    world.sync()
    assert world.stored.address == PRIMARY
    assert world.registry.at_address(other.tenant_id, PRIMARY) == other
