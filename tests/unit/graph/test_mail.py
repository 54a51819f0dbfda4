"""Messages: what a page of changes carries becomes items like those that EWS gives."""

from datetime import UTC, datetime

import msgspec
import pytest

from shared.sources.graph.mail.messages import Message, message_item
from shared.sources.graph.transport.answers import property_key
from shared.sources.model import Item, ItemKind
from tests.unit.graph.service import message


def read(**changes: object) -> Item:
    return message_item(msgspec.convert(message("M1", **changes), Message), "F1")


def test_message_becomes_an_item_with_the_metadata_that_ews_gives() -> None:
    item = read()

    assert item == Item(
        id="M1",
        version="CK-M1",
        folder_id="F1",
        kind=ItemKind.MESSAGE,
        item_class="IPM.Note",
        move_key="00010203",
        content_key=item.content_key,
        subject="Quarterly figures",
        size=2048,
        is_read=False,
        private=False,
        at=datetime(2026, 11, 20, 8, 15, tzinfo=UTC),
        addresses=item.addresses,
        metadata={
            "sensitivity": "Normal",
            "received": "2026-11-20T08:15:00Z",
            "sent": "2026-11-20T08:14:58Z",
            "created": "2026-11-20T08:15:00Z",
            "modified": "2026-11-20T08:15:01Z",
            "importance": "Normal",
            "has_attachments": False,
            "draft": False,
            "conversation_id": "AAQkAD/x+y=",
            "flag": "NotFlagged",
            "from": {"name": "Ada", "address": "Ada@X.example"},
            "sender": {"name": "Ada", "address": "Ada@X.example"},
            "to": [{"name": "Alex", "address": "alex@contoso.example"}],
            "internet_message_id": "<1@x.example>",
        },
    )
    assert set(item.addresses) == {"ada@x.example", "alex@contoso.example"}
    assert item.content_key


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        ("Integer 0x0E08", "Integer 0xe08"),
        ("Binary 0x300B", "Binary 0x300b"),
        ("String 0x001A", "String 0x1a"),
        (
            "Binary {00062002-0000-0000-C000-000000000046} Id 0x8216",
            "Binary {00062002-0000-0000-c000-000000000046} Id 0x8216",
        ),
    ],
)
def test_extended_properties_are_known_again_however_they_are_spelled(asked: str, answered: str) -> None:
    assert property_key(asked) == property_key(answered)


def test_private_message_is_marked() -> None:
    item = read(singleValueExtendedProperties=[{"id": "Integer 0x0036", "value": "2"}])

    assert item.private
    assert item.metadata["sensitivity"] == "Private"


def test_report_is_a_message_and_a_sticky_note_is_not() -> None:
    kinds = {
        name: read(singleValueExtendedProperties=[{"id": "String 0x001a", "value": name}]).kind
        for name in ("REPORT.IPM.Note.NDR", "IPM.StickyNote")
    }

    assert kinds == {"REPORT.IPM.Note.NDR": ItemKind.MESSAGE, "IPM.StickyNote": ItemKind.OTHER}


def test_nulls_and_missing_properties_make_an_item_without_them() -> None:
    item = message_item(msgspec.convert({"id": "M1", "subject": None, "from": None, "flag": None}, Message), "F1")

    assert item.subject == ""
    assert item.addresses == ()
    assert item.item_class == "IPM.Note"


def test_read_flag_and_category_leave_the_content_key_as_it_is() -> None:
    assert read().content_key == read(isRead=True, categories=["Red"], changeKey="CK-2").content_key
    assert read().content_key != read(subject="Other").content_key


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ({"name": "Ada", "address": None}, {"name": "Ada"}),
        ({"name": "", "address": "Ada@X.example"}, {"address": "Ada@X.example"}),
        ({"address": "Ada@X.example"}, {"address": "Ada@X.example"}),
        (
            {"name": "Ada", "address": "Ada@X.example", "routingType": "SMTP"},
            {"name": "Ada", "address": "Ada@X.example"},
        ),
        ({}, {}),
    ],
)
def test_people_are_kept_without_what_is_empty_or_not_theirs(told: dict[str, str], kept: dict[str, str]) -> None:
    alex = {"name": "Alex", "address": "Alex@contoso.example"}
    item = read(toRecipients=[{"emailAddress": told}, {"emailAddress": alex}], **{"from": {"emailAddress": told}})

    assert item.metadata["to"] == [kept, alex]
    assert item.metadata.get("from", {}) == kept
    assert set(item.addresses) == {"alex@contoso.example", "ada@x.example"}


def test_recipient_without_an_address_object_is_no_error() -> None:
    item = read(toRecipients=[{}, {"emailAddress": None}], ccRecipients=[], bccRecipients=None)

    assert item.metadata["to"] == [{}, {}]
    assert "cc" not in item.metadata
