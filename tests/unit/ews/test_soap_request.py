"""Requests."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from sandbox.ews.request_validation import check
from sandbox.mailboxes.fragments import parse
from shared.sources.ews.fetching import shapes
from shared.sources.ews.reading.folders import PROPERTIES
from shared.sources.ews.transport import soap_request
from shared.sources.model import Access, AccessMode, ContentLevel

START, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
REQUESTS = {
    "find_folder": soap_request.find_folder('<t:DistinguishedFolderId Id="msgfolderroot"/>', PROPERTIES, 0),
    "get_folder": soap_request.get_folder('<t:DistinguishedFolderId Id="inbox"/>'),
    "first_sync": soap_request.sync_folder_items("F&1", None),
    "next_sync": soap_request.sync_folder_items("F1", "a<b&c"),
    "find_item": soap_request.find_item(["F1"], soap_request.fields(("item:DateTimeReceived",)), 1000),
    "find_items": soap_request.find_item(["F&1", "F2"], soap_request.fields(("item:DateTimeReceived",)), 0),
    "calendar_view": soap_request.calendar_view("F1", shapes.OCCURRENCE, START, END),
    "resolve_names": soap_request.resolve_names('"Bo" & <co>'),
    "convert_id": soap_request.convert_id("F&1", "o'neil&co@contoso.example"),
    "get_attachment": soap_request.get_attachment(["A1", 'A"2']),
    "sizes": soap_request.get_item(shapes.SIZES, ["I1", 'I"2']),
} | {
    f"get_item_{shape.value}_{level}": soap_request.get_item(shape.request(level), ["I1"])
    for shape in shapes.Shape
    for level in ContentLevel
}

WITH_ATTACHMENTS = {
    f"get_item_{shape}_{level}" for shape in ("event", "contact", "list", "task") for level in ("body", "mime")
}
"""C9: these kinds have no MIME that would bring their attachments."""


def access(mode: AccessMode) -> Access:
    return Access("o'neil&co@contoso.example", mode, "token")


@pytest.mark.parametrize("name", sorted(REQUESTS))
def test_every_request_keeps_to_the_schema(name: str) -> None:
    request = soap_request.Envelopes(access(AccessMode.DELEGATED)).wrap(REQUESTS[name])

    check(parse(request)[-1][0])


def test_only_those_who_act_for_others_say_so() -> None:
    written = {mode: soap_request.Envelopes(access(mode)).wrap("").decode() for mode in AccessMode}

    assert "ExchangeImpersonation" not in written[AccessMode.DELEGATED]
    for mode in (AccessMode.IMPERSONATION, AccessMode.APP_ONLY):
        assert "<t:PrimarySmtpAddress>o'neil&amp;co@contoso.example</t:PrimarySmtpAddress>" in written[mode]


def test_someone_who_signed_in_names_the_mailbox_beside_the_folder() -> None:
    named = soap_request.Envelopes(access(AccessMode.DELEGATED)).named_folder("inbox")

    assert "<t:EmailAddress>o'neil&amp;co@contoso.example</t:EmailAddress>" in named


def test_one_s_own_mailbox_is_opened_without_a_name() -> None:
    """M2: what is known of it may be a sign-in name that is no address of the mailbox."""
    own = soap_request.Envelopes(replace(access(AccessMode.DELEGATED), own=True))

    assert own.named_folder("inbox") == '<t:DistinguishedFolderId Id="inbox"></t:DistinguishedFolderId>'
    assert "contoso" not in own.wrap(own.named_folder("inbox")).decode()


def test_dear_properties_are_never_asked() -> None:
    asked = " ".join(REQUESTS.values())
    without_files = " ".join(request for name, request in REQUESTS.items() if name not in WITH_ATTACHMENTS)

    for dear in ("UniqueBody", "TextBody", "InternetMessageHeaders"):
        assert dear not in asked
    assert "item:Attachments" not in without_files


def test_changes_are_asked_by_id_alone_and_by_512() -> None:
    assert "AdditionalProperties" not in REQUESTS["first_sync"]
    assert "<m:MaxChangesReturned>512</m:MaxChangesReturned>" in REQUESTS["first_sync"]
