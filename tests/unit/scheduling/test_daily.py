"""The daily round does all its parts, whichever of them fails, and tells of an ending credential in time."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from shared.errors import OperatorMustAct, Reason
from shared.scheduling.daily import Daily
from shared.scheduling.dispatch import Dispatch
from tests.fakes.authorization import MemoryFlows
from tests.fakes.summaries import MemorySummaries
from tests.unit.scheduling.test_dispatch import Sent, SomeMailboxes

NOW = datetime(2026, 11, 23, 2, 15, tzinfo=UTC)
INTERVAL = timedelta(minutes=30)


def a_round(
    sent: Sent,
    keep_alive: Callable[[datetime], int] = lambda now: 3,
    ends: datetime | None = None,
) -> Daily:
    dispatch = Dispatch(SomeMailboxes(), sent, 16, INTERVAL, lambda: NOW, summaries=MemorySummaries())  # type: ignore[arg-type]
    return Daily(
        dispatch,
        MemoryFlows(lambda: NOW),
        finish_erasures=lambda: 1,
        delete_unused=lambda: 2,
        keep_alive=keep_alive,
        index_addresses=lambda: 0,
        repair_directory=lambda: 0,
        send_digest=lambda: 0,
        sweep_deliveries=lambda: 0,
        forget_old=lambda now: 0,
        sweep_jobs=lambda: 0,
        credential_ends=lambda: ends,
        clock=lambda: NOW,
    )


def test_everything_is_swept_and_kept_alive() -> None:
    sent = Sent()
    assert a_round(sent).run() == {"shards": 16, "erased": 1, "released": 2, "refreshed": 3, "lapsed": 0}
    assert sent.shards == [(shard, True) for shard in range(16)]


@pytest.mark.parametrize("error", [OperatorMustAct(Reason.OUR_CREDENTIAL), ValueError("what nobody foresaw")])
def test_a_part_that_fails_keeps_none_of_the_others_from_being_done(error: Exception) -> None:
    def refused(now: datetime) -> int:
        raise error

    assert a_round(Sent(), refused).run() == {"shards": 16, "erased": 1, "released": 2, "refreshed": 0, "lapsed": 0}


@pytest.mark.parametrize(("days", "told"), [(29, True), (-1, True), (90, False)])
def test_an_ending_certificate_is_told_of_a_month_before(
    days: int, told: bool, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        a_round(Sent(), ends=NOW + timedelta(days=days)).run()
    assert [record.days_left for record in caplog.records if hasattr(record, "days_left")] == ([days] if told else [])
