"""Failures in isolation: an item that looks like an outage fails alone, and an outage fails no item."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.errors import Reason, RetryLater
from shared.sources.ews.faults.rules import Fault, error_of_fault, error_of_rule, rule_of_code, rule_of_status
from shared.sources.ews.fetching.fetcher import Fetcher
from shared.sources.ews.transport.session import EwsLimits
from shared.sources.ews.transport.soap_request import Envelopes
from shared.sources.fault_attribution import CHECK_SECONDS, MAX_CHECKS, FaultAttribution
from shared.sources.model import Access, AccessMode, ContentLevel, Item, ItemFailure
from tests.unit.ews.bad_item_samples import MIME, SIZE_ONLY, fetched, reasons, unless_asked_for
from tests.unit.ews.soap_samples import (
    INBOX,
    ROOT,
    ScriptedChannel,
    answer,
    asked_ids,
    failure,
    fault,
    ids,
    mailbox,
    message,
    messages_as_asked,
    success,
)

CHOKING = {
    "silence": error_of_fault(Fault.SILENCE),
    "drip": error_of_fault(Fault.DRIP),
    "reset": error_of_fault(Fault.RESET),
    "cut": error_of_fault(Fault.CUT),
    "not_xml": error_of_fault(Fault.NOT_XML),
    "unexpected": error_of_fault(Fault.UNEXPECTED),
    "http_500": error_of_rule(rule_of_status(500), "http_500"),
    "http_504": error_of_rule(rule_of_status(504), "http_504"),
    "ErrorMailboxStoreUnavailable": error_of_rule(
        rule_of_code("ErrorMailboxStoreUnavailable"), "ErrorMailboxStoreUnavailable"
    ),
    "ErrorServerBusy": error_of_rule(rule_of_code("ErrorServerBusy"), "ErrorServerBusy"),
}
"""What an outage says, by the word that support is given for it."""


@pytest.mark.parametrize("said", CHOKING)
def test_an_item_that_looks_like_an_outage_ends_the_fetch(said: str) -> None:
    with pytest.raises(RetryLater):
        fetched(unless_asked_for({"I5"}, lambda _: CHOKING[said]), 16)


@pytest.mark.parametrize("count", [1, 16, 40])
@pytest.mark.parametrize("said", CHOKING)
def test_an_item_that_looks_like_an_outage_fails_alone_in_isolation(said: str, count: int) -> None:
    last = f"I{count - 1}"
    results = fetched(unless_asked_for({last}, lambda _: CHOKING[said]), count, isolate_failures=True)

    assert reasons(results) == {last: Reason.ITEM_UNREADABLE}
    assert getattr(results[last], "support", "") == said
    assert len(results) == count


def test_an_outage_reported_for_one_item_fails_it_alone_in_isolation() -> None:
    def said_of_one(wanted: list[str]) -> bytes:
        told = [
            failure("GetItem", "ErrorMailboxStoreUnavailable")
            if each == "I5"
            else success("GetItem", f"<m:Items>{message(each)}</m:Items>")
            for each in wanted
        ]
        return answer("GetItem", *told)

    with pytest.raises(RetryLater):
        fetched(unless_asked_for({"I5"}, said_of_one), 16)
    results = fetched(unless_asked_for({"I5"}, said_of_one), 16, isolate_failures=True)
    assert reasons(results) == {"I5": Reason.ITEM_UNREADABLE}
    assert len(results) == 16


def test_an_item_without_a_readable_size_fails_alone_in_isolation() -> None:
    def answered(request: str) -> bytes | Exception:
        wanted = asked_ids(request)
        if "<m:GetFolder>" in request:
            return ROOT
        if "I5" not in wanted:
            return messages_as_asked(request)
        return error_of_fault(Fault.SILENCE) if SIZE_ONLY in request else fault("ErrorInternalServerError")

    with pytest.raises(RetryLater):
        fetched(ScriptedChannel(answered), 16)
    assert reasons(fetched(ScriptedChannel(answered), 16, isolate_failures=True)) == {"I5": Reason.ITEM_UNREADABLE}


def test_a_fault_that_has_passed_makes_no_issue_in_isolation() -> None:
    channel = ScriptedChannel(CHOKING["reset"], ROOT, messages_as_asked)

    assert reasons(fetched(channel, 1, isolate_failures=True)) == {}


@pytest.mark.parametrize("said", CHOKING)
def test_an_outage_makes_no_issues_though_passes_are_isolate_failures(said: str) -> None:
    channel = ScriptedChannel(CHOKING[said])

    with pytest.raises(RetryLater):
        fetched(channel, 16, isolate_failures=True)

    assert channel.requests <= 6


def test_a_servers_retry_time_is_believed_in_isolation() -> None:
    channel = unless_asked_for({"I5"}, lambda _: error_of_rule(rule_of_status(503), "http_503", retry_after=60))

    with pytest.raises(RetryLater) as caught:
        fetched(channel, 16, isolate_failures=True)

    assert caught.value.retry_after == 60
    assert channel.requests == 1


def test_failures_are_looked_into_for_a_while_only() -> None:
    now, probes = [0.0], list[float]()
    silence = RetryLater(Reason.TIMED_OUT)
    assert not FaultAttribution(lambda: probes.append(now[0]), lambda: now[0]).may_be_item_fault(silence)
    faults = FaultAttribution(lambda: probes.append(now[0]), lambda: now[0], isolate_failures=True)
    for now[0] in (1000.0, 1000.0 + CHECK_SECONDS):
        assert faults.may_be_item_fault(silence)
    now[0] += 1
    assert not faults.may_be_item_fault(silence)
    assert probes == [1000.0, 1000.0 + CHECK_SECONDS]


@pytest.mark.parametrize("said", CHOKING)
def test_a_store_that_gives_no_item_is_asked_for_a_few_only(said: str) -> None:
    channel = unless_asked_for(ids(2000), lambda _: CHOKING[said])
    source = mailbox(channel, isolate_failures=True)
    results: list[Item | ItemFailure] = []

    with pytest.raises(RetryLater):
        results.extend(source.fetch(INBOX, ids(2000), ContentLevel.METADATA))

    assert 0 < len(results) <= MAX_CHECKS
    assert channel.requests < 5 * MAX_CHECKS


def test_what_was_found_out_before_patience_ended_is_given() -> None:
    """Else a batch with more silent items than a pass has time for would be asked in vain by every pass."""
    now = [0.0]

    def silent(wanted: list[str]) -> Exception:
        now[0] += EwsLimits().silence
        return error_of_fault(Fault.SILENCE)

    faults = FaultAttribution(lambda: None, lambda: now[0], isolate_failures=True)
    channel = unless_asked_for(ids(9)[1:], silent)
    fetcher = Fetcher(
        channel, Envelopes(Access("a@x.example", AccessMode.DELEGATED, "t")), EwsLimits(), 1 << 20, faults
    )
    results: list[Item | ItemFailure] = []

    with pytest.raises(RetryLater):
        results.extend(fetcher.fetch(INBOX, ids(9), MIME, ThreadPoolExecutor, 1))

    assert isinstance(results[0], Item)
    assert [result.item_id for result in results[1:] if isinstance(result, ItemFailure)] == ["I1", "I2", "I3"]


@pytest.mark.parametrize("said", CHOKING)
def test_an_outage_item_in_an_oversized_batch_fails_alone_in_isolation(
    said: str,
) -> None:
    def oversized_then_choking() -> Callable[[list[str]], Exception]:
        waiting = [error_of_fault(Fault.OVERSIZED)]
        return lambda _: waiting.pop() if waiting else CHOKING[said]

    with pytest.raises(RetryLater):
        fetched(unless_asked_for({"I5"}, oversized_then_choking()), 16)
    results = fetched(unless_asked_for({"I5"}, oversized_then_choking()), 16, isolate_failures=True)
    assert reasons(results) == {"I5": Reason.ITEM_UNREADABLE}
    assert len(results) == 16


def test_an_item_whose_size_fails_in_an_oversized_batch_fails_alone() -> None:
    def answered(request: str) -> bytes | Exception:
        wanted = asked_ids(request)
        if "<m:GetFolder>" in request:
            return ROOT
        if len(wanted) == 16 and SIZE_ONLY not in request:
            return error_of_fault(Fault.OVERSIZED)
        return error_of_fault(Fault.SILENCE) if "I5" in wanted else messages_as_asked(request)

    with pytest.raises(RetryLater):
        fetched(ScriptedChannel(answered), 16)
    results = fetched(ScriptedChannel(answered), 16, isolate_failures=True)
    assert reasons(results) == {"I5": Reason.ITEM_UNREADABLE}
    assert len(results) == 16
