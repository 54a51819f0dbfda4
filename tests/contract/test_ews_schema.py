"""X7: requests of the EWS source and answers of the sandbox's Exchange keep to Exchange's own schema.

The schema (messages.xsd and types.xsd, which an Exchange Server offers beside its Services.wsdl) is Microsoft's and not
part of this repository: EWS_SCHEMA names the folder that has it. Without it these tests are skipped.
"""

import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from lxml import etree

from sandbox.ews import EwsService
from sandbox.ews.properties import ORDER
from sandbox.ews.wire import SOAP
from sandbox.ews.wsdl import services_wsdl
from sandbox.mailboxes.fragments import parse
from sandbox.mailboxes.mailbox_store import MailboxStore
from sandbox.mailboxes.samples.corpus import load_default
from shared.sources.ews.fetching import shapes
from shared.sources.ews.fetching.joint_listing import REF_PROPERTIES
from shared.sources.ews.transport import soap_request
from shared.sources.ews.transport.soap_request import Envelopes
from shared.sources.model import Access, AccessMode, ContentLevel
from tests.contract.exchange_server import ALEX, PEOPLE, claims, delegated
from tests.unit.ews.test_soap_request import REQUESTS

FOLDER = Path(os.environ.get("EWS_SCHEMA", ""))  # noqa: TID251 -- where the vendor's schema is, for these tests alone

pytestmark = pytest.mark.skipif(
    not (FOLDER / "messages.xsd").is_file() or not os.environ.get("EWS_SCHEMA"),  # noqa: TID251
    reason="EWS_SCHEMA does not name the folder of Exchange's messages.xsd and types.xsd",
)

XML = "http://www.w3.org/XML/1998/namespace"
ENVELOPES = Envelopes(Access(ALEX.address, AccessMode.DELEGATED, "token", own=True))


@cache
def schema() -> etree.XMLSchema:
    """Exchange's schema. Its import of the XML namespace names no place: one attribute of that is used."""
    with TemporaryDirectory() as copy:
        types = (FOLDER / "types.xsd").read_text(encoding="utf-8-sig")
        (Path(copy) / "types.xsd").write_text(types.replace(f'{XML}"/>', f'{XML}" schemaLocation="xml.xsd"/>'))
        (Path(copy) / "messages.xsd").write_bytes((FOLDER / "messages.xsd").read_bytes())
        (Path(copy) / "xml.xsd").write_text(
            f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="{XML}">'
            '<xs:attribute name="lang" type="xs:language"/></xs:schema>'
        )
        return etree.XMLSchema(etree.parse(Path(copy) / "messages.xsd"))


def check(body: bytes) -> None:
    """Validate what is in a SOAP body."""
    inside = parse(body).find(f"{{{SOAP}}}Body")
    assert inside is not None
    (element,) = inside
    assert schema().validate(element), (etree.tostring(element)[:300], str(schema().error_log))


@pytest.fixture(scope="module")
def exchange() -> EwsService:
    service = EwsService(MailboxStore(PEOPLE), claims)
    load_default(service.store, PEOPLE, messages=150)
    return service


def answered(exchange: EwsService, request: str) -> bytes:
    body = ENVELOPES.wrap(request)
    check(body)
    answer = exchange.answer(body, {"Authorization": f"Bearer {delegated(ALEX)}"})
    assert answer.status == 200, answer.text[:500]
    return answer.text.encode()


@pytest.mark.parametrize("name", sorted(REQUESTS))
def test_requests_keep_to_the_schema(name: str) -> None:
    check(ENVELOPES.wrap(REQUESTS[name]))


def folders(exchange: EwsService) -> Iterator[str]:
    """The id of one folder of each kind that has items."""
    mailbox = exchange.store.mailbox(ALEX.address)
    for name in ("inbox", "calendar", "contacts", "tasks", "notes"):
        if mailbox.distinguished[name].items:
            yield mailbox.distinguished[name].id


ALL = "<t:BaseShape>AllProperties</t:BaseShape>"


def test_folders_are_answered_by_the_schema(exchange: EwsService) -> None:
    """X6: UnreadCount in its place."""
    inbox = '<t:DistinguishedFolderId Id="inbox"/>'
    asked = f"<m:GetFolder><m:FolderShape>{ALL}</m:FolderShape><m:FolderIds>{inbox}</m:FolderIds></m:GetFolder>"
    check(answered(exchange, asked))
    properties = "".join(
        f'<t:FieldURI FieldURI="folder:{name}"/>' for name in ("UnreadCount", "FolderClass", "TotalCount")
    )
    root = '<t:DistinguishedFolderId Id="msgfolderroot"/>'
    check(answered(exchange, soap_request.find_folder(root, properties, 0)))
    check(
        answered(
            exchange, soap_request.find_folder('<t:DistinguishedFolderId Id="msgfolderroot"/>', shapes.SEARCH_KEY, 0)
        )
    )


def test_items_of_every_kind_are_answered_by_the_schema(exchange: EwsService) -> None:
    """X6: IsResponseRequested in its place."""
    mailbox = exchange.store.mailbox(ALEX.address)
    for folder in folders(exchange):
        ids = [item.id for item in mailbox.folders[folder].items.values()][:40]
        check(answered(exchange, soap_request.get_item(f"<m:ItemShape>{ALL}</m:ItemShape>", ids)))
        for shape in shapes.Shape:
            check(answered(exchange, soap_request.get_item(shape.request(ContentLevel.MIME), ids[:5])))


def test_changes_and_listings_are_answered_by_the_schema(exchange: EwsService) -> None:
    for folder in folders(exchange):
        check(answered(exchange, soap_request.sync_folder_items(folder, None)))
        check(answered(exchange, soap_request.find_item([folder], soap_request.fields(("item:DateTimeReceived",)), 0)))
    check(answered(exchange, soap_request.find_item([*folders(exchange), "unknown"], REF_PROPERTIES, 0)))


def test_the_directory_is_answered_by_the_schema(exchange: EwsService) -> None:
    inbox = exchange.store.mailbox(ALEX.address).distinguished["inbox"].id
    for request in (
        soap_request.convert_id(inbox, ALEX.address),
        soap_request.resolve_names("alex"),
        soap_request.resolve_names("nobody"),
        "<m:GetServerTimeZones/>",
    ):
        check(answered(exchange, request))


LISTED = "<t:Email><t:Address>{}</t:Address></t:Email><t:AttendeeType>Required</t:AttendeeType>"
FROM, TO = "2026-11-01T00:00:00", "2026-12-15T00:00:00"
WINDOW = f"<t:TimeWindow><t:StartTime>{FROM}</t:StartTime><t:EndTime>{TO}</t:EndTime></t:TimeWindow>"


@pytest.mark.parametrize("view", ["FreeBusy", "Detailed", "DetailedMerged", "MergedOnly"])
def test_availability_is_answered_by_the_schema(exchange: EwsService, view: str) -> None:
    """X5."""
    datas = "".join(
        f"<t:MailboxData>{LISTED.format(address)}</t:MailboxData>" for address in (ALEX.address, "no@x.example")
    )
    asked = (
        f"<m:GetUserAvailabilityRequest><m:MailboxDataArray>{datas}</m:MailboxDataArray><t:FreeBusyViewOptions>{WINDOW}"
        f"<t:MergedFreeBusyIntervalInMinutes>60</t:MergedFreeBusyIntervalInMinutes>"
        f"<t:RequestedView>{view}</t:RequestedView></t:FreeBusyViewOptions></m:GetUserAvailabilityRequest>"
    )
    check(answered(exchange, asked))


def test_people_and_configurations_are_answered_by_the_schema(exchange: EwsService) -> None:
    """X5."""
    contacts = exchange.store.mailbox(ALEX.address).distinguished["contacts"].items.values()
    listed = next(item.id for item in contacts if item.element == "DistributionList")
    for request in (
        f'<m:ExpandDL><m:Mailbox><t:ItemId Id="{listed}"/></m:Mailbox></m:ExpandDL>',
        "<m:ExpandDL><m:Mailbox><t:EmailAddress>all@x.example</t:EmailAddress></m:Mailbox></m:ExpandDL>",
        f"<m:GetUserPhoto><m:Email>{ALEX.address}</m:Email><m:SizeRequested>HR48x48</m:SizeRequested></m:GetUserPhoto>",
        "<m:GetUserPhoto><m:Email>no@x.example</m:Email><m:SizeRequested>HR48x48</m:SizeRequested></m:GetUserPhoto>",
        *(
            f'<m:GetUserConfiguration><m:UserConfigurationName Name="{name}"><t:DistinguishedFolderId Id="calendar"/>'
            "</m:UserConfigurationName><m:UserConfigurationProperties>All</m:UserConfigurationProperties>"
            "</m:GetUserConfiguration>"
            for name in ("CategoryList", "Nothing")
        ),
    ):
        check(answered(exchange, request))


def test_refusals_are_answered_by_the_schema(exchange: EwsService) -> None:
    check(answered(exchange, soap_request.get_item(shapes.SIZES, ["AAMk"])))
    check(answered(exchange, soap_request.sync_folder_items("AAMk", None)))


XS = "{http://www.w3.org/2001/XMLSchema}"


@cache
def types() -> etree._Element:
    return etree.parse(FOLDER / "types.xsd").getroot()


def declared(name: str) -> list[str]:
    """The elements of a complex type in their order, those of its base first."""
    kind = types().find(f"{XS}complexType[@name='{name}']")
    assert kind is not None, name
    extension = kind.find(f"{XS}complexContent/{XS}extension")
    inside = extension if extension is not None else kind
    base = str(extension.get("base")).removeprefix("t:") if extension is not None else ""
    own = [str(element.get("name") or element.get("ref")).removeprefix("t:") for element in inside.iter(f"{XS}element")]
    return (declared(base) if base else []) + own


TYPES = {
    "Item": "ItemType",
    "Message": "MessageType",
    "CalendarItem": "CalendarItemType",
    "Contact": "ContactItemType",
    "DistributionList": "DistributionListType",
    "Task": "TaskType",
    "PostItem": "PostItemType",
    "MeetingMessage": "MeetingMessageType",
    "MeetingRequest": "MeetingRequestMessageType",
    "MeetingResponse": "MeetingResponseMessageType",
    "MeetingCancellation": "MeetingCancellationMessageType",
}


@pytest.mark.parametrize("element", sorted(ORDER))
def test_properties_stand_where_the_schema_has_them(element: str) -> None:
    """X6: IsResponseRequested of an event, among others. Properties of later schemas are passed over."""
    places = {name: place for place, name in reversed(list(enumerate(declared(TYPES[element]))))}
    names = [name for name in ORDER[element] if name in places]
    assert len(names) > len(ORDER[element]) - 8
    assert names == sorted(names, key=places.__getitem__)


def test_the_wsdl_names_elements_of_the_schema() -> None:
    described = etree.fromstring(services_wsdl("https://exchange.example/EWS/Exchange.asmx").encode())
    root = etree.parse(FOLDER / "messages.xsd").getroot()
    elements = {f"m:{element.get('name')}" for element in root.iterfind(f"{XS}element")}
    named = {part.get("element") for part in described.iter("{http://schemas.xmlsoap.org/wsdl/}part")}
    assert named <= elements
