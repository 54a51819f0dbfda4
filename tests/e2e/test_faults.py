"""Each thing that can go wrong with each service: the pass says who acts next, and afterward the replica is whole.

Every kind of trouble is met at one of the places where it can strike; tests/soak has each kind at each place.
"""

from collections.abc import Mapping, Sequence
from itertools import cycle

import pytest

from tests.conftest import Faults
from tests.e2e import fault_table as table
from tests.e2e.fault_bench import After, Bench, Trouble


def dealt(places: Sequence[tuple[str, str]], kinds: Mapping[str, tuple[table.Fault, After]]) -> list[object]:
    """Each kind at one place, the places in turn."""
    return [
        pytest.param(Trouble(service, operation, fault), expected, id=f"{operation} {name}")
        for (service, operation), (name, (fault, expected)) in zip(cycle(places), kinds.items(), strict=False)
    ]


def exchange() -> list[tuple[str, str]]:
    return [("exchange", operation) for operation in table.EXCHANGE_OPERATIONS]


@pytest.mark.parametrize(("trouble", "expected"), dealt(exchange(), table.EXCHANGE))
def test_exchange_in_trouble(bench: Bench, faults: Faults, trouble: Trouble, expected: After) -> None:
    assert bench.suffer(faults, trouble) == expected
    bench.get_over_it()
    bench.assert_whole()


@pytest.mark.parametrize(("trouble", "expected"), dealt([("entra", "token refresh_token")], table.ENTRA))
def test_entra_id_in_trouble(bench: Bench, faults: Faults, trouble: Trouble, expected: After) -> None:
    assert bench.suffer(faults, trouble) == expected
    bench.get_over_it()
    bench.assert_whole()


@pytest.mark.parametrize(("trouble", "expected"), dealt([("key_vault", "GET secret")], table.KEY_VAULT))
def test_key_vault_in_trouble(bench: Bench, faults: Faults, trouble: Trouble, expected: After) -> None:
    assert bench.suffer(faults, trouble) == expected
    bench.get_over_it()
    bench.assert_whole()


@pytest.mark.parametrize(("trouble", "expected"), dealt(table.WITHIN_A_PASS, table.STORAGE))
def test_storage_in_trouble_within_a_pass(bench: Bench, faults: Faults, trouble: Trouble, expected: After) -> None:
    assert bench.suffer(faults, trouble) == expected
    bench.get_over_it()
    bench.assert_whole()


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(Trouble(service, operation, fault), id=f"{operation} {name}")
        for (service, operation), (name, fault) in zip(table.BESIDE_A_PASS, table.BESIDE.items(), strict=True)
    ],
)
def test_storage_in_trouble_beside_a_pass(bench: Bench, faults: Faults, trouble: Trouble) -> None:
    after = bench.suffer(faults, trouble)
    assert (after.raised, after.status, after.failures, after.rejections) == ("RetryLater", "active", 0, 0)
    bench.get_over_it()
    bench.assert_whole()


def test_a_missing_table_is_ours_to_mend_and_no_reason_to_sign_in(bench: Bench, faults: Faults) -> None:
    trouble = Trouble("table", "GET authorizations", table.missing("TableNotFound"))
    assert bench.suffer(faults, trouble) == table.ours("our_storage")
    bench.get_over_it()
    bench.assert_whole()


def test_an_unsent_message_is_sent_when_its_trigger_is_redelivered(bench: Bench, faults: Faults) -> None:
    after = bench.suffer(
        faults,
        Trouble("exchange", "FindFolder", table.status(503)),
        Trouble("queue", "POST sync-mailboxes", table.status(500)),
    )
    assert after == After(raised="RetryLater", outcome="unavailable", reason="unavailable")
    bench.get_over_it()
    bench.assert_whole()


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(Trouble("exchange", "SyncFolderItems", {"kind": "expired_token"}, 1, 1), id="expired token"),
        pytest.param(Trouble("exchange", "GetItem", table.busy(200), 1), id="busy with a large batch"),
        pytest.param(Trouble("blob", "PUT feed", table.LOST, 1), id="the feed page's answer lost"),
        pytest.param(Trouble("blob", "PUT packs", table.LOST, 1), id="the pack's answer lost"),
        pytest.param(Trouble("table", "GET items", table.SILENCE, 1), id="silence once"),
        pytest.param(Trouble("queue", "POST sync-mailboxes", table.RESET, 1), id="a message's line reset once"),
    ],
)
def test_what_happens_once_hardly_matters(bench: Bench, faults: Faults, trouble: Trouble) -> None:
    if trouble.service == "queue":
        bench.suffer(faults, Trouble("exchange", "FindFolder", table.status(503)), trouble)
    else:
        after = bench.suffer(faults, trouble)
        assert (after.status, after.failures, after.rejections) == ("active", 0, 0)
        assert after.outcome in ("done", "conflict", "unavailable")
    bench.get_over_it()
    bench.assert_whole()
