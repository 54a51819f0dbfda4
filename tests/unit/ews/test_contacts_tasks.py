"""Contacts, lists, tasks and notes."""

import json
import re

import icalendar
import pytest

from shared.sources.model import ContentLevel, Folder, FolderKind, FolderRole, Item, ItemKind
from tests.unit.ews.soap_samples import CONTACTS, INBOX, ScriptedChannel, items, mailbox, message

TASKS = Folder("F4", "", "Tasks", "Tasks", FolderKind.TASKS, FolderRole.TASKS, 0)
NOTES = Folder("F5", "", "Notes", "Notes", FolderKind.OTHER, FolderRole.NOTES, 0)

CONTACT = (
    '<t:Contact><t:ItemId Id="I0" ChangeKey="1"/><t:ItemClass>IPM.Contact</t:ItemClass><t:Size>900</t:Size>'
    '<t:Body BodyType="Text">Met in Ærø;\r\nlikes commas, too</t:Body>'
    "<t:LastModifiedTime>2026-02-01T10:00:00Z</t:LastModifiedTime><t:DisplayName>Ada Lovelace</t:DisplayName>"
    "<t:GivenName>Ada</t:GivenName><t:Surname>Lovelace; Countess</t:Surname>"
    "<t:CompleteName><t:Title>Dr</t:Title></t:CompleteName><t:CompanyName>Engines, Inc.</t:CompanyName>"
    '<t:EmailAddresses><t:Entry Key="EmailAddress1" Name="Ada">ada@x.example</t:Entry>'
    '<t:Entry Key="EmailAddress2">/o=ExchangeLabs/cn=ada</t:Entry></t:EmailAddresses>'
    '<t:PhysicalAddresses><t:Entry Key="Business"><t:Street>12 St James\nSquare</t:Street><t:City>London</t:City>'
    "<t:PostalCode>SW1</t:PostalCode></t:Entry></t:PhysicalAddresses>"
    '<t:PhoneNumbers><t:Entry Key="MobilePhone">+44 1</t:Entry><t:Entry Key="Fancy">2</t:Entry></t:PhoneNumbers>'
    '<t:ImAddresses><t:Entry Key="ImAddress1">sip:ada@x.example</t:Entry></t:ImAddresses>'
    "<t:Birthday>1815-12-09T23:00:00Z</t:Birthday></t:Contact>"
)
LIST = (
    '<t:DistributionList><t:ItemId Id="I0" ChangeKey="1"/><t:Subject>Team</t:Subject>'
    "<t:DisplayName>Team</t:DisplayName><t:Members><t:Member><t:Mailbox><t:Name>Bo</t:Name><t:EmailAddress>bo@x.example</t:EmailAddress></t:Mailbox>"
    "</t:Member><t:Member><t:Mailbox><t:Name>Nested, list</t:Name></t:Mailbox></t:Member></t:Members>"
    "</t:DistributionList>"
)


def read(element: str, folder: Folder, level: ContentLevel = ContentLevel.MIME) -> Item:
    (item,) = mailbox(ScriptedChannel(items(element))).fetch(folder, ["I0"], level)
    assert isinstance(item, Item)
    return item


def card(element: str) -> tuple[Item, list[str]]:
    """The item and its card's lines, unfolded."""
    item = read(element, CONTACTS)
    assert item.content is not None
    assert item.content.form == "vcf"
    assert all(len(line) <= 75 for line in item.content.data.split(b"\r\n"))
    return item, re.sub("\r\n ", "", item.content.data.decode()).split("\r\n")


def test_a_contact_is_a_card() -> None:
    item, lines = card(CONTACT)

    assert item.kind is ItemKind.CONTACT
    assert "ada@x.example" in item.addresses
    assert lines[:3] == ["BEGIN:VCARD", "VERSION:4.0", "KIND:individual"]
    for line in (
        "FN:Ada Lovelace",
        "N:Lovelace\\; Countess;Ada;;Dr;",
        "EMAIL:ada@x.example",
        "ORG:Engines\\, Inc.;",
        "ADR;TYPE=work:;;12 St James\\nSquare;London;;SW1;",
        "TEL;TYPE=cell;VALUE=text:+44 1",
        "TEL;VALUE=text:2",
        "IMPP:sip:ada@x.example",
        "BDAY:18151210",
        "NOTE:Met in Ærø\\;\\nlikes commas\\, too",
        "END:VCARD",
    ):
        assert line in lines
    assert not any("/o=ExchangeLabs" in line for line in lines)


def test_characters_that_a_card_cannot_hold_are_left_out() -> None:
    _, lines = card(CONTACT.replace("Ada Lovelace", "Ada\x7f\tLovelace&#133;"))

    assert "FN:Ada\tLovelace\x85" in lines


@pytest.mark.parametrize("day", ["0001-01-01T00:00:00Z", "1601-01-01T00:00:00Z", "4501-01-01T00:00:00Z"])
def test_a_placeholder_for_no_birthday_is_left_out(day: str) -> None:
    """C7: some servers write the first day there is for none, Outlook one in 4501."""
    _, lines = card(CONTACT.replace("1815-12-09T23:00:00Z", day))

    assert not any(line.startswith("BDAY") for line in lines)


def test_a_contact_without_a_name_is_called_something() -> None:
    _, lines = card('<t:Contact><t:ItemId Id="I0" ChangeKey="1"/></t:Contact>')

    assert "FN:Unnamed" in lines


def test_a_distribution_list_is_a_group_with_its_members() -> None:
    item, lines = card(LIST)

    assert item.kind is ItemKind.LIST
    assert item.addresses == ("bo@x.example",)
    assert "KIND:group" in lines
    assert "MEMBER:mailto:bo@x.example" in lines
    assert "X-MEMBER-NAME:Nested\\, list" in lines


def task(*parts: str) -> str:
    return (
        '<t:Task><t:ItemId Id="I0" ChangeKey="1"/><t:ItemClass>IPM.Task</t:ItemClass><t:Subject>Taxes</t:Subject>'
        f"<t:LastModifiedTime>2026-02-01T10:00:00Z</t:LastModifiedTime>{''.join(parts)}</t:Task>"
    )


MONTHLY = (
    "<t:Recurrence><t:AbsoluteMonthlyRecurrence><t:Interval>1</t:Interval><t:DayOfMonth>10</t:DayOfMonth>"
    "</t:AbsoluteMonthlyRecurrence><t:NoEndRecurrence><t:StartDate>2026-03-10</t:StartDate></t:NoEndRecurrence>"
    "</t:Recurrence>"
)


def todo(*parts: str) -> icalendar.Todo:
    content = read(task(*parts), TASKS).content
    assert content is not None
    (found,) = icalendar.Calendar.from_ical(content.data).walk("VTODO")
    assert isinstance(found, icalendar.Todo)
    assert not found.errors
    return found


def test_a_task_is_a_todo() -> None:
    found = todo(
        "<t:StartDate>2026-03-09T23:00:00Z</t:StartDate><t:DueDate>2026-03-31T22:00:00Z</t:DueDate>",
        "<t:Status>InProgress</t:Status><t:PercentComplete>40</t:PercentComplete><t:Importance>High</t:Importance>",
        "<t:ReminderIsSet>true</t:ReminderIsSet><t:ReminderDueBy>2026-03-30T08:00:00Z</t:ReminderDueBy>",
        MONTHLY,
    )

    assert found["SUMMARY"] == "Taxes"
    assert found["DTSTART"].to_ical() == b"20260310"
    assert found["DUE"].to_ical() == b"20260401"
    assert found["STATUS"] == "IN-PROCESS"
    assert found["RRULE"].to_ical() == b"FREQ=MONTHLY;BYMONTHDAY=10"
    assert found["PRIORITY"] == 1
    assert found.walk("VALARM")


@pytest.mark.parametrize(("told", "percent"), [("28.999999999999996", 29), ("0.5", None), ("100", 100), ("x", None)])
def test_how_much_of_a_task_is_done_is_a_fraction_to_exchange(told: str, percent: int | None) -> None:
    found = todo(f"<t:PercentComplete>{told}</t:PercentComplete>")

    assert found.get("PERCENT-COMPLETE") == percent


@pytest.mark.parametrize(
    ("due", "day", "start"),
    [("2026-03-09T23:00:00Z", b"20260310", b"20260310"), ("2026-03-01T23:00:00Z", b"20260302", None)],
)
def test_a_task_due_no_later_than_it_begins_keeps_its_due_day(due: str, day: bytes, start: bytes | None) -> None:
    """C3: of a task that is due before it starts the due day counts."""
    found = todo(f"<t:StartDate>2026-03-09T23:00:00Z</t:StartDate><t:DueDate>{due}</t:DueDate>")

    assert found["DUE"].to_ical() == day
    assert (found["DTSTART"].to_ical() if "DTSTART" in found else None) == start
    assert "DURATION" not in found


def test_a_regenerating_task_has_no_rule_that_would_be_wrong() -> None:
    found = todo(
        "<t:StartDate>2026-03-09T23:00:00Z</t:StartDate>",
        MONTHLY.replace("AbsoluteMonthlyRecurrence", "MonthlyRegeneration"),
    )

    assert "RRULE" not in found
    assert found["X-REGENERATES"] == "FREQ=MONTHLY"


def test_a_note_is_json_with_its_body() -> None:
    note = (
        '<t:Message><t:ItemId Id="I0" ChangeKey="1"/><t:ItemClass>IPM.StickyNote</t:ItemClass>'
        '<t:Subject>Milk</t:Subject><t:Body BodyType="Text">Milk, two</t:Body></t:Message>'
    )
    item = read(note, NOTES)

    assert item.kind is ItemKind.OTHER
    assert item.content is not None
    assert item.content.form == "json"
    assert json.loads(item.content.data)["body"]["text"] == "Milk, two"


@pytest.mark.parametrize(
    ("tag", "item_class", "kind"),
    [
        ("Message", "IPM.Note.SMIME.MultipartSigned", ItemKind.MESSAGE),
        ("Message", "REPORT.IPM.Note.NDR", ItemKind.MESSAGE),
        ("MeetingRequest", "IPM.Schedule.Meeting.Request", ItemKind.MESSAGE),
        ("MeetingCancellation", "IPM.Schedule.Meeting.Canceled", ItemKind.MESSAGE),
        ("PostItem", "IPM.Post", ItemKind.MESSAGE),
        ("Item", "REPORT.IPM.Note.IPNRN", ItemKind.MESSAGE),
        ("Message", "IPM.Document.Word.Document.12", ItemKind.MESSAGE),
        ("Item", "IPM.Document.txtfile", ItemKind.MESSAGE),
        ("Item", "IPM.StickyNote", ItemKind.OTHER),
        ("Item", "IPM.Activity", ItemKind.OTHER),
    ],
)
def test_mail_of_every_class_is_mail(tag: str, item_class: str, kind: ItemKind) -> None:
    element = message("I0").replace("t:Message>", f"t:{tag}>").replace("IPM.Note<", f"{item_class}<")
    item = read(element, INBOX if kind is ItemKind.MESSAGE else NOTES)

    assert item.kind is kind
    assert item.item_class == item_class
    assert item.content is not None
    assert item.content.form == ("eml" if kind is ItemKind.MESSAGE else "json")


def test_a_messages_metadata_is_told_by_our_names() -> None:
    item = read(message("I0"), INBOX, ContentLevel.METADATA)

    assert item.move_key == "000102ff"
    assert set(item.addresses) == {"ada@x.example", "bo@x.example"}
    assert item.is_read is True
    assert item.metadata["from"] == {"name": "Ada", "address": "Ada@X.example"}
    assert item.metadata["to"] == [{"name": "Bo", "address": "bo@x.example"}]
    assert item.version == "C-I0"
    assert json.dumps(item.metadata)


def test_a_body_is_wanted_without_the_mime() -> None:
    item = read(message("I0", None, '<t:Body BodyType="HTML">&lt;p&gt;Hi&lt;/p&gt;</t:Body>'), INBOX, ContentLevel.BODY)

    assert item.content is not None
    assert item.content.form == "json"
    assert json.loads(item.content.data)["body"] == {"type": "html", "text": "<p>Hi</p>"}


def same_content(more: str, element: str = "") -> str:
    return read(element or message("I0", more=more), INBOX, ContentLevel.METADATA).content_key


def test_same_content_is_recognized_though_a_move_changed_modified_time() -> None:
    before = same_content("<t:LastModifiedTime>2026-03-01T09:30:00Z</t:LastModifiedTime>")
    after = same_content("<t:LastModifiedTime>2026-03-02T09:30:00Z</t:LastModifiedTime>")

    assert before
    assert before == after


def test_a_draft_may_have_been_edited_whatever_else_stayed_the_same() -> None:
    draft = "<t:IsDraft>true</t:IsDraft><t:LastModifiedTime>2026-03-0{}T09:30:00Z</t:LastModifiedTime>"

    assert same_content(draft.format(1)) != same_content(draft.format(2))


def test_a_message_of_another_size_or_without_a_key_is_never_the_same() -> None:
    assert same_content("") != same_content("", message("I0").replace("1234", "1235"))
    assert same_content("", message("I0").replace("0x300b", "0x300c")) == ""
