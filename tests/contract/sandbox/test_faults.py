"""Every kind of fault reaches a client as intended, is counted, and ends after its number of times."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from azure.core.exceptions import HttpResponseError
from azure.identity import DefaultAzureCredential
from azure.storage.blob import BlobServiceClient
from lxml import etree

from sandbox.local.sandbox_process import Sandbox
from tests.conftest import Faults
from tests.waiting import eventually

GET_ITEM = (
    b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"'
    b' xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages"'
    b' xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types"><s:Body><m:GetItem><m:ItemShape>'
    b"<t:BaseShape>IdOnly</t:BaseShape></m:ItemShape><m:ItemIds>"
    b'<t:ItemId Id="AA"/><t:ItemId Id="AB"/></m:ItemIds></m:GetItem></s:Body></s:Envelope>'
)


def discover(sandbox: Sandbox, timeout: float = 20) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        url = sandbox.endpoints["entra"] + "/common/v2.0/.well-known/openid-configuration"
        return session.get(url, verify=sandbox.endpoints["ca"], timeout=timeout)


def get_item(sandbox: Sandbox) -> requests.Response:
    token = sandbox.control.post("/tokens", {"person": "alex@contoso.example"})["token"]
    with requests.Session() as session:
        session.trust_env = False
        return session.post(
            sandbox.endpoints["exchange"],
            data=GET_ITEM,
            headers={"Authorization": f"Bearer {token}", "Content-Type": "text/xml; charset=utf-8"},
            verify=sandbox.endpoints["ca"],
            timeout=300,
        )


def test_a_status_comes_with_its_headers_and_its_body(sandbox: Sandbox, faults: Faults) -> None:
    fault = {"kind": "status", "status": 429, "headers": {"Retry-After": "7"}, "body": {"error": "slow down"}}
    rule = faults.add("entra", fault)
    answer = discover(sandbox)
    assert (answer.status_code, answer.headers["Retry-After"], answer.json()) == (429, "7", {"error": "slow down"})
    assert discover(sandbox).status_code == 200
    assert faults.hits(rule) == 1


def test_a_rule_skips_strikes_so_many_times_and_lets_the_rest_pass(sandbox: Sandbox, faults: Faults) -> None:
    rule = faults.add("entra", {"kind": "status", "status": 503}, skip=1, times=2)
    assert [discover(sandbox).status_code for _ in range(4)] == [200, 503, 503, 200]
    assert faults.hits(rule) == 2


def test_a_delayed_request_is_answered_when_its_rule_is_removed(sandbox: Sandbox, faults: Faults) -> None:
    rule = faults.add("entra", {"kind": "delay", "seconds": 600})
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(discover, sandbox, 120)
        eventually("the request to be delayed", lambda: faults.hits(rule))
        faults.clear()
        assert asked.result().status_code == 200


def test_a_rule_strikes_only_what_it_matches(sandbox: Sandbox, faults: Faults) -> None:
    faults.add("entra", {"kind": "reset"}, match={"operation": "token.*"}, times=None)
    faults.add("entra", {"kind": "reset"}, match={"path": "/tenants-only/"}, times=None)
    faults.add("entra", {"kind": "reset"}, match={"method": "POST"}, times=None)
    faults.add("key_vault", {"kind": "reset"}, times=None)
    assert discover(sandbox).status_code == 200


@pytest.mark.parametrize("fault", [{"kind": "reset"}, {"kind": "silence", "seconds": 0.2}])
def test_a_connection_can_be_lost_without_a_word(sandbox: Sandbox, faults: Faults, fault: dict[str, Any]) -> None:
    faults.add("entra", fault)
    with pytest.raises(requests.ConnectionError):
        discover(sandbox)


def test_silence_outlasts_a_client_that_gives_up(sandbox: Sandbox, faults: Faults) -> None:
    faults.add("entra", {"kind": "silence", "seconds": 60})
    with pytest.raises(requests.ReadTimeout):
        discover(sandbox, timeout=0.5)
    assert discover(sandbox).status_code == 200


def test_a_body_can_be_cut_in_mid_stream(sandbox: Sandbox, faults: Faults) -> None:
    faults.add("entra", {"kind": "cut", "after": 100})
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        discover(sandbox)


def test_a_drip_is_slow_but_whole(sandbox: Sandbox, faults: Faults) -> None:
    whole = discover(sandbox).content
    faults.add("entra", {"kind": "drip", "bytes": len(whole) // 3, "seconds": 0.1})
    assert discover(sandbox).content == whole
    faults.add("entra", {"kind": "drip", "bytes": 1, "seconds": 30})
    with pytest.raises(requests.ConnectionError):
        discover(sandbox, timeout=0.5)


def test_another_content_type_with_another_body(sandbox: Sandbox, faults: Faults) -> None:
    faults.add("entra", {"kind": "content_type", "body": "<h1>Please pay for the wireless network</h1>"})
    answer = discover(sandbox)
    assert answer.headers["Content-Type"] == "text/html"
    assert "wireless" in answer.text


def test_broken_xml_cannot_be_parsed(sandbox: Sandbox, faults: Faults) -> None:
    faults.add("entra", {"kind": "malformed_xml"})
    with pytest.raises(etree.XMLSyntaxError):
        etree.fromstring(discover(sandbox).content)


def test_what_was_asked_is_counted(sandbox: Sandbox) -> None:
    sandbox.control.delete("/requests")
    discover(sandbox)
    discover(sandbox)
    assert sandbox.control.get("/requests")["entra"] == {"openid-configuration": 2}


def test_a_rule_that_cannot_be_understood_is_refused_and_says_why(sandbox: Sandbox, faults: Faults) -> None:
    for service, fault, more in (
        ("fax", {"kind": "reset"}, {}),
        ("entra", {"kind": "gremlins"}, {}),
        ("entra", {"kind": "reset"}, {"match": {"colour": "red"}}),
    ):
        with pytest.raises(requests.HTTPError, match="400"):
            faults.add(service, fault, **more)


@pytest.fixture
def blobs(sandbox: Sandbox, azure_environment: Any) -> BlobServiceClient:
    return BlobServiceClient(sandbox.endpoints["blob"], credential=DefaultAzureCredential(), retry_total=0)


def test_faults_reach_storage_too(blobs: BlobServiceClient, faults: Faults) -> None:
    container = blobs.create_container("faults-status")
    faults.add("blob", {"kind": "status", "status": 503}, match={"operation": "PUT faults-status"})
    with pytest.raises(HttpResponseError) as refused:
        container.upload_blob("a", b"x")
    assert refused.value.status_code == 503
    container.upload_blob("a", b"x")


def test_an_answer_can_be_lost_after_the_deed(blobs: BlobServiceClient, faults: Faults) -> None:
    container = blobs.create_container("faults-handled")
    faults.add("blob", {"kind": "status", "status": 500, "handled": True}, match={"operation": "PUT faults-handled"})
    with pytest.raises(HttpResponseError):
        container.upload_blob("a", b"x")
    assert [blob.name for blob in container.list_blobs()] == ["a"]
    assert container.get_blob_client("a").get_blob_properties().size == 1


@pytest.mark.parametrize("status", [200, 500])
def test_exchange_can_be_too_busy_in_either_way(sandbox: Sandbox, faults: Faults, status: int) -> None:
    faults.add(
        "exchange",
        {"kind": "ews", "code": "ErrorServerBusy", "back_off_ms": 1500, "status": status},
        match={"operation": "GetItem"},
    )
    answer = get_item(sandbox)
    document = etree.fromstring(answer.content)
    codes = [e.text for e in document.iter("{*}ResponseCode")]
    assert answer.status_code == status
    assert codes == ["ErrorServerBusy"] * (2 if status == 200 else 1)
    assert next(document.iter("{*}Value")).text == "1500"


def test_exchange_can_say_that_the_token_has_expired(sandbox: Sandbox, faults: Faults) -> None:
    faults.add("exchange", {"kind": "expired_token"})
    answer = get_item(sandbox)
    assert answer.status_code == 401
    assert "invalid_token" in answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize("kind", ["entity_bomb", "external_entity"])
def test_hostile_xml_is_delivered(sandbox: Sandbox, faults: Faults, kind: str) -> None:
    faults.add("exchange", {"kind": kind})
    answer = get_item(sandbox)
    assert len(answer.content) < 4096
    assert b"<!DOCTYPE s:Envelope [<!ENTITY" in answer.content
