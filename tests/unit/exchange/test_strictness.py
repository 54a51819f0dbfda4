"""What this Exchange refuses, and how: as the real one does, or stricter."""

import pytest
from lxml import etree

from sandbox.ews.access import caller_of
from sandbox.ews.refusals import Fault
from sandbox.ews.wire import SOAP
from sandbox.mailboxes import incidents
from sandbox.mailboxes.fragments import parse_fragment
from sandbox.mailboxes.samples import message_samples
from tests.unit.exchange.bench import (
    ALEX,
    BO,
    GRAY,
    JO,
    SERVICE,
    Bench,
    codes,
    create,
    delegated,
    get,
    paths,
    sync,
    token,
)

GET_INBOX = (
    "<m:GetFolder><m:FolderShape><t:BaseShape>IdOnly</t:BaseShape></m:FolderShape>"
    '<m:FolderIds><t:DistinguishedFolderId Id="inbox"/></m:FolderIds></m:GetFolder>'
)


def impersonating(address: str) -> str:
    sid = f"<t:ConnectingSID><t:PrimarySmtpAddress>{address}</t:PrimarySmtpAddress></t:ConnectingSID>"
    return f"<t:ExchangeImpersonation>{sid}</t:ExchangeImpersonation>"


@pytest.mark.parametrize(
    "request_xml",
    [
        "<m:GetFolder/>",
        "<m:Nonsense/>",
        GET_INBOX.replace('Id="inbox"', 'Id="posteingang"'),
        GET_INBOX.replace("IdOnly", "Everything"),
        GET_INBOX.replace("<m:FolderIds>", "<m:Surprise/><m:FolderIds>"),
        GET_INBOX.replace("t:BaseShape", "m:BaseShape"),
        GET_INBOX.replace("<m:GetFolder>", '<m:GetFolder Colour="red">'),
        "<m:GetFolder><m:FolderIds/><m:FolderShape/></m:GetFolder>",
        get("x", more=paths("item:Nonsense")),
        get("x", more=paths("item:Subject") + "<t:IncludeMimeContent>true</t:IncludeMimeContent>"),
        create("<t:Message><t:Body>x</t:Body></t:Message>"),
        create('<t:Message><t:Body BodyType="Text">x</t:Body><t:Subject>late</t:Subject></t:Message>'),
        create("<t:Letter/>"),
        create("<t:Task><t:PercentComplete>half</t:PercentComplete></t:Task>", "tasks"),
        f"{GET_INBOX}{GET_INBOX}",
        "",
    ],
)
def test_what_breaks_the_schema_is_refused_as_a_whole(request_xml: str) -> None:
    assert Bench().fault(request_xml) == "ErrorSchemaValidation"


@pytest.mark.parametrize("most", [0, 513, -1])
def test_a_page_of_changes_has_its_limits(most: int) -> None:
    bench = Bench()
    assert bench.fault(sync(bench.folder(), most=most)) == "ErrorSchemaValidation"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not xml",
        b"<a/>",
        f'<!DOCTYPE x [<!ENTITY e "boom">]><s:Envelope xmlns:s="{SOAP}"><s:Body>&e;</s:Body></s:Envelope>'.encode(),
        b'<?xml version="1.0"?><!DOCTYPE x SYSTEM "file:///etc/hostname"><x/>',
    ],
)
def test_what_is_no_envelope_is_refused_and_no_entity_is_resolved(body: bytes) -> None:
    bench = Bench()
    answer = bench.exchange.answer(body, {"Authorization": f"Bearer {bench.bearer}"})
    assert answer.status == 500
    assert "ErrorSchemaValidation" in answer.text
    assert "boom" not in answer.text


def test_an_unknown_server_version_is_refused() -> None:
    header = '<t:RequestServerVersion Version="Exchange2042"/>'
    assert Bench().fault(GET_INBOX, header) == "ErrorInvalidServerVersion"


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer rubbish", "Basic YTpi"])
def test_without_a_good_token_there_is_a_challenge(authorization: str | None) -> None:
    headers = {"Authorization": authorization} if authorization is not None else {"X-AnchorMailbox": ALEX.address}
    answer = Bench().send(GET_INBOX, headers=headers)
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer ")
    assert answer.text == ""


def test_a_token_for_something_else_or_of_a_stranger_is_turned_away() -> None:
    bench = Bench()
    bench.bearer = token(oid=ALEX.oid, tid=ALEX.tenant_id, scp="Mail.Read")
    assert bench.send(GET_INBOX).status == 403
    bench.bearer = token(oid=ALEX.oid, tid="another tenant", scp="EWS.AccessAsUser.All")
    assert bench.send(GET_INBOX).status == 401


def test_an_application_must_say_for_whom_it_comes() -> None:
    bench = Bench()
    bench.bearer = token(tid="contoso", roles=["full_access_as_app"])
    assert bench.fault(GET_INBOX) == "ErrorImpersonationRequired"
    assert codes(bench.ask(GET_INBOX, impersonating(BO.address))) == ["NoError"]
    assert bench.fault(GET_INBOX, impersonating("nobody@contoso.example")) == "ErrorNonExistentMailbox"
    assert bench.fault(GET_INBOX, "<t:ExchangeImpersonation/>") == "ErrorImpersonationFailed"
    bench.bearer = token(tid="contoso", roles=["something else"])
    assert bench.send(GET_INBOX).status == 403


def test_people_impersonate_only_where_they_may() -> None:
    bench = Bench()
    assert bench.fault(GET_INBOX, impersonating(BO.address)) == "ErrorImpersonateUserDenied"
    bench.bearer = delegated(SERVICE)
    assert codes(bench.ask(GET_INBOX, impersonating(BO.address))) == ["NoError"]


def test_who_has_no_mailbox_hears_so() -> None:
    assert Bench(GRAY).fault(GET_INBOX) == "ErrorNonExistentMailbox"


def test_others_mailboxes_are_closed_until_a_folder_is_shared() -> None:
    bench = Bench()
    bos = bench.exchange.store.mailbox(BO.address)
    theirs = GET_INBOX.replace(
        '<t:DistinguishedFolderId Id="inbox"/>',
        '<t:DistinguishedFolderId Id="inbox"><t:Mailbox><t:EmailAddress>bo@contoso.example</t:EmailAddress></t:Mailbox>'
        "</t:DistinguishedFolderId>",
    )
    item = bos.insert(bos.distinguished["inbox"], message_samples.synthetic(1, 500, bench.clock()))
    assert codes(bench.ask(theirs)) == codes(bench.ask(get(item.id))) == ["ErrorAccessDenied"]
    bos.grants[ALEX.address] = {bos.distinguished["inbox"].id}
    assert codes(bench.ask(theirs)) == codes(bench.ask(get(item.id))) == ["NoError"]
    assert codes(bench.ask(theirs.replace('Id="inbox"', 'Id="drafts"'))) == ["ErrorAccessDenied"]
    assert codes(bench.ask(theirs.replace(BO.address, "nobody@x.example"))) == ["ErrorNonExistentMailbox"]


def test_names_are_resolved_within_the_own_organisation_only() -> None:
    request = '<m:ResolveNames ReturnFullContactData="false"><m:UnresolvedEntry>{}</m:UnresolvedEntry></m:ResolveNames>'
    assert codes(Bench().ask(request.format("alex"))) == ["NoError"]
    assert JO.address not in etree.tostring(Bench().ask(request.format("alex"))).decode()
    assert codes(Bench().ask(request.format("b"))) == ["ErrorNameResolutionMultipleResults"]
    assert codes(Bench().ask(request.format("zz"))) == ["ErrorNameResolutionNoResults"]
    assert codes(Bench().ask(request.format("smtp:alexander@contoso.example"))) == ["NoError"]


def test_bad_ids_are_told_from_gone_ones() -> None:
    bench = Bench()
    item = bench.mailbox.insert(bench.folder(), message_samples.synthetic(1, 500, bench.clock()))
    bench.mailbox.remove(item)
    assert codes(bench.ask(get("???", item.id))) == ["ErrorInvalidIdMalformed", "ErrorItemNotFound"]
    assert codes(bench.ask(get(item.id.swapcase()))) in (["ErrorInvalidIdMalformed"], ["ErrorItemNotFound"])


def test_states_of_other_folders_epochs_and_mailboxes_are_refused() -> None:
    bench = Bench()
    state = str(bench.ask(sync(bench.folder())).findtext(".//{*}SyncState"))
    assert codes(bench.ask(sync(bench.folder("drafts"), state))) == ["ErrorInvalidSyncStateData"]
    assert codes(bench.ask(sync(bench.folder(), state[:-8]))) == ["ErrorInvalidSyncStateData"]
    assert codes(bench.ask(sync(bench.folder(), state[8:]))) == ["ErrorInvalidSyncStateData"]
    incidents.invalidate_states(bench.mailbox)
    assert codes(bench.ask(sync(bench.folder(), state))) == ["ErrorInvalidSyncStateData"]


def test_a_folder_that_is_gone_has_nothing_to_sync() -> None:
    bench = Bench()
    folder = bench.mailbox.add_folder(bench.folder(), "Gone")
    bench.mailbox.drop_folder(folder)
    assert codes(bench.ask(sync(folder))) == ["ErrorSyncFolderNotFound"]


@pytest.mark.parametrize(
    ("element", "folder", "code"),
    [
        ("<t:Message/>", "inbox", "ErrorMessageDispositionRequired"),
        ("<t:CalendarItem/>", "calendar", "ErrorSendMeetingInvitationsRequired"),
        ("<t:Contact><t:HasPicture>true</t:HasPicture></t:Contact>", "contacts", "ErrorInvalidPropertySet"),
        ("<t:Task><t:Recurrence><t:DailyRecurrence><t:Interval>1</t:Interval></t:DailyRecurrence>"
         "<t:NoEndRecurrence><t:StartDate>never</t:StartDate></t:NoEndRecurrence></t:Recurrence></t:Task>",
         "tasks", "ErrorCalendarInvalidRecurrence"),
    ],
)  # fmt: skip
def test_items_that_cannot_be_made_are_refused_one_by_one(element: str, folder: str, code: str) -> None:
    assert codes(Bench().ask(create(element, folder, ""))) == [code]


def test_an_applications_token_stays_in_its_tenant() -> None:
    """U13: with the role in one tenant, it opens no mailbox of another."""
    book = Bench().exchange.store.address_book
    header = parse_fragment(
        "<t:Header><t:ExchangeImpersonation><t:ConnectingSID><t:PrimarySmtpAddress>alex@contoso.example"
        "</t:PrimarySmtpAddress></t:ConnectingSID></t:ExchangeImpersonation></t:Header>"
    )
    own, foreign = ({"tid": tenant, "roles": ["full_access_as_app"]} for tenant in ("contoso", "fabrikam"))
    assert caller_of(book, own, header).person.oid == ALEX.oid
    with pytest.raises(Fault, match="ErrorNonExistentMailbox"):
        caller_of(book, foreign, header)
