"""X7: the sandbox's Exchange describes itself with a WSDL, and serves the schema of which it has the files."""

from collections.abc import Iterator

import pytest
import requests
from lxml import etree

from sandbox.ews import EwsService
from sandbox.ews.http import application
from sandbox.ews.operations import OPERATIONS
from sandbox.mailboxes.mailbox_store import MailboxStore
from sandbox.tls.authority import Authority
from tests.contract.exchange_server import ALEX, PEOPLE, claims, delegated, listening

WSDL = "{http://schemas.xmlsoap.org/wsdl/}"
SOAP = "{http://schemas.xmlsoap.org/wsdl/soap/}"


@pytest.fixture(scope="module")
def url(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("schema")
    (folder / "messages.xsd").write_text("<messages/>")
    (folder / "secret.txt").write_text("not to be served")
    with listening(application(EwsService(MailboxStore(PEOPLE), claims), folder), authority) as served:
        yield f"{served}/EWS"


def ask(url: str, authority: Authority, *, signed_in: bool = True, method: str = "GET") -> requests.Response:
    headers = {"Authorization": f"Bearer {delegated(ALEX)}"} if signed_in else {}
    return requests.request(method, url, headers=headers, timeout=300, verify=str(authority.ca))


def test_the_wsdl_describes_every_operation_at_its_address(url: str, authority: Authority) -> None:
    answer = ask(f"{url}/Services.wsdl", authority)
    described = etree.fromstring(answer.content)
    operations = {one.get("name") for one in described.iterfind(f"{WSDL}portType/{WSDL}operation")}
    assert operations == {name.removesuffix("Request") for name in OPERATIONS}
    assert operations == {one.get("name") for one in described.iterfind(f"{WSDL}binding/{WSDL}operation")}
    messages = {one.get("name") for one in described.iterfind(f"{WSDL}message")}
    for used in described.iterfind(f"{WSDL}portType/{WSDL}operation/*"):
        assert str(used.get("message")).removeprefix("m:") in messages
    elements = {part.get("element") for part in described.iter(f"{WSDL}part")}
    assert {"m:GetItem", "m:GetItemResponse", "m:GetUserAvailabilityRequest"} <= elements
    (address,) = described.iter(f"{SOAP}address")
    assert address.get("location") == f"{url}/Exchange.asmx"


@pytest.mark.parametrize(
    ("name", "status"),
    [("messages.xsd", 200), ("types.xsd", 404), ("secret.txt", 404), ("nothing", 404), ("../messages.xsd", 404)],
)
def test_only_the_schemas_that_are_there_are_served(url: str, authority: Authority, name: str, status: int) -> None:
    assert ask(f"{url}/{name}", authority).status_code == status


def test_who_does_not_sign_in_is_asked_to(url: str, authority: Authority) -> None:
    """X1, X7."""
    answer = ask(f"{url}/Services.wsdl", authority, signed_in=False)
    assert answer.status_code == 401
    assert "Bearer" in answer.headers["WWW-Authenticate"]
    assert ask(f"{url}/Services.wsdl", authority, method="POST").status_code == 404
