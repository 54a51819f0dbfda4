"""One SOAP request and its answer: authenticate the caller, validate the request, run the operation."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lxml import etree

from sandbox.ews import request_validation
from sandbox.ews.access import Caller, caller_of, claims_of
from sandbox.ews.call import Call, failure, responses
from sandbox.ews.ews_403_bodies import EWS_403_BODIES
from sandbox.ews.operations import OPERATIONS
from sandbox.ews.properties import words
from sandbox.ews.refusals import Fault, Forbidden, Refused, Unauthorized
from sandbox.ews.wire import ERRORS, MESSAGES, SOAP
from sandbox.mailboxes.fragments import TYPES, children, escape, local, parse
from sandbox.mailboxes.mailbox_store import MailboxStore

type Verify = Callable[[str], Mapping[str, Any]]

_VERSION = 'MajorVersion="15" MinorVersion="20" MajorBuildNumber="9115" MinorBuildNumber="20" Version="V2018_01_08"'
_VERSIONS = frozenset(
    words(
        """
    Exchange2007 Exchange2007_SP1 Exchange2009 Exchange2010 Exchange2010_SP1 Exchange2010_SP2 Exchange2012
    Exchange2013 Exchange2013_SP1 Exchange2015 Exchange2016 V2015_10_05 V2016_01_06 V2016_04_13 V2016_07_13
    V2016_10_10 V2017_01_07 V2017_04_14 V2017_07_11 V2017_10_09 V2018_01_08
    """
    )
)

_OPEN = (
    f'<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="{SOAP}"><s:Header>'
    f'<h:ServerVersionInfo {_VERSION} xmlns:h="{TYPES}"/></s:Header>'
    f'<s:Body xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:m="{MESSAGES}" xmlns:t="{TYPES}">'
)
_CLOSE = "</s:Body></s:Envelope>"


@dataclass(frozen=True, slots=True)
class Answer:
    """The HTTP response."""

    status: int
    text: str
    headers: Mapping[str, str]


class EwsService:
    """Answers SOAP requests. `verify` returns a token's claims or raises ValueError.

    `tenant_block` returns for a tenant's id the variant of the 403 body that everyone in the tenant gets;
    empty for none.
    """

    def __init__(
        self, store: MailboxStore, verify: Verify, tenant_block: Callable[[str], str] = lambda tenant_id: ""
    ) -> None:
        self.store = store
        self.verify = verify
        self.tenant_block = tenant_block

    def answer(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Answer one SOAP request."""
        try:
            claims = claims_of(headers.get("Authorization"), self.verify)
            return Answer(200, f"{_OPEN}{self._answer(body, claims)}{_CLOSE}", {})
        except Unauthorized as exc:
            return _challenge(exc)
        except Forbidden as exc:
            return Answer(exc.status, exc.text, exc.headers)
        except Fault as exc:
            return Answer(500, _fault(exc), {})

    def challenge(self, headers: Mapping[str, str]) -> Answer | None:
        """How a request without a good token is asked for one; None for one that has it."""
        try:
            claims_of(headers.get("Authorization"), self.verify)
        except Unauthorized as exc:
            return _challenge(exc)
        except Forbidden as exc:
            return Answer(exc.status, exc.text, exc.headers)
        return None

    def _answer(self, body: bytes, claims: Mapping[str, Any]) -> str:
        header, request = _read(body)
        caller = caller_of(self.store.address_book, claims, header)
        self._admit(caller)
        operation = local(request)
        try:
            return OPERATIONS[operation](Call(self.store, caller, request))
        except Refused as refused:
            return responses(operation, [failure(operation, refused)])

    def _admit(self, caller: Caller) -> None:
        """Check that EWS serves this mailbox now. Raises Forbidden or Fault."""
        if not caller.person.has_mailbox:
            raise Fault("ErrorNonExistentMailbox")
        if variant := self.tenant_block(caller.person.tenant_id):
            raise Forbidden(*EWS_403_BODIES[variant])
        mailbox = self.store.mailbox(caller.person.address)
        if mailbox.ews_block is not None:
            status, text, headers = mailbox.ews_block
            raise Forbidden(text, headers, status)
        if mailbox.moving:
            raise Fault("ErrorMailboxMoveInProgress")


def operation_of(body: bytes) -> str:
    """The name of the operation that a SOAP request calls, without full parsing; empty when there is none."""
    start = body.find(b"Body")
    opening = body.find(b"<", body.find(b">", start)) if start >= 0 else -1
    if opening < 0:
        return ""
    name = body[opening + 1 : opening + 80].replace(b"/", b" ").replace(b">", b" ").split()
    return name[0].rpartition(b":")[2].decode("ascii", "replace") if name else ""


def _read(body: bytes) -> tuple[etree._Element | None, etree._Element]:
    """The header and the one request of a SOAP envelope, validated against the schema. Raises Fault."""
    try:
        envelope = parse(body)
        request = _request(envelope)
        header = envelope.find(f"{{{SOAP}}}Header")
        _check_version(header)
        request_validation.check(request)
    except ValueError as exc:
        text = f"The request failed schema validation: {exc}"
        raise Fault("ErrorSchemaValidation", text, f"<t:Violation>{escape(str(exc))}</t:Violation>") from None
    return header, request


def _request(envelope: etree._Element) -> etree._Element:
    inside = envelope.find(f"{{{SOAP}}}Body")
    if str(envelope.tag) != f"{{{SOAP}}}Envelope" or inside is None or len(children(inside)) != 1:
        raise ValueError("A SOAP 1.1 envelope with one request is expected.")
    return children(inside)[0]


def _check_version(header: etree._Element | None) -> None:
    """Check that the requested version exists. Raises Fault."""
    element = header.find(f"{{{TYPES}}}RequestServerVersion") if header is not None else None
    if element is not None and element.get("Version") not in _VERSIONS:
        raise Fault("ErrorInvalidServerVersion", "The specified server version is invalid.")


def _fault(fault: Fault) -> str:
    text = escape(fault.text)
    xml = f'<t:MessageXml xmlns:t="{TYPES}">{fault.xml}</t:MessageXml>' if fault.xml else ""
    return (
        f'<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="{SOAP}"><s:Body><s:Fault>'
        f'<faultcode xmlns:a="{TYPES}">a:{fault.code}</faultcode><faultstring xml:lang="en-US">{text}</faultstring>'
        f'<detail><e:ResponseCode xmlns:e="{ERRORS}">{fault.code}</e:ResponseCode>'
        f'<e:Message xmlns:e="{ERRORS}">{text}</e:Message>{xml}</detail></s:Fault></s:Body></s:Envelope>'
    )


def _challenge(unauthorized: Unauthorized) -> Answer:
    challenge = (
        'Bearer client_id="00000002-0000-0ff1-ce00-000000000000", '
        'trusted_issuers="00000001-0000-0000-c000-000000000000@*", token_types="app_asserted_user_v1 '
        'service_asserted_app_v1", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize"'
    )
    headers = {"WWW-Authenticate": challenge}
    if unauthorized.error:
        headers["WWW-Authenticate"] += f', error="{unauthorized.error}"'
        headers["x-ms-diagnostics"] = f'2000003;reason="The token is not valid.";error_category="{unauthorized.error}"'
    return Answer(401, "", headers)
