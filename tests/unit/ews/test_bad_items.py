"""Items that spoil more than themselves: what they do to their batch, to their series and to the pass."""

import pytest

from shared.errors import Reason, RetryLater
from shared.sources.ews.faults.rules import Fault, error_of_fault
from shared.sources.model import ContentLevel, Item, ItemFailure, ItemKind
from tests.unit.ews.bad_item_samples import SIZE_ONLY, fetched, malformed, of_size, reasons, unless_asked_for
from tests.unit.ews.soap_samples import (
    CONTACTS,
    INBOX,
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
