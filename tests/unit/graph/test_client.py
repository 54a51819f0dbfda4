"""The client and its batches: tokens, redirects within the service, links, parts, and the one table of answers."""

import base64
from datetime import timedelta

import pytest

from shared.errors import (
    AdministratorMustAct,
    MailboxSyncError,
    OperatorMustAct,
    PersonMustSignIn,
    Reason,
    RetryLater,
)
from shared.sources.graph.faults.errors import RULES, STATUSES, Refusal, code_in, table
from shared.sources.graph.ids import Translated, ews_id, graph_id, translate
from shared.sources.graph.transport.answers import Named, decoded
from shared.sources.graph.transport.batch import Ask, Batches
from shared.sources.graph.transport.client import GraphClient
from shared.sources.graph.transport.throttling import ThrottleWatch
from shared.sources.model import Access, AccessMode, SourceName
from shared.sources.port import FolderGone
from tests.unit.graph.service import NOW, ROOT, Answer, Service, access_of, client_of, error, page


@pytest.fixture
def service() -> Service:
    return Service()


def test_rejected_token_is_renewed_once(service: Service) -> None:
    service.valid_tokens = {"fresh"}
    service.script["/x"] = page()
    renewals: list[str] = []

    def renew() -> str:
        renewals.append("fresh")
        return "fresh"

    client = client_of(service, access_of(renew))
    client.get("/users/alex@contoso.example/x")
    client.get("/users/alex@contoso.example/x")

    assert service.tokens == ["token", "fresh", "fresh"]
    assert renewals == ["fresh"]


def test_token_rejected_twice_asks_the_person_with_the_claims_challenge(service: Service) -> None:
    challenge = base64.b64encode(b'{"access_token":{}}').decode()
    told = f'Bearer realm="", error="insufficient_claims", claims="{challenge}"'
    service.script["/x"] = error(401, "InvalidAuthenticationToken", WWW_Authenticate=told)

    with pytest.raises(PersonMustSignIn) as raised:
        client_of(service, access_of(lambda: "fresh")).get("/users/alex@contoso.example/x")

    assert raised.value.claims == '{"access_token":{}}'
    assert not raised.value.definite


def test_moved_folder_is_followed_within_the_service(service: Service) -> None:
    service.script["/x"] = Answer(b"", 308, {"Location": "https://elsewhere.example/v1.0/users/alex@contoso.example/y"})
    service.script["/y"] = page()

    client_of(service).get("/users/alex@contoso.example/x")

    assert service.paths() == ["/x", "/y"]


def test_redirects_come_to_an_end(service: Service) -> None:
    service.script["/x"] = Answer(b"", 308, {"Location": "/v1.0/users/alex@contoso.example/x"})

    with pytest.raises(RetryLater):
        client_of(service).get("/users/alex@contoso.example/x")
    assert service.requests == 4


def test_closed_mailbox_asks_nothing(service: Service) -> None:
    client = client_of(service)
    client.close()

    with pytest.raises(RetryLater):
        client.get("/x")
    assert service.closed
    assert service.requests == 0


def test_own_mailbox_needs_no_address(service: Service) -> None:
    own = GraphClient(ROOT, Access("alex", AccessMode.DELEGATED, "token", own=True), service, lambda: NOW)
    shared = GraphClient(ROOT, Access("team/1@x.example", AccessMode.APP_ONLY, "token"), service, lambda: NOW)

    assert (own.mailbox, shared.mailbox) == ("/me", "/users/team%2F1@x.example")


def test_batch_answers_in_the_order_asked_and_each_part_by_itself(service: Service) -> None:
    service.script["/a"] = page({"id": "1"})
    service.script["/c"] = error(429, "TooManyRequests", Retry_After="5")
    client = client_of(service)
    asks = [Ask(f"{client.mailbox}/{name}", prefer=("odata.maxpagesize=7",)) for name in "abc"]

    first, second, third = Batches(client, lambda: pytest.fail("one batch needs no pool")).ask(asks)

    assert b'"1"' in first.value()
    with pytest.raises(FolderGone):
        second.value()
    assert third.refusal is not None
    assert third.refusal.retry_after == 5
    assert service.asked[0].headers["Prefer"] == "odata.maxpagesize=7"
    assert service.requests == 1


def test_rejected_parts_are_asked_again_with_a_fresh_token(service: Service) -> None:
    service.script["/a"] = service.script["/b"] = page()
    service.valid_tokens = {"fresh"}
    client = client_of(service, access_of(lambda: "fresh"))

    parts = Batches(client, lambda: pytest.fail("no pool")).ask([Ask(f"{client.mailbox}/{name}") for name in "ab"])

    assert all(part.refusal is None for part in parts)
    assert service.tokens == ["token", "fresh"]


def test_throttling_is_the_tenants_when_several_of_its_mailboxes_meet_it() -> None:
    now = [NOW]
    watch = ThrottleWatch(lambda: now[0])

    assert [watch.is_tenant_wide(f"{name}@x.example") for name in ("a", "a", "b", "C")] == [False, False, False, True]
    assert not watch.is_tenant_wide("a@other.example")
    now[0] += timedelta(minutes=2)
    assert not watch.is_tenant_wide("a@x.example")


def test_tenant_wide_throttling_is_said_with_the_error(service: Service) -> None:
    service.script["/x"] = error(429, "TooManyRequests", Retry_After="5")
    client = GraphClient(ROOT, access_of(), service, lambda: NOW, lambda: True)

    with pytest.raises(RetryLater) as raised:
        client.get("/users/alex@contoso.example/x")
    assert raised.value.tenant_wide


def test_ids_are_spelled_in_two_alphabets() -> None:
    assert graph_id("AAMk/a+b=") == "AAMk-a_b="
    assert ews_id("AAMk-a_b=") == "AAMk/a+b="


def test_translation_goes_in_pages_of_a_thousand(service: Service) -> None:
    service.script["/translateExchangeIds"] = Answer(
        {
            "value": [
                {"sourceId": "a/", "targetId": "a-"},
                {"sourceId": "b", "targetId": "", "errorDetails": {"code": "ErrorItemNotFound", "message": "x"}},
            ]
        }
    )

    found = list(translate(client_of(service), [str(number) for number in range(1_001)], SourceName.GRAPH))

    assert service.requests == 2
    assert found[:2] == [Translated("a/", "a-"), Translated("b", "", "ErrorItemNotFound")]


@pytest.mark.parametrize(
    ("status", "code", "kind", "reason"),
    [
        (401, "", PersonMustSignIn, Reason.TOKEN_REJECTED),
        (403, "ErrorAccessDenied", AdministratorMustAct, Reason.ACCESS_DENIED),
        (403, "Authorization_RequestDenied", AdministratorMustAct, Reason.ACCESS_DENIED),
        (404, "MailboxNotEnabledForRESTAPI", AdministratorMustAct, Reason.NO_MAILBOX),
        (404, "errorinvaliduser", AdministratorMustAct, Reason.NO_MAILBOX),
        (404, "MailboxNotHostedInExchangeOnline", AdministratorMustAct, Reason.NO_MAILBOX),
        (400, "ErrorInvalidIdMalformed", OperatorMustAct, Reason.OUR_CONFIGURATION),
        (429, "ApplicationThrottled", RetryLater, Reason.THROTTLED),
        (503, "", RetryLater, Reason.UNAVAILABLE),
        (599, "", RetryLater, Reason.UNAVAILABLE),
        (418, "", RetryLater, Reason.BAD_ANSWER),
        (403, "ErrorQuotaExceeded", RetryLater, Reason.UNAVAILABLE),
    ],
)
def test_answer_says_who_acts(status: int, code: str, kind: type[MailboxSyncError], reason: Reason) -> None:
    raised = Refusal(status, code).error()

    assert isinstance(raised, kind)
    assert getattr(raised, "reason", None) is reason


def test_most_exact_inner_code_is_the_one_that_counts() -> None:
    body = (
        b'{"error":{"code":"generalException","message":"m","innerError":'
        b'{"code":"unheardOf","innererror":{"code":"ErrorQuotaExceeded","date":"x"}}}}'
    )

    assert code_in(body) == "ErrorQuotaExceeded"
    assert code_in(b'{"error":{"code":"unheardOf"}}') == "unheardOf"
    assert code_in(b'{"error":{"code":"a secret, with words"}}') == ""
    assert code_in(b"<html>") == code_in(b"") == code_in(b'{"error":null}') == code_in(b"[" * 9_999) == ""


def test_table_has_every_code_once_and_every_status() -> None:
    answers = [row.answer for row in table()]

    assert len(answers) == len(set(answers))
    assert {f"HTTP {status}" for status in STATUSES} <= set(answers)
    assert set(RULES) <= set(answers)
    assert len({code.lower() for code in RULES}) == len(RULES)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b'{"id":"a \\ud83d b"}', "a \ufffd b"),
        (b'{"id":"a \\ude00"}', "a \ufffd"),
        (b'{"id":"\\ud83d\\ud83d\\ude00"}', "\ufffd\U0001f600"),
        (b'{"id":"caf\xe9"}', "caf\ufffd"),
        (b'{"id":"\\\\ud83d \\ud83d"}', "\\ud83d \ufffd"),
    ],
)
def test_text_that_is_no_unicode_is_replaced_where_it_stands(body: bytes, text: str) -> None:
    """M10, over Graph: a folder's name must not make the listing of all folders unreadable."""
    assert decoded(Named, body).id == text


@pytest.mark.parametrize("body", [b'{"id":"a', b'{"id":"\\ud83', b'{"id":"\\ud83d', b"\xff\xfe", b""])
def test_an_answer_that_is_no_json_is_malformed(body: bytes) -> None:
    """M10: repairing text does not hide that an answer was cut off."""
    with pytest.raises(RetryLater):
        decoded(Named, body)
