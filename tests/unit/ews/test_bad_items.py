"""Items that spoil more than themselves: what they do to their batch, to their series and to the pass."""

import re
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.errors import Reason, RetryLater
from shared.sources.ews.faults.rules import Fault, error_of_fault, error_of_rule, rule_of_code, rule_of_status
from shared.sources.ews.fetching.fetcher import Fetcher
from shared.sources.ews.transport.session import EwsLimits
from shared.sources.ews.transport.soap_request import Envelopes
from shared.sources.fault_attribution import CHECK_SECONDS, MAX_CHECKS, FaultAttribution
from shared.sources.port import Access, AccessMode, ContentLevel, Folder, Item, ItemFailure, ItemKind
from tests.unit.ews.soap_samples import (
    CALENDAR,
    CONTACTS,
    INBOX,
    ROOT,
    ScriptedChannel,
    answer,
    asked_ids,
    failure,
    fault,
    ids,
    items,
    mailbox,
    message,
    messages_as_asked,
    success,
)

MIME = ContentLevel.MIME
SIZE_ONLY = '<t:AdditionalProperties><t:FieldURI FieldURI="item:Size"/></t:AdditionalProperties>'


def fetched(
    channel: ScriptedChannel, count: int, folder: Folder = INBOX, *, isolate_failures: bool = False
) -> dict[str, Item | ItemFailure]:
    source = mailbox(channel, largest=50_000_000, isolate_failures=isolate_failures)
    results = list(source.fetch(folder, ids(count), MIME))
    by_id = {result.id if isinstance(result, Item) else result.item_id: result for result in results}
    assert len(by_id) == len(results)
    return by_id


def reasons(results: dict[str, Item | ItemFailure]) -> dict[str, Reason]:
    return {key: result.reason for key, result in results.items() if isinstance(result, ItemFailure)}


def of_size(size: int, wanted: Collection[str]) -> bytes:
    return items(*(message(each).replace("<t:Size>1234", f"<t:Size>{size}") for each in wanted))


def unless_asked_for(bad: Collection[str], instead: Callable[[list[str]], bytes | Exception]) -> ScriptedChannel:
    """Gives every item, sizes, and the root; whenever bad ones are asked for in full, something else instead."""

    def answered(request: str) -> bytes | Exception:
        wanted = asked_ids(request)
        if "<m:GetFolder>" in request:
            return ROOT
        if SIZE_ONLY in request or not set(bad) & set(wanted):
            return messages_as_asked(request)
        return instead(wanted)

    return ScriptedChannel(answered)


def malformed(wanted: list[str]) -> bytes:
    return items(*(message(each, more="<t:Broken>") for each in wanted))


@pytest.mark.parametrize("bad", [{"I10", "I11"}, {"I8", "I9", "I10", "I11"}, {"I3", "I12"}])
def test_unreadable_neighbours_do_not_block_the_others(bad: set[str]) -> None:
    results = fetched(unless_asked_for(bad, malformed), 16)

    assert reasons(results) == dict.fromkeys(bad, Reason.ITEM_UNREADABLE)
    assert len(results) == 16


def test_items_that_were_unreadable_are_so_again_when_tried_by_themselves() -> None:
    results = fetched(unless_asked_for({"I0", "I1", "I2"}, malformed), 3)

    assert reasons(results) == dict.fromkeys(ids(3), Reason.ITEM_UNREADABLE)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("ErrorInternalServerError", Reason.ITEM_UNREADABLE),
        ("ErrorResponseSchemaValidation", Reason.ITEM_UNREADABLE),
        ("ErrorCorruptData", Reason.ITEM_CORRUPT),
    ],
)
def test_an_item_that_fails_the_whole_request_does_not_block_others(code: str, reason: Reason) -> None:
    results = fetched(unless_asked_for({"I5"}, lambda _: fault(code)), 16)

    assert reasons(results) == {"I5": reason}
    assert len(results) == 16


def test_a_fault_that_has_passed_makes_no_issue() -> None:
    channel = ScriptedChannel(fault("ErrorInternalServerError"), messages_as_asked)

    assert reasons(fetched(channel, 1)) == {}


def test_a_server_that_fails_every_request_causes_no_issues() -> None:
    channel = ScriptedChannel(fault("ErrorInternalServerError"))

    with pytest.raises(RetryLater) as caught:
        fetched(channel, 16)

    assert caught.value.reason is Reason.UNAVAILABLE
    assert channel.requests == 2


def test_an_item_that_the_server_never_finishes_fails_alone() -> None:
    results = fetched(unless_asked_for({"I5"}, lambda _: fault("ErrorTimeoutExpired")), 16)

    assert reasons(results) == {"I5": Reason.ITEM_UNREADABLE}
    assert len(results) == 16


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


def test_an_unreadable_item_in_an_oversized_batch_blocks_no_others() -> None:
    def oversized_or_malformed(wanted: list[str]) -> bytes | Exception:
        return error_of_fault(Fault.OVERSIZED) if len(wanted) == 16 else malformed(wanted)

    results = fetched(unless_asked_for({"I5"}, oversized_or_malformed), 16)

    assert reasons(results) == {"I5": Reason.ITEM_UNREADABLE}
    assert len(results) == 16


def test_an_item_far_larger_than_it_says_does_not_block_the_others() -> None:
    results = fetched(unless_asked_for({"I5"}, lambda _: error_of_fault(Fault.OVERSIZED)), 16)

    assert reasons(results) == {"I5": Reason.ITEM_TOO_LARGE}
    assert len(results) == 16


def test_a_giant_of_another_kind_than_its_folder_is_had_in_its_own_shape() -> None:
    """A deleted meeting with large attachments: the deleted items are asked as mail."""
    meeting = (
        '<t:CalendarItem><t:ItemId Id="I0" ChangeKey="1"/><t:Size>9000000</t:Size>'
        "<t:Start>2026-03-02T09:00:00Z</t:Start><t:End>2026-03-02T10:00:00Z</t:End></t:CalendarItem>"
    )
    given: list[str] = []

    def answered(request: str) -> bytes | Exception:
        if SIZE_ONLY in request:
            return of_size(9_000_000, ["I0"])
        shape = "event" if "calendar:Start" in request else "mail"
        given.append(shape)
        return error_of_fault(Fault.OVERSIZED) if given.count(shape) == 1 else items(meeting)

    results = fetched(ScriptedChannel(answered), 1)

    item = results["I0"]
    assert isinstance(item, Item)
    assert item.kind is ItemKind.EVENT
    assert item.content is not None


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


MEETING = (
    '<t:CalendarItem><t:ItemId Id="I1" ChangeKey="1"/><t:Subject>Review</t:Subject>'
    "<t:Start>2026-03-02T09:00:00Z</t:Start><t:End>2026-03-02T10:00:00Z</t:End></t:CalendarItem>"
)
PERSON = '<t:Contact><t:ItemId Id="I2" ChangeKey="1"/><t:DisplayName>Ada</t:DisplayName></t:Contact>'


@pytest.mark.parametrize(
    "code", ["ErrorUnsupportedMimeConversion", "ErrorMimeContentConversionFailed", "ErrorContentConversionFailed"]
)
def test_items_without_server_mime_are_written_by_us_unless_mail(code: str) -> None:
    """Deleted items hold all kinds, and MIME is asked of each."""

    def answered(request: str) -> bytes:
        elements = {"I0": message("I0", None), "I1": MEETING, "I2": PERSON}
        wanted = [success("GetItem", f"<m:Items>{elements[each]}</m:Items>") for each in asked_ids(request)]
        if "IncludeMimeContent" in request:
            return answer("GetItem", *(failure("GetItem", code) for _ in wanted))
        return answer("GetItem", *wanted)

    results = fetched(ScriptedChannel(answered), 3)

    assert reasons(results) == {}
    assert lacking(results) == {"I0": (Reason.ITEM_CORRUPT, code)}
    forms = {key: item.content.form for key, item in results.items() if isinstance(item, Item) and item.content}
    assert forms == {"I0": "eml", "I1": "ics", "I2": "vcf"}


def lacking(results: dict[str, Item | ItemFailure]) -> dict[str, tuple[Reason, str]]:
    """What could not be had of items that came all the same."""
    parts = {key: item for key, item in results.items() if isinstance(item, Item) and item.lacking}
    assert all(item.metadata["original"] is False for item in parts.values())
    return {key: (item.lacking.reason, item.lacking.support) for key, item in parts.items() if item.lacking}


def test_mail_without_mime_comes_with_metadata_and_body() -> None:
    """M3: opaque S/MIME, reports about signed mail, meeting requests."""
    body = '<t:Body BodyType="Text">Please come</t:Body>'

    def answered(request: str) -> bytes:
        if "IncludeMimeContent" in request:
            return answer("GetItem", failure("GetItem", "ErrorMimeContentConversionFailed"))
        return items(message("I0", None, body if "item:Body" in request else ""))

    item = fetched(ScriptedChannel(answered), 1)["I0"]

    assert isinstance(item, Item)
    assert item.subject == "Lunch & more"
    assert item.content is not None
    assert b"Please come" in item.content.data
    assert item.metadata["original"] is False


def test_mail_that_cannot_be_had_at_all_is_an_issue() -> None:
    channel = ScriptedChannel(answer("GetItem", failure("GetItem", "ErrorMimeContentConversionFailed")))

    assert reasons(fetched(channel, 1)) == {"I0": Reason.ITEM_CORRUPT}


def test_mail_that_comes_without_its_mime_is_not_taken_for_whole() -> None:
    channel = ScriptedChannel(
        items(message("I0", None), message("I1", b""), message("I2")), items(message("I0", None), message("I1", None))
    )

    results = fetched(channel, 3)

    assert reasons(results) == {}
    assert lacking(results) == dict.fromkeys(["I0", "I1"], (Reason.ITEM_UNREADABLE, "no_mime"))


def test_mail_among_contacts_is_asked_again_with_its_mime() -> None:
    def answered(request: str) -> bytes:
        return items(message("I0", b"From: a" if "IncludeMimeContent" in request else None))

    item = fetched(ScriptedChannel(answered), 1, CONTACTS)["I0"]

    assert isinstance(item, Item)
    assert item.content is not None
    assert item.content.data == b"From: a"


@pytest.mark.parametrize("level", list(ContentLevel))
def test_item_that_refuses_a_property_is_asked_without_names(level: ContentLevel) -> None:
    """M9: answered whenever message:IsRead is asked, of mail, of an event and of a list in the inbox."""
    group = '<t:DistributionList><t:ItemId Id="I2" ChangeKey="1"/><t:DisplayName>Friends</t:DisplayName>'
    member = "<t:Member><t:Mailbox><t:EmailAddress>bo@x.example</t:EmailAddress></t:Mailbox></t:Member>"
    members = f"<t:Members>{member}</t:Members>"

    def answered(request: str) -> bytes:
        wanted = asked_ids(request)
        if "message:IsRead" in request:
            return answer("GetItem", *(failure("GetItem", "ErrorInvalidPropertyRequest") for _ in wanted))
        mime = b"From: a@x.example" if "IncludeMimeContent" in request else None
        more = members if "distributionlist:Members" in request else ""
        elements = {"I0": message("I0", mime), "I1": MEETING, "I2": f"{group}{more}</t:DistributionList>"}
        return items(*(elements[each] for each in wanted))

    channel = ScriptedChannel(answered)
    results = {item.id: item for item in mailbox(channel).fetch(INBOX, ids(3), level) if isinstance(item, Item)}

    assert {key: item.kind for key, item in results.items()} == {
        "I0": ItemKind.MESSAGE,
        "I1": ItemKind.EVENT,
        "I2": ItemKind.LIST,
    }
    if level is ContentLevel.MIME:
        assert results["I0"].content is not None
        assert results["I0"].content.data == b"From: a@x.example"
    assert results["I2"].metadata["members"] == [{"address": "bo@x.example"}]


def test_item_that_refuses_every_shape_is_an_issue() -> None:
    """M9: it ends, too."""
    channel = ScriptedChannel(
        lambda request: answer(
            "GetItem", *(failure("GetItem", "ErrorInvalidPropertyRequest") for _ in asked_ids(request))
        )
    )

    assert reasons(fetched(channel, 3)) == dict.fromkeys(ids(3), Reason.ITEM_REFUSED)
    assert channel.requests == 2
