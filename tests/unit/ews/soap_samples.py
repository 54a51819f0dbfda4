"""Answers as Exchange writes them, by hand, and a channel that gives them out in turn."""

import base64
import re
from collections.abc import Callable, Sequence

from shared.sources.ews.mailbox import EwsMailbox
from shared.sources.ews.transport.session import EwsLimits
from shared.sources.model import Access, AccessMode, Folder, FolderKind, FolderRole

MESSAGES = "http://schemas.microsoft.com/exchange/services/2006/messages"
TYPES = "http://schemas.microsoft.com/exchange/services/2006/types"

INBOX = Folder("F1", "", "Inbox", "Inbox", FolderKind.MAIL, FolderRole.INBOX, 0)
CALENDAR = Folder("F2", "", "Calendar", "Calendar", FolderKind.CALENDAR, FolderRole.CALENDAR, 0)
CONTACTS = Folder("F3", "", "Contacts", "Contacts", FolderKind.CONTACTS, FolderRole.CONTACTS, 0)

type Answer = bytes | Exception | Callable[[str], "bytes | Exception"]


def envelope(body: str) -> bytes:
    """A SOAP envelope around a body."""
    return (
        '<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/">'
        '<s:Header><h:ServerVersionInfo xmlns:h="x" MajorVersion="15"/></s:Header>'
        f'<s:Body xmlns:m="{MESSAGES}" xmlns:t="{TYPES}">{body}</s:Body></s:Envelope>'
    ).encode()


def answer(operation: str, *messages: str) -> bytes:
    """An operation's answer of these response messages."""
    return envelope(
        f"<m:{operation}Response><m:ResponseMessages>{''.join(messages)}</m:ResponseMessages></m:{operation}Response>"
    )


def success(operation: str, content: str) -> str:
    """One response message that went well."""
    return (
        f'<m:{operation}ResponseMessage ResponseClass="Success"><m:ResponseCode>NoError</m:ResponseCode>'
        f"{content}</m:{operation}ResponseMessage>"
    )


def failure(operation: str, code: str, back_off: int | None = None) -> str:
    """One response message that did not."""
    told = f'<m:MessageXml><t:Value Name="BackOffMilliseconds">{back_off}</t:Value></m:MessageXml>' if back_off else ""
    return (
        f'<m:{operation}ResponseMessage ResponseClass="Error"><m:MessageText>alex@contoso.example</m:MessageText>'
        f"<m:ResponseCode>{code}</m:ResponseCode>{told}</m:{operation}ResponseMessage>"
    )


def fault(code: str, back_off: int | None = None) -> bytes:
    """A SOAP fault."""
    told = f'<t:MessageXml><t:Value Name="BackOffMilliseconds">{back_off}</t:Value></t:MessageXml>' if back_off else ""
    return envelope(
        f"<s:Fault><faultcode>a:{code}</faultcode><faultstring>secret words</faultstring><detail>"
        f'<e:ResponseCode xmlns:e="http://schemas.microsoft.com/exchange/services/2006/errors">{code}</e:ResponseCode>'
        f"{told}</detail></s:Fault>"
    )


def message(identifier: str, mime: bytes | None = b"From: a@x.example\r\n\r\nHello", more: str = "") -> str:
    """A t:Message."""
    content = f"<t:MimeContent>{base64.b64encode(mime).decode()}</t:MimeContent>" if mime is not None else ""
    return (
        f'<t:Message>{content}<t:ItemId Id="{identifier}" ChangeKey="C-{identifier}"/>'
        "<t:ItemClass>IPM.Note</t:ItemClass><t:Subject>Lunch &amp; more</t:Subject>"
        "<t:DateTimeReceived>2026-03-01T09:30:00Z</t:DateTimeReceived><t:Size>1234</t:Size>"
        '<t:ExtendedProperty><t:ExtendedFieldURI PropertyTag="0x300b" PropertyType="Binary"/>'
        "<t:Value>AAEC/w==</t:Value></t:ExtendedProperty>"
        "<t:From><t:Mailbox><t:Name>Ada</t:Name><t:EmailAddress>Ada@X.example</t:EmailAddress></t:Mailbox></t:From>"
        "<t:ToRecipients><t:Mailbox><t:Name>Bo</t:Name><t:EmailAddress>bo@x.example</t:EmailAddress>"
        f"</t:Mailbox></t:ToRecipients><t:IsRead>true</t:IsRead>{more}</t:Message>"
    )


def items(*elements: str) -> bytes:
    """A GetItem answer with one item a response message."""
    return answer("GetItem", *(success("GetItem", f"<m:Items>{element}</m:Items>") for element in elements))


def asked_ids(request: str) -> list[str]:
    """The ids that a GetItem asks for."""
    return re.findall(r'<t:ItemId Id="([^"]+)"', request)


def messages_as_asked(request: str) -> bytes:
    """A message for every id asked for."""
    return items(*(message(identifier) for identifier in asked_ids(request)))


ROOT = answer("GetFolder", success("GetFolder", '<m:Folders><t:Folder><t:FolderId Id="R"/></t:Folder></m:Folders>'))
"""The mailbox itself, which can be read."""


class ScriptedChannel:
    """Gives answers in turn; the last one again and again. Keeps the requests."""

    def __init__(self, *answers: Answer) -> None:
        self._answers = list(answers)
        self.asked: list[str] = []
        self.closed = False
        self.requests = 0
        self.bytes_received = 0

    def ask(self, envelope: bytes, answer_bytes: int | None = None) -> bytes:
        request = envelope.decode()
        self.asked.append(request)
        self.requests += 1
        given = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        result = given(request) if callable(given) else given
        if isinstance(result, Exception):
            raise result
        self.bytes_received += len(result)
        return result

    def close(self) -> None:
        self.closed = True


def mailbox(
    channel: ScriptedChannel,
    *,
    connections: int = 1,
    archives: bool = False,
    largest: int = 1 << 20,
    limits: EwsLimits | None = None,
    names: dict[str, FolderRole] | None = None,
    isolate_failures: bool = False,
) -> EwsMailbox:
    """A mailbox over a scripted channel."""
    return EwsMailbox(
        channel,
        Access("alex@contoso.example", AccessMode.DELEGATED, "token"),
        limits or EwsLimits(),
        connections=connections,
        largest_item_bytes=largest,
        archives=archives,
        names={} if names is None else names,
        isolate_failures=isolate_failures,
    )


def ids(count: int) -> Sequence[str]:
    """Some ids."""
    return [f"I{number}" for number in range(count)]
