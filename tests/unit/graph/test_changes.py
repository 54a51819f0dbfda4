"""Pages of changes: what a round says of a folder's items, and what is done when the service fails over it."""

import pytest

from shared.errors import OperatorMustAct, Reason, RetryLater
from shared.sources.graph.folders import states
from shared.sources.https_pool import TransportFailed, TransportFault
from shared.sources.model import ChangeKind, ChangePage, Folder, FolderKind, FolderRole
from shared.sources.port import FolderGone, FolderUnreadable, StateInvalid
from tests.unit.graph.service import Answer, Service, error, mailbox_of, message, page, removed

INBOX = Folder("F1", "", "Inbox", "Inbox", FolderKind.MAIL, FolderRole.NONE, 3)
DELTA = "/mailFolders/F1/messages/delta"
LIST = "/mailFolders/F1/messages"
NEXT, LATER = f"{DELTA}?$skiptoken=n", f"{DELTA}?$deltatoken=l"


def changes(service: Service, state: str | None = None, *, isolate: bool = False) -> ChangePage:
    return mailbox_of(service, isolate_failures=isolate).changes(INBOX, state)


def state_after(link: str, *, complete: bool = True) -> str:
    return states.written(states.State(FolderKind.MAIL, "/users/alex@contoso.example" + link, complete))


@pytest.fixture
def service() -> Service:
    return Service()


def test_first_page_asks_for_everything_once_and_newest_first(service: Service) -> None:
    service.script[DELTA] = page(message("M1"), following=NEXT)

    found = changes(service)

    (asked,) = service.asked
    assert "$orderby=receivedDateTime desc" in asked.path
    assert "id eq 'Binary 0x300B'" in asked.path
    assert "$filter=receivedDateTime" not in asked.path
    assert "$top" not in asked.path
    assert asked.headers["Prefer"] == "odata.maxpagesize=500"
    assert not found.complete
    assert [(change.kind, change.item_id, change.version, change.is_read) for change in found.changes] == [
        (ChangeKind.UPSERT, "M1", "CK-M1", False)
    ]
    assert found.items["M1"].subject == "Quarterly figures"


def test_following_pages_repeat_the_preferred_size(service: Service) -> None:
    service.script[NEXT] = page(message("M2"), delta=LATER)

    found = changes(service, state_after(NEXT, complete=False))

    assert service.asked[0].headers["Prefer"] == "odata.maxpagesize=500"
    assert found.complete


def test_empty_page_with_a_next_one_goes_on(service: Service) -> None:
    service.script[DELTA] = page(following=NEXT)

    found = changes(service)

    assert found.changes == ()
    assert not found.complete


def test_last_word_on_an_item_that_comes_twice_counts(service: Service) -> None:
    service.script[DELTA] = page(
        message("M1", changeKey="old"), removed("M2"), message("M1", changeKey="new"), removed("M1"), delta=LATER
    )

    found = changes(service)

    assert [(change.kind, change.item_id) for change in found.changes] == [
        (ChangeKind.DELETE, "M2"),
        (ChangeKind.DELETE, "M1"),
    ]
    assert found.items == {}


def test_member_that_makes_no_sense_is_reported_without_its_metadata(service: Service) -> None:
    service.script[DELTA] = page(message("M1"), message("M2", categories=7), message("M3"), delta=LATER)

    found = changes(service)

    assert [change.item_id for change in found.changes] == ["M1", "M2", "M3"]
    assert set(found.items) == {"M1", "M3"}


@pytest.mark.parametrize(
    "refusal",
    [
        error(410, "resyncRequired"),
        error(410),
        error(400, "SyncStateNotFound"),
        error(404, "syncStateInvalid"),
        error(400, "ErrorInvalidIdMalformed"),
        error(400, "BadRequest"),
        error(400),
    ],
)
def test_lost_state_is_invalid_only_for_a_request_that_carried_one(service: Service, refusal: Answer) -> None:
    service.script[DELTA] = service.script[LATER] = refusal

    with pytest.raises(StateInvalid):
        changes(service, state_after(LATER))
    with pytest.raises((OperatorMustAct, RetryLater)):
        changes(service)


def test_state_of_another_source_is_invalid(service: Service) -> None:
    with pytest.raises(StateInvalid):
        changes(service, "H4sIAAAAAAAEAGNgYGAAAA==")
    assert service.asked == []


def test_folder_that_is_gone_is_gone(service: Service) -> None:
    service.script[DELTA] = error(404, "ErrorItemNotFound")

    with pytest.raises(FolderGone):
        changes(service)


def test_page_that_the_service_fails_over_is_asked_smaller(service: Service) -> None:
    service.script[DELTA] = [error(503), error(500, "InternalServerError"), page(message("M1"), delta=LATER)]

    found = changes(service)

    assert [asked.headers["Prefer"] for asked in service.asked] == [
        "odata.maxpagesize=500",
        "odata.maxpagesize=50",
        "odata.maxpagesize=10",
    ]
    assert found.complete


def test_page_with_a_time_to_wait_is_not_asked_again(service: Service) -> None:
    service.script[DELTA] = error(503, Retry_After="30")

    with pytest.raises(RetryLater) as raised:
        changes(service)

    assert raised.value.retry_after == 30
    assert len(service.asked) == 1


def test_throttling_stays_with_the_mailbox(service: Service) -> None:
    service.script[DELTA] = error(429, "ApplicationThrottled", Retry_After="7")

    with pytest.raises(RetryLater) as raised:
        changes(service)

    assert (raised.value.reason, raised.value.retry_after, raised.value.tenant_wide) == (Reason.THROTTLED, 7, False)


def test_full_mailbox_is_listed_with_the_latest_changes_first(service: Service) -> None:
    service.script[DELTA] = error(403, "ErrorQuotaExceeded")
    service.script[LIST] = page(message("M2", lastModifiedDateTime="2026-11-21T00:00:00Z"), message("M1"))

    first = changes(service)

    assert [change.item_id for change in first.changes] == ["M2", "M1"]
    assert first.complete
    assert "$orderby=lastModifiedDateTime desc" in service.asked[-1].path


def test_listed_folder_gives_what_changed_since_and_tries_delta_again(service: Service) -> None:
    service.script[DELTA] = error(403, "ErrorQuotaExceeded")
    service.script[LIST] = page(message("M2", lastModifiedDateTime="2026-11-21T00:00:00Z"), message("M1"))
    state = changes(service).state
    service.script[LIST] = page(
        message("M3", lastModifiedDateTime="2026-11-22T00:00:00Z"),
        message("M2", lastModifiedDateTime="2026-11-21T00:00:00Z"),
        message("M1"),
        following=f"{LIST}?$skip=3",
    )

    second = changes(service, state)
    assert [change.item_id for change in second.changes] == ["M3", "M2"]
    assert second.complete

    service.script[DELTA] = page(message("M1"), delta=LATER)
    with pytest.raises(StateInvalid):
        changes(service, second.state)


def test_page_with_a_damaged_item_is_listed_once_failures_are_isolated(service: Service) -> None:
    service.script[DELTA] = error(500, "ErrorInternalServerError")
    service.script[LIST] = page(message("M1"))

    with pytest.raises(RetryLater):
        changes(service)
    found = changes(service, isolate=True)

    assert [change.item_id for change in found.changes] == ["M1"]


def test_folder_that_cannot_be_read_in_a_mailbox_that_can_is_unreadable(service: Service) -> None:
    service.script[DELTA] = error(403, "ErrorAccessDenied")
    service.script["/mailFolders/inbox"] = page()

    with pytest.raises(FolderUnreadable):
        changes(service)


def test_link_to_another_host_gets_no_token(service: Service) -> None:
    link = "https://evil.example/v1.0/users/alex@contoso.example/x?$deltatoken=1"
    service.script[DELTA] = Answer({"value": [message("M1")], "@odata.deltaLink": link})
    service.script["/x?$deltatoken=1"] = page(delta=LATER)

    state = changes(service).state
    changes(service, state)

    assert "evil" not in state
    assert service.asked[-1].path == "/x?$deltatoken=1"


@pytest.mark.parametrize("link", ["https://graph.microsoft.com/beta/x", "/../x y", "//evil.example/v2.0/x", ""])
def test_link_that_leads_elsewhere_is_not_believed(service: Service, link: str) -> None:
    service.script[DELTA] = Answer({"value": [], "@odata.deltaLink": link})

    with pytest.raises(RetryLater):
        changes(service)


def test_connection_that_breaks_is_an_outage(service: Service) -> None:
    service.script[DELTA] = TransportFailed(TransportFault.RESET)

    with pytest.raises(RetryLater) as raised:
        changes(service)

    assert raised.value.support == "reset"


def test_round_without_any_link_is_not_believed(service: Service) -> None:
    service.script[DELTA] = page(message("M1"))

    with pytest.raises(RetryLater):
        changes(service)
