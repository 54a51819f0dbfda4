"""Which source reads a mailbox: by the setting, by where the mailbox is, and by what one request shows."""

from collections.abc import Callable

import pytest

from shared.errors import ActionNeeded, AdministratorMustAct, PersonMustSignIn, Reason, RetryLater
from shared.mailboxes import transitions
from shared.mailboxes.entities import mailbox_row
from shared.mailboxes.model import Mailbox
from shared.sources.model import Access, AccessMode, SourceName
from shared.sources.port import MailSource
from shared.sources.selection import SelectedSources, SourceSelection, SourceSetting, is_exchange_online
from shared.storage.row_mapping import from_row
from tests.fakes.clock import FakeClock

EWS, GRAPH = SourceName.EWS, SourceName.GRAPH
BLOCKED = AdministratorMustAct(Reason.EWS_BLOCKED)


class Sources:
    """As much of MailSources as the selection needs; raises what is planned for a source."""

    def __init__(self, **refusals: ActionNeeded) -> None:
        self.refusals = refusals
        self.checked: list[SourceName] = []

    def open(self, access: Access, *, isolate_failures: bool = False) -> MailSource:
        raise NotImplementedError

    def check(self, access: Access) -> None:
        self.checked.append(access.source)
        if access.source.value in self.refusals:
            raise self.refusals[access.source.value]

    def resolve(self, access: Access, query: str) -> list[str]:
        return [access.source.value]

    def primary_address(self, access: Access) -> str:
        return f"{access.source.value}@contoso.example"


def access_to(source: SourceName) -> Access:
    return Access("alex@contoso.example", AccessMode.DELEGATED, "token", source=source)


def selection(sources: Sources, setting: SourceSetting = SourceSetting.AUTO, *, online: bool = True) -> SourceSelection:
    return SourceSelection(setting, sources, is_online=online)


def test_auto_is_ews_where_it_is_allowed() -> None:
    sources = Sources()

    assert selection(sources).choose(access_to).source is EWS
    assert sources.checked == [EWS]


@pytest.mark.parametrize("reason", [Reason.EWS_BLOCKED, Reason.NO_LICENSE])
def test_auto_is_graph_where_ews_is_blocked(reason: Reason) -> None:
    choice = selection(Sources(ews=AdministratorMustAct(reason))).choose(access_to)

    assert (choice.source, choice.refusal) == (GRAPH, None)
    assert choice.access is not None
    assert choice.access.source is GRAPH


@pytest.mark.parametrize("error", [RetryLater(Reason.THROTTLED), PersonMustSignIn(Reason.TOKEN_REJECTED)])
def test_no_other_error_chooses_another_source(error: ActionNeeded) -> None:
    choice = selection(Sources(ews=error)).choose(access_to)

    assert choice.source is EWS
    assert choice.error is error
    assert choice.refusal is (None if isinstance(error, RetryLater) else error)


def test_mailbox_that_neither_can_read_is_refused_as_graph_says() -> None:
    on_premises = AdministratorMustAct(Reason.NO_MAILBOX, support="MailboxNotHostedInExchangeOnline")

    choice = selection(Sources(ews=BLOCKED, graph=on_premises)).choose(access_to)

    assert choice.refusal is on_premises


def test_token_that_cannot_be_had_refuses_the_source() -> None:
    consent = AdministratorMustAct(Reason.ADMIN_CONSENT_REQUIRED)

    def access(source: SourceName) -> Access:
        if source is GRAPH:
            raise consent
        return access_to(source)

    choice = selection(Sources(ews=BLOCKED)).choose(access)

    assert (choice.access, choice.refusal) == (None, consent)


@pytest.mark.parametrize(
    ("setting", "online", "expected"),
    [
        (SourceSetting.EWS, True, (EWS,)),
        (SourceSetting.GRAPH, True, (GRAPH,)),
        (SourceSetting.AUTO, True, (EWS, GRAPH)),
        (SourceSetting.AUTO, False, (EWS,)),
        (SourceSetting.GRAPH, False, (EWS,)),
    ],
)
def test_candidates_follow_the_setting_and_where_mailboxes_are(
    setting: SourceSetting, online: bool, expected: tuple[SourceName, ...]
) -> None:
    assert tuple(selection(Sources(), setting, online=online).candidates) == expected


def test_block_later_moves_a_mailbox_to_graph_and_nothing_else_does() -> None:
    auto = selection(Sources())

    assert auto.after(EWS, BLOCKED) is GRAPH
    assert auto.after(EWS, RetryLater(Reason.THROTTLED)) is EWS
    assert auto.after(GRAPH, AdministratorMustAct(Reason.ACCESS_DENIED)) is GRAPH
    assert selection(Sources(), SourceSetting.EWS).after(EWS, BLOCKED) is EWS
    assert selection(Sources(), online=False).after(EWS, BLOCKED) is EWS


@pytest.mark.parametrize(
    ("scope", "online"),
    [
        ("https://outlook.office365.com/EWS.AccessAsUser.All", True),
        ("https://outlook.office365.us/EWS.AccessAsUser.All", True),
        ("https://mail.contoso.example/EWS.AccessAsUser.All", False),
    ],
)
def test_exchange_server_takes_tokens_for_its_own_name(scope: str, online: bool) -> None:
    assert is_exchange_online(scope) is online


def test_each_mailbox_is_opened_over_the_source_of_its_access() -> None:
    sources = SelectedSources({EWS: Sources(), GRAPH: Sources()})

    assert [sources.resolve(access_to(name), "x") for name in SourceName] == [["ews"], ["graph"]]


def a_mailbox() -> Mailbox:
    return Mailbox(
        id="m", shard=0, tenant_id="t", owner_id="o", address="a@b.example", display_name="A",
        authorization_id="x", mode=AccessMode.DELEGATED, created_at=FakeClock()(),
    )  # fmt: skip


def test_row_without_a_source_is_read_over_ews() -> None:
    stored = mailbox_row(a_mailbox().with_changes(source=GRAPH))
    assert from_row(Mailbox, stored).source is GRAPH
    del stored["source"]
    assert from_row(Mailbox, stored).source is EWS


@pytest.mark.parametrize(
    ("change", "source"),
    [
        (lambda mailbox: mailbox, GRAPH),
        (lambda mailbox: mailbox.with_changes(items=1), EWS),
        (lambda mailbox: mailbox.with_changes(last_success_at=mailbox.created_at), EWS),
    ],
)
def test_mailbox_with_items_keeps_its_source_until_it_is_moved(
    change: Callable[[Mailbox], Mailbox], source: SourceName
) -> None:
    assert transitions.read_by(change(a_mailbox()), GRAPH).source is source
