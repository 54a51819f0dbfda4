"""Groups in the whole app: over the pages, and a retention that keeps what its person deletes."""

import re

from sandbox.local.local_stack import LocalStack
from shared.mailboxes.groups.model import GroupSettings
from tests.e2e.person import Person, person_and_operator, title
from tests.e2e.watching import Watched, insist

GROUP = "/operator/groups/works-council"


def test_mailbox_follows_the_group_that_an_operator_puts_it_into(running_app: LocalStack) -> None:
    with person_and_operator(running_app) as (person, operator):
        _make_use_and_delete(running_app, person, operator)


def _make_use_and_delete(running_app: LocalStack, person: Person, operator: Person) -> None:
    mailbox, csrf = person.mailbox(), {"csrf": operator.csrf("/operator/groups")}
    page = f"/operator/mailboxes/{mailbox}"

    assert "Nothing was made" in operator.ask("POST", "/operator/groups", data=csrf | {"name": "Works council"}).text
    made = operator.ask("POST", "/operator/groups", data=csrf | {"name": "works-council", "description": "<b>"})
    assert (made.status_code, made.headers["location"]) == (303, GROUP)
    assert "Nothing was saved" in operator.ask("POST", GROUP, data=csrf | {"mail_days": "many"}).text
    settings = {"description": "<b>", "retention_days": "30", "private_items": "false"}
    assert operator.ask("POST", GROUP, data=csrf | settings).status_code == 303
    shown = operator.ask("GET", f"{GROUP}?done=saved").text
    assert "&lt;b&gt;" in shown
    assert "The settings are saved." in shown
    assert "REPLICA_RETENTION_DAYS" in operator.ask("GET", "/operator/groups").text

    assert operator.ask("POST", f"{page}/group", data=csrf | {"group": "none"}).status_code == 400
    assert operator.ask("POST", f"{page}/group", data=csrf | {"group": "works-council"}).status_code == 303
    assert running_app.parts().registry.get(mailbox).group == "works-council"
    seen = person.ask("GET", "/my-sync").text
    assert "belongs to the group “works-council”" in seen
    assert "stays in the copy for 30 days" in seen

    _invite_and_list(running_app, operator, csrf)
    refused = operator.ask("POST", GROUP, data=csrf | {"delete": "yes"})
    assert (refused.status_code, title(refused)) == (409, "The group still has mailboxes")
    assert operator.ask("POST", f"{page}/group", data=csrf | {"group": "default"}).status_code == 303
    assert operator.ask("POST", GROUP, data=csrf | {"delete": "yes"}).status_code == 303
    assert operator.ask("GET", GROUP).status_code == 404


def _invite_and_list(running_app: LocalStack, operator: Person, csrf: dict[str, str]) -> None:
    """The forms offer the group, an invitation to it shows its settings, and the list is narrowed to no group."""
    assert '<option value="works-council">' in operator.ask("GET", "/operator/activate").text
    form = csrf | {"address": "new@contoso.example", "group": "works-council"}
    assert "no such group" in operator.ask("POST", "/operator/invitations", data=form | {"group": "none"}).text
    made = operator.ask("POST", "/operator/invitations", data=form).text
    (path,) = re.findall(re.escape(running_app.url) + r"(/invitation/[\w.-]+)", made)
    shown = operator.ask("GET", path).text
    assert "stays in the copy for 30 days" in shown
    assert "Items that you mark as private are not copied" in shown
    listed = operator.ask("GET", "/operator/mailboxes?group=default")
    assert (listed.status_code, '<option value="default" selected>' in listed.text) == (200, True)


def test_item_that_a_person_deletes_is_kept_with_the_time_and_its_content(running_app: LocalStack) -> None:
    somebody = Watched(running_app, messages=3)
    somebody.sign_in()
    somebody.synced()
    parts, before = somebody.parts, somebody.mailbox.items
    parts.group_commands.put("keeps", "", GroupSettings(retention_days=30), "op")
    parts.group_commands.assign(somebody.id, "keeps", "op")
    somebody.change(["hard_delete"], 7)
    insist("an item that left", somebody.ask, lambda: bool(list(parts.replica.left_items(somebody.id))))
    (left,) = parts.replica_reader.every_item(somebody.id, left=True)
    assert left.left_at is not None
    assert parts.replica_reader.whole_content(somebody.id, left)
    insist("the figures of the pass", somebody.ask, lambda: somebody.mailbox.items == before - 1)
    assert somebody.compared().is_equal, somebody.compared()
    parts.group_commands.assign(somebody.id, "default", "op")
    parts.group_commands.delete("keeps", "op")
