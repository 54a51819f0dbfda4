"""The operator's console without a browser: a check of one mailbox, and what is done with many by jobs."""

from collections.abc import Iterator

import pytest

from functions.console.activation import SHORT_LIST
from sandbox.local.local_stack import LocalStack
from tests.e2e.people import new_person
from tests.e2e.person import Person
from tests.waiting import eventually


@pytest.fixture
def connected(running_app: LocalStack) -> tuple[str, str]:
    """A connected mailbox: its address and id."""
    person = Person(running_app, new_person(running_app.sandbox)).connect()
    mailbox = person.mailbox()
    person.close()
    return person.address, mailbox


@pytest.fixture
def operator(running_app: LocalStack) -> Iterator[Person]:
    """An operator who is signed in."""
    robin = Person(running_app, "robin@contoso.example")
    robin.come_back(robin.begin("/sign-in?to=operator"))
    yield robin
    robin.close()


def test_a_check_says_whether_the_mailbox_can_be_read_now(
    running_app: LocalStack, operator: Person, connected: tuple[str, str]
) -> None:
    page = f"/operator/mailboxes/{connected[1]}"
    csrf = {"csrf": operator.csrf("/operator/mailboxes")}
    checked = operator.ask("POST", f"{page}/check", data=csrf)
    assert (checked.status_code, checked.headers["Location"]) == (303, f"{page}?done=check")
    assert "The mailbox can be read." in operator.ask("GET", checked.headers["Location"]).text
    running_app.parts().mailbox_commands.disconnect(connected[1], "op")
    assert operator.ask("POST", f"{page}/check", data=csrf).status_code == 409


def test_chosen_mailboxes_are_put_on_hold_found_by_it_and_let_go(
    running_app: LocalStack, operator: Person, connected: tuple[str, str]
) -> None:
    (address, mailbox), registry = connected, running_app.parts().registry
    csrf = {"csrf": operator.csrf("/operator/mailboxes")}
    chosen = csrf | {"command": "hold", f"chosen-{mailbox}": "on"}
    assert "Nothing was done" not in operator.ask("POST", "/operator/jobs", data=chosen).text
    wrong = operator.ask("POST", "/operator/jobs", data=chosen | {"confirmed": "yes"})
    assert "a hold needs a reason" in wrong.text
    made = operator.ask("POST", "/operator/jobs", data=chosen | {"confirmed": "yes", "hold_reason": "Matter 7"})
    assert made.status_code == 303
    eventually("the hold", lambda: registry.get(mailbox).hold_reason == "Matter 7")
    found = csrf | {"hold": "on", "prefix": address}
    eventually("the list", lambda: address in operator.ask("POST", "/operator/mailboxes", data=found).text)
    lift = found | {"command": "lift_hold", "scope": "all", "confirmed": "yes"}
    assert operator.ask("POST", "/operator/jobs", data=lift).status_code == 303
    eventually("the end of the hold", lambda: registry.get(mailbox).hold_since is None)


def test_a_long_list_is_activated_by_a_job(running_app: LocalStack, operator: Person) -> None:
    jobs = running_app.parts().jobs
    names = "\n".join(f"nobody{n}@contoso.example" for n in range(SHORT_LIST + 1))
    fields = {"csrf": operator.csrf("/operator/activate"), "names": names, "tenant": "wrong-tenant"}
    assert "the tenant is wrong" in operator.ask("POST", "/operator/activate", data=fields).text
    fields["tenant"] = next(iter(running_app.sandbox.endpoints["tenants"].values()))
    made = operator.ask("POST", "/operator/activate", data=fields)
    assert made.status_code == 303
    job_id = made.headers["Location"].removeprefix("/operator/jobs/")
    done = eventually("the job", lambda: None if (found := jobs.progress(job_id)).left else found)
    assert (done.failed, done.reasons) == (SHORT_LIST + 1, {"no_mailbox": SHORT_LIST + 1})
    assert "nobody7@contoso.example" in operator.ask("GET", made.headers["Location"]).text
