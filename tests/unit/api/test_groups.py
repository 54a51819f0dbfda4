"""Groups over the API."""

import pytest

from shared.api.errors import Forbidden, Malformed
from shared.api.operations import groups as operations
from shared.api.operations import mailboxes
from shared.api.resources.groups import Group, GroupChange, GroupChoice, GroupSettings
from shared.errors import NotFound
from shared.mailboxes.groups.errors import GroupInUse
from shared.sources.model import ContentLevel
from tests.fakes.api import READER, STATE_READER, ApiParts


@pytest.fixture
def parts() -> ApiParts:
    parts = ApiParts()
    parts.add_mailbox("m1")
    parts.add_mailbox("m2")
    return parts


def put(parts: ApiParts, name: str, **settings: object) -> Group:
    body = GroupChange("Matter 7", GroupSettings(**settings))  # type: ignore[arg-type]
    made = parts.call(operations.put_group, body=body, group=name)
    assert isinstance(made, Group)
    return made


def test_group_says_its_own_settings_and_those_that_apply(parts: ApiParts) -> None:
    made = put(parts, "legal", content=ContentLevel.BODY, folders_out=[])
    assert made == parts.call(operations.get_group, STATE_READER, group="legal")
    assert (made.settings.content, made.settings.mail_days, made.settings.folders_out) == ("body", None, [])
    assert (made.effective.content, made.effective.mail_days, made.effective.folders_out) == ("body", 365, [])
    listed = parts.call(operations.list_groups, STATE_READER).groups
    assert [group.name for group in listed] == ["default", "legal"]
    assert listed[0] == parts.call(operations.get_group, group="default")
    assert put(parts, "legal").effective == listed[0].effective
    with pytest.raises(NotFound):
        parts.call(operations.get_group, group="none")


def test_mailbox_is_put_into_a_group_and_found_by_it(parts: ApiParts) -> None:
    put(parts, "legal")
    changed = parts.call(operations.set_group, body=GroupChoice("legal"), mailbox="m1")
    assert changed.group == "legal"
    assert [one.id for one in parts.call(mailboxes.list_mailboxes, group="legal").mailboxes] == ["m1"]
    assert parts.call(mailboxes.get_mailbox, mailbox="m2").group == "default"
    assert [one.id for one in parts.call(mailboxes.list_mailboxes, group="default").mailboxes] == ["m2"]
    with pytest.raises(GroupInUse):
        parts.call(operations.delete_group, group="legal")
    assert parts.call(operations.set_group, body=GroupChoice("default"), mailbox="m1").group == "default"
    parts.call(operations.delete_group, group="legal")
    assert [act for _, _, act in parts.registry.audit] == ["put_group", "set_group", "set_group", "delete_group"]


def test_unknown_group_and_wrong_name_are_refused_with_what_to_do(parts: ApiParts) -> None:
    with pytest.raises(Malformed) as refused:
        parts.call(operations.set_group, body=GroupChoice("none"), mailbox="m1")
    assert "make the group first" in refused.value.expected
    for name in ("default", "Legal"):
        with pytest.raises(Malformed) as refused:
            put(parts, name)
        assert refused.value.parameter == "group"
    with pytest.raises(Malformed) as refused:
        put(parts, "legal", exclude=["two\nlines"])
    assert refused.value.parameter == "settings.exclude"


def test_only_operators_change_groups(parts: ApiParts) -> None:
    for operation in (operations.put_group, operations.delete_group, operations.set_group):
        with pytest.raises(Forbidden):
            parts.call(operation, STATE_READER, group="legal", mailbox="m1")
    with pytest.raises(Forbidden):
        parts.call(operations.list_groups, READER)
