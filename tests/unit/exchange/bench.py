"""An Exchange without a network: requests go in as XML, answers come out as elements."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from lxml import etree

from sandbox.ews import EwsService
from sandbox.ews.service import Answer
from sandbox.ews.wire import MESSAGES, SOAP
from sandbox.mailboxes.fragments import TYPES
from sandbox.mailboxes.mailbox_store import MailboxStore
from sandbox.mailboxes.store import Folder, Mailbox

M, T = f"{{{MESSAGES}}}", f"{{{TYPES}}}"
START = datetime(2026, 11, 23, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Someone:
    address: str
    oid: str
    display_name: str = "Some One"
    aliases: tuple[str, ...] = ()
    tenant_id: str = "contoso"
    has_mailbox: bool = True
    may_impersonate: bool = False
    sign_in_name: str = ""


ALEX = Someone("alex@contoso.example", "1", "Alex Berg", ("alexander@contoso.example",))
BO = Someone("bo@contoso.example", "2", "Bo Lindqvist")
GRAY = Someone("gray@contoso.example", "3", "Gray Silva", has_mailbox=False)
SERVICE = Someone("service@contoso.example", "4", "Service", may_impersonate=True)
JO = Someone("jo@fabrikam.example", "5", "Alexa Marchetti", tenant_id="fabrikam")
PEOPLE = (ALEX, BO, GRAY, SERVICE, JO)


def claims(token: str) -> dict[str, Any]:
    return dict(json.loads(base64.b64decode(token)))


def token(**said: Any) -> str:
    return base64.b64encode(json.dumps(said).encode()).decode()


def delegated(person: Someone) -> str:
    return token(oid=person.oid, tid=person.tenant_id, scp="EWS.AccessAsUser.All")


class Clock:
    """Time that goes on only when it is told to."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> None:
        self.now += timedelta(**by)


class Bench:
    """One Exchange, and a person at it."""

    def __init__(self, person: Someone = ALEX) -> None:
        self.clock = Clock()
        self.exchange = EwsService(MailboxStore(PEOPLE, self.clock), claims)
        self.bearer = delegated(person)
        self.person = person

    @property
    def mailbox(self) -> Mailbox:
        return self.exchange.store.mailbox(self.person.address)

    def folder(self, name: str = "inbox") -> Folder:
        return self.mailbox.distinguished[name]

    def send(self, request: str, header: str = "", headers: Mapping[str, str] | None = None) -> Answer:
        """The raw answer to one request."""
        envelope = (
            f'<s:Envelope xmlns:s="{SOAP}" xmlns:m="{MESSAGES}" xmlns:t="{TYPES}"><s:Header>{header}</s:Header>'
            f"<s:Body>{request}</s:Body></s:Envelope>"
        )
        return self.exchange.answer(envelope.encode(), headers or {"Authorization": f"Bearer {self.bearer}"})

    def ask(self, request: str, header: str = "") -> etree._Element:
        """The body of the answer to one request that is well-formed in every sense."""
        answer = self.send(request, header)
        assert answer.status == 200, answer.text
        body = etree.fromstring(answer.text.encode()).find(f"{{{SOAP}}}Body")
        assert body is not None
        return body[0]

    def fault(self, request: str, header: str = "") -> str:
        """The response code of the fault that a request is refused with."""
        answer = self.send(request, header)
        assert answer.status == 500, answer.text
        return etree.fromstring(answer.text.encode()).findtext(".//{*}ResponseCode") or ""


def codes(answer: etree._Element) -> list[str]:
    """The response codes of an answer's messages."""
    return [str(code.text) for code in answer.iter(f"{M}ResponseCode")]


def ids(answer: etree._Element) -> list[str]:
    """Every item id in an answer, in order."""
    return [str(found.get("Id")) for found in answer.iter(f"{T}ItemId")]


def sync(folder: Folder, state: str = "", most: int = 512, shape: str = "") -> str:
    """A SyncFolderItems request."""
    given = f"<m:SyncState>{state}</m:SyncState>" if state else ""
    return (
        f"<m:SyncFolderItems><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape>{shape}</m:ItemShape>"
        f'<m:SyncFolderId><t:FolderId Id="{folder.id}"/></m:SyncFolderId>{given}'
        f"<m:MaxChangesReturned>{most}</m:MaxChangesReturned></m:SyncFolderItems>"
    )


def get(*items: str, base: str = "IdOnly", more: str = "") -> str:
    """A GetItem request."""
    named = "".join(f'<t:ItemId Id="{item}"/>' for item in items)
    shape = f"<m:ItemShape><t:BaseShape>{base}</t:BaseShape>{more}</m:ItemShape>"
    return f"<m:GetItem>{shape}<m:ItemIds>{named}</m:ItemIds></m:GetItem>"


def paths(*uris: str) -> str:
    """Additional properties."""
    inside = "".join(f'<t:FieldURI FieldURI="{uri}"/>' for uri in uris)
    return f"<t:AdditionalProperties>{inside}</t:AdditionalProperties>"


def create(inside: str, folder: str = "inbox", attributes: str = 'MessageDisposition="SaveOnly"') -> str:
    """A CreateItem request."""
    return (
        f'<m:CreateItem {attributes}><m:SavedItemFolderId><t:DistinguishedFolderId Id="{folder}"/>'
        f"</m:SavedItemFolderId><m:Items>{inside}</m:Items></m:CreateItem>"
    )
