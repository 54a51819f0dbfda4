"""Reading SOAP."""

from datetime import UTC, datetime

import pytest

from shared.errors import MailboxSyncError, Reason, RetryLater
from shared.sources.ews.faults.rules import BatchTooLarge, ResponseUnreadable
from shared.sources.ews.transport.soap_response import (
    ResponseProblem,
    parse,
    parse_time,
    response_messages,
    response_problem,
    soap_fault,
)
from tests.unit.ews.soap_samples import answer, envelope, failure, fault, success

BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>'
EXTERNAL = '<!DOCTYPE x [<!ENTITY leak SYSTEM "file:///etc/passwd">]>'


def with_doctype(doctype: str, inside: str) -> str:
    text = envelope(f"<m:X>{inside}</m:X>").decode()
    return text.replace("?>", f"?>{doctype}", 1)


@pytest.mark.parametrize(("doctype", "inside"), [(BOMB, "&c;"), (EXTERNAL, "&leak;"), ("<!DOCTYPE x>", "")])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_document_type_is_refused_whatever_it_declares(doctype: str, inside: str, encoding: str) -> None:
    data = with_doctype(doctype, inside).replace("utf-8", encoding).encode(encoding)

    with pytest.raises(RetryLater) as caught:
        parse(data)

    assert caught.value.reason is Reason.BAD_ANSWER


def test_forbidden_character_references_are_dropped_and_the_rest_is_read() -> None:
    body = parse(envelope("<m:X>be&#x1;fore &#38; af&#11;ter&#xFFFE; &#128512;</m:X>"))

    assert body[0].text == "before & after 😀"


@pytest.mark.parametrize("forbidden", ["\x01", "\ufffe", "\uffff"])
def test_raw_forbidden_characters_are_dropped_too(forbidden: str) -> None:
    assert parse(envelope(f"<m:X>a{forbidden}\ufffdb</m:X>"))[0].text == "a\ufffdb"


@pytest.mark.parametrize("pair", [b"&#xD83D;&#xDE00;", b"&#55357;&#56832;", b"\xed\xa0\xbd\xed\xb8\x80"])
def test_character_written_as_two_surrogates_is_one_character(pair: bytes) -> None:
    """M10: an emoji in a subject."""
    body = parse(envelope("<m:X>hi &#38; HERE</m:X>").replace(b"HERE", b"&#65;" + pair + b"!"))

    assert body[0].text == "hi & A\N{GRINNING FACE}!"


@pytest.mark.parametrize("half", [b"&#xD83D;", b"&#xDE00;&#xD83D;", b"\xed\xa0\xbd"])
def test_half_of_a_surrogate_pair_spoils_nothing_else(half: bytes) -> None:
    text = parse(envelope("<m:X>a HERE b</m:X>").replace(b"HERE", half))[0].text or ""

    assert text.replace("\ufffd", "") == "a  b"


@pytest.mark.parametrize(
    ("broken", "read"), [(b"caf\xe9", "caf\ufffd"), (b"\xff\xfe", "\ufffd\ufffd"), (b"\xe2\x82", "\ufffd")]
)
def test_bytes_that_are_no_utf8_are_replaced(broken: bytes, read: str) -> None:
    """M10: byte 0xE9 in a folder's name; no folder could be listed."""
    assert parse(envelope("<m:X>HERE</m:X>").replace(b"HERE", broken))[0].text == read


def test_answer_in_another_encoding_is_read_in_it() -> None:
    data = envelope("<m:X>caf\u00e9&#1;</m:X>").replace(b'"utf-8"', b'"iso-8859-1"').replace(b"\xc3\xa9", b"\xe9")

    assert parse(data)[0].text == "caf\u00e9"


def test_an_answer_that_stops_in_the_middle_is_not_searched_for_a_bad_item() -> None:
    data = envelope("<m:X>words</m:X>")

    with pytest.raises(RetryLater) as caught:
        parse(data[: len(data) // 2])

    assert not isinstance(caught.value, ResponseUnreadable)


def test_an_answer_that_came_whole_but_is_malformed_may_have_one_bad_item() -> None:
    with pytest.raises(ResponseUnreadable):
        parse(envelope("<m:X><m:Y></m:X>"))


@pytest.mark.parametrize("data", [b"", b"<html><body>Sorry</body></html>", b"{}", b"\x00\x01", b"<a/>", b"not xml"])
def test_what_is_no_envelope_is_a_bad_answer(data: bytes) -> None:
    with pytest.raises(RetryLater) as caught:
        parse(data)

    assert caught.value.reason is Reason.BAD_ANSWER


def test_a_text_of_more_than_ten_megabytes_is_read() -> None:
    body = parse(envelope(f"<m:X>{'A' * 10_500_000}</m:X>"))

    assert len(body[0].text or "") == 10_500_000


def test_a_fault_tells_its_code_and_for_how_long_to_wait() -> None:
    assert soap_fault(parse(fault("ErrorServerBusy", 30_000))) == ResponseProblem("ErrorServerBusy", 30.0)


def test_a_fault_ends_the_request_with_its_error() -> None:
    with pytest.raises(RetryLater) as caught:
        response_messages(parse(fault("ErrorServerBusy", 30_000)), "FindFolder")

    assert caught.value.retry_after == 30.0


def test_an_answer_to_something_else_is_a_bad_answer() -> None:
    body = parse(answer("GetItem", success("GetItem", "")))

    with pytest.raises(RetryLater):
        response_messages(body, "FindFolder")


def test_a_response_message_tells_what_went_wrong() -> None:
    (message,) = response_messages(parse(answer("GetItem", failure("GetItem", "ErrorServerBusy", 1500))), "GetItem")

    assert response_problem(message) == ResponseProblem("ErrorServerBusy", 1.5)


def test_a_batch_stopped_half_way_is_a_problem_despite_its_warning_class() -> None:
    stopped = failure("GetItem", "ErrorBatchProcessingStopped").replace('"Error"', '"Warning"')
    (message,) = response_messages(parse(answer("GetItem", stopped)), "GetItem")
    problem = response_problem(message)

    assert problem is not None
    assert isinstance(problem.error(), BatchTooLarge)


def test_a_code_that_is_no_code_is_never_passed_on() -> None:
    (message,) = response_messages(
        parse(answer("GetItem", failure("GetItem", "alex@contoso.example said no"))), "GetItem"
    )
    problem = response_problem(message)

    assert problem == ResponseProblem("unknown")
    assert isinstance(problem.error(), MailboxSyncError)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-01T09:30:00Z", datetime(2026, 3, 1, 9, 30, tzinfo=UTC)),
        ("2026-03-01T09:30:00.123456789Z", datetime(2026, 3, 1, 9, 30, 0, 123456, tzinfo=UTC)),
        ("2026-03-01T10:30:00+01:00", datetime(2026, 3, 1, 9, 30, tzinfo=UTC)),
        ("2026-03-01T09:30:00", datetime(2026, 3, 1, 9, 30, tzinfo=UTC)),
        ("0001-01-01T00:00:00+14:00", None),
        ("yesterday", None),
        ("", None),
        (None, None),
    ],
)
def test_times_are_read_as_exchange_and_its_likes_write_them(text: str | None, expected: datetime | None) -> None:
    assert parse_time(text) == expected
