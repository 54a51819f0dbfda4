"""Lists of mailboxes: what an operator pastes or uploads, and what the API gives page by page."""

import pytest

from functions.admin import MOST_LISTED, following
from shared.authorization.activation import MOST, names_in
from shared.authorization.errors import ActivationRefused
from shared.mailboxes.entities import partition
from tests.fakes.authorization import TENANT
from tests.fakes.clock import FakeClock
from tests.fakes.world import a_mailbox
from tests.unit.authorization.stage import Stage


@pytest.mark.parametrize("newline", ["\r", "\n", "\r\n"])
def test_a_line_ends_as_any_system_ends_it(newline: str) -> None:
    assert names_in(newline.join(["Name,Mail", "A,a@contoso.example", "B,b@contoso.example"])) == [
        "a@contoso.example",
        "b@contoso.example",
    ]


@pytest.mark.parametrize("text", ['"' + "x" * 200_000, "x" * 200_000, '"a\x00b', "\x00"])
def test_a_text_that_is_no_list_is_refused_and_is_no_failure_of_ours(text: str) -> None:
    stage = Stage()
    with pytest.raises(ActivationRefused):
        stage.activation.app_only(TENANT, names_in(text), "op")


def test_thousands_of_names_are_refused_before_any_is_tried() -> None:
    stage = Stage()
    with pytest.raises(ActivationRefused):
        stage.activation.app_only(TENANT, [f"a{number}@contoso.example" for number in range(MOST * 10)], "op")
    assert stage.sources.checked == []
    assert stage.mailboxes == []


@pytest.mark.parametrize("tenant", ["1b671a64-40d5-491e-99b0-da01ff1f3341", "organizations", "", "../evil"])
def test_no_mailbox_of_a_tenant_that_is_not_served_is_activated(tenant: str) -> None:
    stage = Stage()
    with pytest.raises(ActivationRefused):
        stage.activation.app_only(tenant, ["a@contoso.example"], "op")
    assert stage.authorizations.stored == {}


def test_a_mailbox_that_is_erased_between_two_pages_ends_no_listing() -> None:
    registry = sorted(
        (a_mailbox(FakeClock(), id=f"m{number}") for number in range(2500)), key=lambda one: (partition(one.id), one.id)
    )
    first = following(registry, "")
    assert len(first) == MOST_LISTED
    kept = [one for one in registry if one.id != first[-1].id]
    second = following(kept, first[-1].id)
    third = following(kept, second[-1].id)
    assert [one.id for one in [*first, *second, *third]] == [one.id for one in registry]
