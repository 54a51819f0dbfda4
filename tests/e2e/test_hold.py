"""A legal hold over the pages: an operator sets it, its person cannot erase and learns why, and it is lifted."""

from sandbox.local.local_stack import LocalStack
from tests.e2e.person import Person, person_and_operator, title


def test_operator_holds_a_mailbox_that_its_person_then_cannot_erase(running_app: LocalStack) -> None:
    with person_and_operator(running_app) as (person, operator):
        _hold_and_lift(running_app, person, operator)


def _hold_and_lift(running_app: LocalStack, person: Person, operator: Person) -> None:
    mailbox, registry = person.mailbox(), running_app.parts().registry
    page, csrf = f"/operator/mailboxes/{mailbox}", {"csrf": operator.csrf("/operator/mailboxes")}
    own = {"mailbox": mailbox, "csrf": person.csrf()}

    assert operator.ask("POST", f"{page}/hold", data=csrf | {"reason": " "}).status_code == 400
    assert operator.ask("POST", f"{page}/hold", data=csrf | {"reason": "Matter <7>"}).status_code == 303
    shown = operator.ask("GET", f"{page}?done=hold").text
    assert "Matter &lt;7&gt;" in shown
    assert "The mailbox is on legal hold." in shown

    seen = person.ask("GET", "/my-sync").text
    assert "has to keep this copy" in seen
    assert "Matter" not in seen
    for answer in (person.ask("GET", "/my-sync/erase", params=own), person.ask("POST", "/my-sync/erase", data=own)):
        assert (answer.status_code, title(answer)) == (409, "The copy cannot be erased now")
    assert operator.ask("POST", f"{page}/erase", data=csrf).status_code == 409
    assert registry.get(mailbox).erasing_since is None

    assert "Lift the legal hold?" in operator.ask("GET", f"{page}/lift-hold").text
    assert operator.ask("POST", f"{page}/lift-hold", data=csrf).status_code == 303
    assert title(person.ask("GET", "/my-sync/erase", params=own)) == "Erase everything?"
    acts = [entry.act for entry in registry.audit_trail(mailbox)]
    assert acts[:3] == ["lift_hold", "erase_refused", "hold"]
