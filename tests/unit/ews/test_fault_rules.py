"""The table of what Exchange can answer."""

import inspect
from pathlib import Path

import exchangelib.errors
import pytest

from shared.errors import (
    ActionNeeded,
    Actor,
    AdministratorMustAct,
    MailboxSyncError,
    OperatorMustAct,
    PersonMustSignIn,
    Reason,
    RetryLater,
)
from shared.sources.ews.faults import response_codes
from shared.sources.ews.faults.forbidden import REASONS as FORBIDDEN_REASONS
from shared.sources.ews.faults.rules import (
    FAULTS,
    RULES,
    STATUSES,
    BatchTooLarge,
    Fault,
    ResponseUnreadable,
    error_of_fault,
    error_of_rule,
    rule_of_code,
    rule_of_status,
    table,
)
from shared.sources.port import FolderGone, StateInvalid

DOCUMENTED = {
    name
    for name, kind in inspect.getmembers(exchangelib.errors, inspect.isclass)
    if issubclass(kind, exchangelib.errors.ResponseMessageError) and name.startswith("Error")
}

SCHEMA = frozenset(
    code
    for line in (Path(__file__).parent / "response_codes.txt").read_text().splitlines()
    if not line.startswith("#")
    for code in line.split()
)


def test_table_has_every_code_of_schema_and_of_exchangelib_and_no_other() -> None:
    """G3: what a server may answer is in its schema; exchangelib's list lacks a quarter of it."""
    assert set(RULES) == DOCUMENTED | SCHEMA


def test_no_response_code_is_in_two_groups() -> None:
    groups = [value for name, value in vars(response_codes).items() if name.isupper()]

    assert sum(map(len, groups)) == len(frozenset().union(*groups))


@pytest.mark.parametrize("code", sorted(DOCUMENTED | SCHEMA))
def test_every_code_leads_to_a_typed_error(code: str) -> None:
    assert isinstance(error_of_rule(rule_of_code(code), code), MailboxSyncError)


@pytest.mark.parametrize(
    ("code", "kind", "reason"),
    [
        ("ErrorServerBusy", RetryLater, Reason.THROTTLED),
        ("ErrorServiceUnavailable", RetryLater, Reason.UNAVAILABLE),
        ("ErrorGetRemoteArchiveFolderFailed", RetryLater, Reason.UNAVAILABLE),
        ("ErrorFolderPropertRequestFailed", RetryLater, Reason.UNAVAILABLE),
        ("ErrorAccountSuspend", AdministratorMustAct, Reason.ACCOUNT_DISABLED),
        ("ErrorOrganizationAccessBlocked", AdministratorMustAct, Reason.ACCESS_DENIED),
        ("ErrorMissingExchangePrincipal", AdministratorMustAct, Reason.NO_MAILBOX),
        ("ErrorMultiLegacyMailboxAccess", AdministratorMustAct, Reason.NO_MAILBOX),
        ("ErrorCannotFindUser", AdministratorMustAct, Reason.NO_MAILBOX),
        ("ErrorMailboxMoveInProgress", RetryLater, Reason.UNAVAILABLE),
        ("ErrorMailboxStoreUnavailable", RetryLater, Reason.UNAVAILABLE),
        ("ErrorInternalServerError", RetryLater, Reason.UNAVAILABLE),
        ("ErrorNonExistentMailbox", AdministratorMustAct, Reason.NO_MAILBOX),
        ("ErrorImpersonateUserDenied", AdministratorMustAct, Reason.IMPERSONATION_DENIED),
        ("ErrorImpersonationFailed", AdministratorMustAct, Reason.IMPERSONATION_DENIED),
        ("ErrorAccessDenied", AdministratorMustAct, Reason.ACCESS_DENIED),
        ("ErrorPasswordExpired", PersonMustSignIn, Reason.TOKEN_REJECTED),
        ("ErrorSchemaValidation", OperatorMustAct, Reason.OUR_CONFIGURATION),
        ("ErrorOfAFutureExchange", RetryLater, Reason.BAD_ANSWER),
    ],
)
def test_a_code_says_who_acts(code: str, kind: type[MailboxSyncError], reason: Reason) -> None:
    error = error_of_rule(rule_of_code(code), code)

    assert isinstance(error, kind)
    assert isinstance(error, ActionNeeded)
    assert error.reason is reason
    assert error.support == code


def test_folder_gone_and_state_invalid_are_no_mailbox_failures() -> None:
    assert isinstance(error_of_rule(rule_of_code("ErrorSyncFolderNotFound"), "x"), FolderGone)
    assert isinstance(error_of_rule(rule_of_code("ErrorInvalidSyncStateData"), "x"), StateInvalid)


def test_a_busy_server_that_names_a_time_is_not_asked_for_less_but_later() -> None:
    error = error_of_rule(rule_of_code("ErrorServerBusy"), "ErrorServerBusy", retry_after=42.0)

    assert type(error) is RetryLater
    assert error.retry_after == 42.0


def test_a_busy_server_that_names_none_may_be_asked_for_less() -> None:
    assert isinstance(error_of_rule(rule_of_code("ErrorServerBusy"), "ErrorServerBusy"), BatchTooLarge)


def test_a_token_rejected_by_exchange_is_never_definite() -> None:
    error = error_of_rule(rule_of_status(401), "http_401")

    assert isinstance(error, PersonMustSignIn)
    assert not error.definite


@pytest.mark.parametrize("status", [429, 503])
def test_a_front_end_that_names_a_time_speaks_for_the_whole_tenant(status: int) -> None:
    error = error_of_rule(rule_of_status(status), f"http_{status}", retry_after=7.0)

    assert isinstance(error, RetryLater)
    assert error.tenant_wide


@pytest.mark.parametrize("status", range(300, 600))
def test_every_http_status_leads_to_a_typed_error(status: int) -> None:
    assert isinstance(error_of_rule(rule_of_status(status), f"http_{status}"), MailboxSyncError)


@pytest.mark.parametrize("broken", list(Fault))
def test_every_transport_fault_leads_to_a_typed_error(broken: Fault) -> None:
    assert isinstance(error_of_fault(broken), MailboxSyncError)


def test_only_a_complete_response_is_searched_for_the_bad_item() -> None:
    assert isinstance(error_of_fault(Fault.MALFORMED), ResponseUnreadable)
    assert not isinstance(error_of_fault(Fault.CUT), ResponseUnreadable)


def test_an_untrusted_certificate_alarms_the_operator_only() -> None:
    assert isinstance(error_of_fault(Fault.CERTIFICATE), OperatorMustAct)


def test_the_table_for_people_has_a_row_for_everything() -> None:
    rows = table()

    assert len(rows) == len(RULES) + len(STATUSES) + len(FAULTS) + len(FORBIDDEN_REASONS) + 3
    assert {row.actor for row in rows} == {
        actor.value for actor in Actor if actor not in (Actor.LISTING, Actor.THIS_SIGN_IN)
    }
