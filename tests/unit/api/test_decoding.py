"""U12: an unknown, missing or wrong parameter or field of the API is refused, and named."""

from typing import cast

import pytest
from msgspec import Struct

from shared.api.decoding import decode_body, decode_query
from shared.api.errors import Malformed, Refused
from shared.api.expectations import expected_of
from shared.api.operations.items import ItemQuery
from shared.api.operations.mailboxes import MailboxQuery
from shared.api.operations.onboarding import activate_mailboxes, activation_malformed
from shared.api.resources.groups import GroupChange
from shared.api.resources.holds import HoldChange
from shared.api.resources.jobs import NewJob
from shared.api.resources.onboarding import NewActivation, NewInvitation, NewMove
from shared.api.resources.webhooks import NewWebhook
from shared.authorization.errors import ActivationRefused
from tests.fakes.api import ApiParts


@pytest.mark.parametrize(
    ("kind", "body", "parameter", "fault"),
    [
        (NewInvitation, b'{"adress": "a@b.example"}', "adress", "unknown"),
        (NewInvitation, b'{"reference": "x"}', "address", "missing"),
        (NewInvitation, b'{"address": 1}', "address", "wrong"),
        (NewActivation, b'{"addresses": ["a", 7]}', "addresses", "wrong"),
        (NewActivation, b'{"tenant": "../evil"}', "tenant", "wrong"),
        (NewMove, b'{"to": "imap"}', "to", "wrong"),
        (NewMove, b'{"to": "ews", "force": 1}', "force", "wrong"),
    ],
)
def test_what_is_wrong_with_a_body_is_named(kind: type[Struct], body: bytes, parameter: str, fault: str) -> None:
    with pytest.raises(Malformed) as refused:
        decode_body(kind, body)
    assert (refused.value.parameter, refused.value.fault) == (parameter, fault)


def test_a_json_object_is_read() -> None:
    body = decode_body(NewInvitation, b'{"address": "a", "reference": "x"}')
    assert body == NewInvitation("a", "x")


@pytest.mark.parametrize("body", [b"", b"[]", b"1", b"{", b"\xff", b"[" * 60000, b'{"address": "\xff"}'])
def test_json_that_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(Refused) as refused:
        decode_body(NewInvitation, body)
    assert refused.value.code == "malformed"


@pytest.mark.parametrize("body", [b"", b" ", b"{}"])
def test_an_operation_without_a_body_takes_none(body: bytes) -> None:
    assert decode_body(None, body) is None
    with pytest.raises(Refused):
        decode_body(None, b'{"force": true}')


@pytest.mark.parametrize(
    ("body", "parameter"),
    [
        (NewActivation(csv="", addresses=[], tenant="t"), "addresses, csv"),
        (NewActivation(tenant="t"), "addresses, csv"),
        (NewActivation(csv="a"), "authorization, tenant"),
    ],
)
def test_exactly_one_of_several_fields_is_required(body: NewActivation, parameter: str) -> None:
    with pytest.raises(Malformed) as refused:
        ApiParts().call(activate_mailboxes, body=body)
    assert (refused.value.parameter, refused.value.fault) == (parameter, "one_of")


@pytest.mark.parametrize(
    ("parameter", "named", "expected"),
    [
        ("tenant", "tenant", "ENTRA_TENANTS"),
        ("authorization", "authorization", "GET /service-accounts"),
        ("addresses", "csv", "1 to 500 addresses or names"),
        ("csv", "csv", "lines of text"),
        ("group", "group", "make the group first"),
    ],
)
def test_refused_activation_says_what_is_expected(parameter: str, named: str, expected: str) -> None:
    refused = activation_malformed(ActivationRefused("refused", parameter), "csv")
    assert (refused.parameter, expected in refused.expected) == (named, True)


@pytest.mark.parametrize(
    ("kind", "field", "words"),
    [
        (MailboxQuery, "hold", "`on`, or left out"),
        (HoldChange, "reason", "a text of 1 to 500 characters"),
        (NewJob, "mailboxes", "a list of at most 10000 texts of 1 to 64 characters that match ^[A-Za-z0-9-]+$"),
        (NewWebhook, "url", "a text of at most 2000 characters"),
        (GroupChange, "settings.exclude", "a list of at most 200 texts of 1 to 320 characters"),
    ],
)
def test_words_say_what_a_value_may_be(kind: type[Struct], field: str, words: str) -> None:
    assert expected_of(kind, field) == words


def test_query_parameters_are_typed() -> None:
    query = cast("ItemQuery", decode_query(ItemQuery, {"limit": "7", "has_attachments": "true", "from": "a@b.example"}))
    assert (query.limit, query.has_attachments, query.sender) == (7, True, "a@b.example")


def test_a_parameter_of_any_length_is_not_repeated_in_full() -> None:
    with pytest.raises(Malformed) as refused:
        decode_query(ItemQuery, {"x" * 5000: "1"})
    assert len(refused.value.parameter) == 100
