"""What an operator pastes or uploads as a list of mailboxes."""

import pytest

from shared.authorization.activation import MOST, names_in
from shared.authorization.errors import ActivationRefused
from tests.fakes.authorization import TENANT
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
