"""Messages as they are fetched: metadata in batches, MIME one by one, what is bad stays with the item."""

import base64
import email
from collections.abc import Sequence

import pytest

from shared.errors import AdministratorMustAct, Reason, RetryLater
from shared.sources.https_pool import TransportFailed, TransportFault
from shared.sources.model import NO_ITEMS, ContentLevel, Folder, FolderKind, FolderRole, Item, ItemFailure
from tests.unit.graph.service import Answer, Service, error, mailbox_of, message, page

INBOX = Folder("F1", "", "Inbox", "Inbox", FolderKind.MAIL, FolderRole.INBOX, 3)
MIME = b"From: ada@x.example\r\n\r\nWords\r\n"


@pytest.fixture
def service() -> Service:
    service = Service()
    service.script["/mailFolders/inbox"] = page()
    return service


def serve(service: Service, *ids: str) -> list[str]:
    for id_ in ids:
        service.script[f"/messages/{id_}"] = Answer(message(id_))
        service.script[f"/messages/{id_}/$value"] = Answer(MIME + id_.encode())
    return list(ids)


def fetch(
    service: Service, ids: Sequence[str], level: ContentLevel = ContentLevel.MIME, *, isolate: bool = False
) -> dict[str, Item | ItemFailure]:
    results = list(mailbox_of(service, isolate_failures=isolate).fetch(INBOX, ids, level))
    found = {each.id if isinstance(each, Item) else each.item_id: each for each in results}
    assert len(found) == len(results)
    return found


def failure(result: Item | ItemFailure) -> ItemFailure:
    assert isinstance(result, ItemFailure)
    return result


def item(result: Item | ItemFailure) -> Item:
    assert isinstance(result, Item)
    return result


def test_metadata_comes_twenty_a_request(service: Service) -> None:
    ids = serve(service, *(f"M{number}" for number in range(45)))

    found = fetch(service, ids, ContentLevel.METADATA)

    assert set(found) == set(ids)
    assert service.requests == 3


def test_content_is_the_mime_byte_for_byte(service: Service) -> None:
    ids = serve(service, *(f"M{number}" for number in range(9)))

    found = fetch(service, ids)

    contents = {id_: item(result).content for id_, result in found.items()}
    assert {id_: (content.form, content.data) for id_, content in contents.items() if content} == {
        id_: ("eml", MIME + id_.encode()) for id_ in ids
    }


def test_known_items_cost_their_content_alone(service: Service) -> None:
    serve(service, "M1")
    mailbox = mailbox_of(service)
    service.script["/mailFolders/F1/messages/delta"] = page(message("M1"), delta="/x")
    known = mailbox.changes(INBOX, None).items

    (found,) = mailbox.fetch(INBOX, ["M1"], ContentLevel.MIME, known)

    assert item(found).content is not None
    assert service.paths() == ["/mailFolders/F1/messages/delta", "/messages/M1/$value"]
    assert known["M1"].content is None


def test_large_item_comes_without_content(service: Service) -> None:
    serve(service, "M1")
    large = message("M1", singleValueExtendedProperties=[{"id": "Integer 0xe08", "value": str(2 << 20)}])
    service.script["/messages/M1"] = Answer(large)

    assert item(fetch(service, ["M1"])["M1"]).content is None


def test_body_level_brings_the_body_as_json(service: Service) -> None:
    serve(service, "M1")
    service.script["/messages/M1?$select=body"] = Answer(
        {"id": "M1", "body": {"contentType": "html", "content": "<p>"}}
    )

    content = item(fetch(service, ["M1"], ContentLevel.BODY)["M1"]).content

    assert content is not None
    assert content.form == "json"
    assert b'"text": "<p>"' in content.data


@pytest.mark.parametrize(
    ("refusal", "reason"),
    [
        (error(404, "ErrorItemNotFound"), Reason.ITEM_GONE),
        (error(500, "ErrorCorruptData"), Reason.ITEM_CORRUPT),
        (error(500, "ErrorInvalidRecipients"), Reason.ITEM_CORRUPT),
        (error(500, "InternalServerError"), Reason.ITEM_UNREADABLE),
        (error(403, "ErrorAccessDenied"), Reason.ITEM_REFUSED),
        (error(400, "ErrorInvalidIdMalformed"), Reason.ITEM_REFUSED),
    ],
)
@pytest.mark.parametrize("where", ["", "/$value"])
def test_one_bad_item_never_stops_the_others(service: Service, refusal: Answer, reason: Reason, where: str) -> None:
    ids = serve(service, "M1", "M2", "M3")
    service.script[f"/messages/M2{where}"] = refusal

    found = fetch(service, ids)

    assert failure(found["M2"]).reason is reason
    assert item(found["M1"]).content is not None
    assert item(found["M3"]).content is not None


def test_item_that_makes_no_sense_is_a_failure(service: Service) -> None:
    ids = serve(service, "M1", "M2")
    service.script["/messages/M1"] = Answer(message("M1", receivedDateTime=7))

    found = fetch(service, ids)

    assert failure(found["M1"]).reason is Reason.ITEM_UNREADABLE
    assert item(found["M2"]).content is not None


@pytest.mark.parametrize("where", ["", "/$value"])
def test_outage_ends_the_pass_unless_failures_are_isolated(service: Service, where: str) -> None:
    ids = serve(service, "M1", "M2")
    service.script[f"/messages/M1{where}"] = error(503)

    with pytest.raises(RetryLater):
        fetch(service, ids)
    found = fetch(service, ids, isolate=True)

    assert failure(found["M1"]).reason is Reason.ITEM_UNREADABLE
    assert item(found["M2"]).content is not None


def test_outage_of_everything_is_never_an_items_fault(service: Service) -> None:
    ids = serve(service, "M1", "M2")
    service.script["/messages/M1/$value"] = error(500, "InternalServerError")
    service.script["/mailFolders/inbox"] = error(500, "InternalServerError")

    with pytest.raises(RetryLater):
        fetch(service, ids)


def test_throttled_item_ends_the_pass_with_the_time_to_wait(service: Service) -> None:
    ids = serve(service, "M1", "M2")
    service.script["/messages/M2"] = error(429, "ApplicationThrottled", Retry_After="11")

    with pytest.raises(RetryLater) as raised:
        fetch(service, ids, isolate=True)

    assert raised.value.retry_after == 11


def test_missing_permission_is_the_administrators(service: Service) -> None:
    ids = serve(service, "M1")
    service.script["/messages/M1"] = error(404, "MailboxNotEnabledForRESTAPI")

    with pytest.raises(AdministratorMustAct):
        fetch(service, ids)


def test_content_beyond_the_bound_is_too_large(service: Service) -> None:
    serve(service, "M1")
    service.script["/messages/M1/$value"] = TransportFailed(TransportFault.OVERSIZED)

    assert failure(fetch(service, ["M1"])["M1"]).reason is Reason.ITEM_TOO_LARGE


def sealed(service: Service, *attachments: dict[str, object]) -> None:
    serve(service, "M1")
    service.script["/messages/M1/$value"] = error(500, "ErrorMimeContentConversionFailed")
    headers = [
        {"name": "From", "value": "Ada <ada@x.example>"},
        {"name": "Subject", "value": "Sealed\r\n words"},
        {"name": "Content-Type", "value": "application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m"},
        {"name": "Content-Transfer-Encoding", "value": "base64"},
    ]
    service.script["/messages/M1?$select=internetMessageHeaders"] = Answer({"internetMessageHeaders": headers})
    service.script["/messages/M1/attachments"] = page(*attachments)


def test_opaque_smime_is_put_together_from_its_sealed_content(service: Service) -> None:
    sealed(service, {"id": "A1", "name": "smime.p7m", "contentType": "application/pkcs7-mime", "size": 5})
    service.script["/messages/M1/attachments/A1/$value"] = Answer(b"\x30\x80abc")

    found = item(fetch(service, ["M1"])["M1"])

    assert found.metadata["original"] is False
    assert found.lacking == ItemFailure("M1", Reason.ITEM_CORRUPT, "ErrorMimeContentConversionFailed")
    assert found.content is not None
    written = email.message_from_bytes(found.content.data)
    assert written.get_content_type() == "application/pkcs7-mime"
    assert written.get_param("smime-type") == "enveloped-data"
    assert written["Subject"] == "Sealed words"
    assert base64.b64decode(str(written.get_payload())) == b"\x30\x80abc"


def test_report_without_mime_keeps_its_text_and_attachments(service: Service) -> None:
    sealed(service, {"id": "A1", "name": "details.txt", "contentType": "text/plain", "size": 3})
    service.script["/messages/M1?$select=body"] = Answer({"body": {"contentType": "text", "content": "It failed."}})
    service.script["/messages/M1/attachments/A1/$value"] = Answer(b"abc")

    found = item(fetch(service, ["M1"])["M1"])

    assert found.metadata["original"] is False
    assert found.lacking == ItemFailure("M1", Reason.ITEM_CORRUPT, "ErrorMimeContentConversionFailed")
    assert found.content is not None
    parts = [part.get_payload(decode=True) for part in email.message_from_bytes(found.content.data).walk()]
    assert b"It failed.\r\n" in parts
    assert b"abc" in parts


def test_message_without_mime_of_which_nothing_can_be_had_is_a_failure(service: Service) -> None:
    sealed(service)
    service.script["/messages/M1/attachments"] = error(500, "ErrorCorruptData")

    assert failure(fetch(service, ["M1"])["M1"]).support == "ErrorMimeContentConversionFailed"


def test_nothing_asked_for_costs_nothing(service: Service) -> None:
    assert fetch(service, []) == {}
    assert NO_ITEMS == {}
    assert service.requests == 0
