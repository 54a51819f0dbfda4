"""Groups of mailboxes, and the group of a mailbox."""

from shared.api.access import OPERATORS, STATE_READERS
from shared.api.calls import ApiComponents, Call, NoQuery, operation
from shared.api.errors import Malformed
from shared.api.resources import groups as resources
from shared.api.resources import mailboxes
from shared.mailboxes.groups.errors import GroupInvalid, GroupUnknown
from shared.mailboxes.groups.model import DEFAULT

EXPECTED_NAME = "a name of lower-case letters, digits, and hyphens, at most 40, and not default"
EXPECTED_GROUP = "default or the name of a group, as GET /groups lists them; make the group first"


@operation("GET", "/groups", tag="groups", roles=STATE_READERS, answer=resources.GroupList)
def list_groups(components: ApiComponents, call: Call[NoQuery, None]) -> resources.GroupList:
    """List the groups of mailboxes with their settings. The one called `default` is the deployment."""
    commands = components.group_commands
    stored = [resources.group(each, commands.deployment) for each in commands.all()]
    return resources.GroupList([resources.default_group(commands.deployment), *stored])


@operation("GET", "/groups/{group}", tag="groups", roles=STATE_READERS, answer=resources.Group)
def get_group(components: ApiComponents, call: Call[NoQuery, None]) -> resources.Group:
    """Return one group."""
    commands = components.group_commands
    if call.path["group"] == DEFAULT:
        return resources.default_group(commands.deployment)
    return resources.group(commands.get(call.path["group"]), commands.deployment)


@operation(
    "PUT",
    "/groups/{group}",
    tag="groups",
    roles=OPERATORS,
    body=resources.GroupChange,
    answer=resources.Group,
    named=EXPECTED_NAME,
)
def put_group(components: ApiComponents, call: Call[NoQuery, resources.GroupChange]) -> resources.Group:
    """Make a group, or replace its settings. The passes of its mailboxes use them within a minute."""
    body, commands = call.body, components.group_commands
    try:
        stored = commands.put(
            call.path["group"], body.description, resources.settings_of(body.settings), call.caller.object_id
        )
    except GroupInvalid as exc:
        raise _malformed(exc.field) from exc
    return resources.group(stored, commands.deployment)


def _malformed(field: str) -> Malformed:
    """The refusal of a field that its type does not explain: a name, a description, or the entries of a list."""
    if field == "name":
        return Malformed("group", expected=EXPECTED_NAME)
    if field == "description":
        return Malformed(field, expected="one line of printable characters")
    return Malformed(f"settings.{field}", expected="a list of printable texts without spaces at their ends")


@operation("DELETE", "/groups/{group}", tag="groups", roles=OPERATORS, status=204)
def delete_group(components: ApiComponents, call: Call[NoQuery, None]) -> None:
    """Delete a group that has no mailboxes. 409, `group_in_use`: it has some, and `mailboxes` says how many."""
    if call.path["group"] == DEFAULT:
        raise Malformed("group", expected="another one than default, which has the settings of the deployment")
    components.group_commands.delete(call.path["group"], call.caller.object_id)


@operation(
    "PUT",
    "/mailboxes/{mailbox}/group",
    tag="groups",
    roles=OPERATORS,
    body=resources.GroupChoice,
    answer=mailboxes.Mailbox,
)
def set_group(components: ApiComponents, call: Call[NoQuery, resources.GroupChoice]) -> mailboxes.Mailbox:
    """Put a mailbox into a group, or with `default` into none. Its next pass uses the group's settings."""
    try:
        changed = components.group_commands.assign(call.path["mailbox"], call.body.group, call.caller.object_id)
    except GroupUnknown as exc:
        raise Malformed("group", expected=EXPECTED_GROUP) from exc
    return mailboxes.mailbox(changed)


OPERATIONS = (list_groups, get_group, put_group, delete_group, set_group)
