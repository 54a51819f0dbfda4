"""A changed occurrence that cannot be read is left out of its series; an outage is not taken for that."""

import re
from collections.abc import Callable

import pytest

from shared.errors import RetryLater
from shared.sources.ews.faults.rules import Fault, error_of_fault
from shared.sources.model import Item
from tests.unit.ews.bad_item_samples import SIZE_ONLY, fetched
from tests.unit.ews.soap_samples import (
    CALENDAR,
    ScriptedChannel,
    answer,
    asked_ids,
    failure,
    fault,
    items,
    success,
)

SERIES = (
    '<t:CalendarItem><t:ItemId Id="I0" ChangeKey="1"/><t:Subject>Series</t:Subject>'
    "<t:Start>2026-03-02T09:00:00Z</t:Start><t:End>2026-03-02T10:00:00Z</t:End><t:ModifiedOccurrences>"
    + "".join(
        f'<t:Occurrence><t:ItemId Id="O{day}" ChangeKey="1"/><t:Start>2026-03-{day:02}T11:00:00Z</t:Start>'
        f"<t:End>2026-03-{day:02}T12:00:00Z</t:End><t:OriginalStart>2026-03-{day:02}T09:00:00Z</t:OriginalStart>"
        "</t:Occurrence>"
        for day in range(3, 8)
    )
    + "</t:ModifiedOccurrences></t:CalendarItem>"
)


def occurrence(identifier: str, more: str = "") -> str:
    day = re.sub(r"\D", "", identifier).zfill(2)
    return (
        f'<t:CalendarItem><t:ItemId Id="{identifier}" ChangeKey="1"/><t:Subject>Changed {identifier}</t:Subject>'
        f"<t:Start>2026-03-{day}T11:00:00Z</t:Start><t:End>2026-03-{day}T12:00:00Z</t:End>{more}</t:CalendarItem>"
    )


def series_with(occurrences: Callable[[list[str]], bytes | Exception]) -> ScriptedChannel:
    def answered(request: str) -> bytes | Exception:
        wanted = asked_ids(request)
        if wanted == ["I0"]:
            return items(SERIES)
        return items(*map(occurrence, wanted)) if SIZE_ONLY in request else occurrences(wanted)

    return ScriptedChannel(answered)


@pytest.mark.parametrize(
    "instead",
    [
        lambda wanted: items(*(occurrence(each, "<t:Broken>" if each == "O5" else "") for each in wanted)),
        lambda wanted: fault("ErrorInternalServerError") if "O5" in wanted else items(*map(occurrence, wanted)),
        lambda wanted: error_of_fault(Fault.OVERSIZED) if "O5" in wanted else items(*map(occurrence, wanted)),
    ],
    ids=["malformed", "fault", "oversized"],
)
def test_one_unreadable_occurrence_costs_its_series_only_itself(
    instead: Callable[[list[str]], bytes | Exception],
) -> None:
    item = fetched(series_with(instead), 1, CALENDAR)["I0"]

    assert isinstance(item, Item)
    assert item.content is not None
    told = item.content.data
    assert [f"SUMMARY:Changed O{day}".encode() in told for day in range(3, 8)] == [True, True, False, True, True]
    assert told.count(b"RECURRENCE-ID:") == 5


def test_what_was_left_of_a_stopped_batch_of_occurrences_is_asked_again() -> None:
    def stopped(wanted: list[str]) -> bytes:
        done = success("GetItem", f"<m:Items>{occurrence(wanted[0])}</m:Items>")
        return answer("GetItem", done, *(failure("GetItem", "ErrorBatchProcessingStopped") for _ in wanted[1:]))

    item = fetched(series_with(stopped), 1, CALENDAR)["I0"]

    assert isinstance(item, Item)
    assert item.content is not None
    assert item.content.data.count(b"SUMMARY:Changed O") == 5


@pytest.mark.parametrize("code", ["ErrorMailboxStoreUnavailable", "ErrorServerBusy"])
def test_a_series_without_its_changed_occurrences_is_not_complete(code: str) -> None:
    channel = series_with(lambda wanted: answer("GetItem", *(failure("GetItem", code) for _ in wanted)))

    with pytest.raises(RetryLater):
        fetched(channel, 1, CALENDAR)
