"""What an operator does with groups: make, change, delete, and put mailboxes into them."""

from collections.abc import Callable
from datetime import datetime

from shared.errors import NotFound
from shared.mailboxes.directory.counting import MatchCount, count_matching
from shared.mailboxes.directory.model import DirectoryQuery
from shared.mailboxes.directory.port import MailboxDirectory
from shared.mailboxes.groups.errors import GroupInUse, GroupInvalid, GroupUnknown
from shared.mailboxes.groups.model import (
    DEFAULT,
    Group,
    GroupSettings,
    ScopeSettings,
    is_name,
    stored_name,
    wrong_field,
)
from shared.mailboxes.groups.port import GroupStore
from shared.mailboxes.model import Mailbox
from shared.mailboxes.port import MailboxRegistry


def audit_subject(name: str) -> str:
    """The subject of a group in the audit trail."""
    return f"group-{name}"


class GroupCommands:
    """The commands on groups. `actor` is an opaque id for the audit trail; `deployment` is the default group.

    A deletion and a mailbox that is put into the group at the same time exclude each other. The deletion marks the
    group, then counts its mailboxes, then deletes it as it was marked. The other command changes the mailbox, then
    reads the group again, and undoes the change if the group is marked or gone.
    """

    def __init__(
        self,
        store: GroupStore,
        registry: MailboxRegistry,
        directory: MailboxDirectory,
        deployment: ScopeSettings,
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._registry = registry
        self._directory = directory
        self._clock = clock
        self.deployment = deployment

    def all(self) -> list[Group]:
        """All groups but the default one, in the order of their names."""
        return self._store.all()

    def get(self, name: str) -> Group:
        """One group. Raises NotFound."""
        return self._store.get(name)

    def scope_of(self, name: str) -> ScopeSettings:
        """The settings that apply to the mailboxes of a group; `default` is the deployment. Raises NotFound."""
        if name == DEFAULT:
            return self.deployment
        return self._store.get(name).settings.in_deployment(self.deployment)

    def mailboxes_in(self, name: str) -> MatchCount:
        """How many mailboxes are in the group."""
        return count_matching(self._directory, DirectoryQuery(group=name))

    def put(self, name: str, description: str, settings: GroupSettings, actor: str) -> Group:
        """Make a group, or replace the settings of one. The passes of its mailboxes use them within a minute.

        Raises:
            GroupInvalid: the name, the description, or a setting is not valid.
        """
        wrong = wrong_field(description, settings) if is_name(name) else "name"
        if wrong:
            raise GroupInvalid(wrong)
        made = Group(name, self._clock(), actor, description, settings)
        try:
            group = self._store.change(name, lambda before: made.with_changes(version=before.version))
        except NotFound:
            group = self._store.add(made)
        self._registry.record_audit(audit_subject(name), actor, "put_group")
        return group

    def delete(self, name: str, actor: str) -> None:
        """Delete a group that has no mailboxes.

        Raises:
            NotFound: it does not exist.
            GroupInUse: it has mailboxes; nothing has changed.
            Conflict: it was changed at the same time.
        """
        now = self._clock()
        marked = self._store.change(name, lambda before: before.with_changes(deleting_since=now))
        count = self.mailboxes_in(name)
        if count.number or not count.is_exact:
            self._store.change(name, lambda before: before.with_changes(deleting_since=None))
            raise GroupInUse(count.number, is_exact=count.is_exact)
        self._store.delete(marked)
        self._registry.record_audit(audit_subject(name), actor, "delete_group")

    def assign(self, mailbox_id: str, name: str, actor: str) -> Mailbox:
        """Put a mailbox into a group, or with the name `default` into none. Its next pass uses the group's settings.

        Raises:
            NotFound: the mailbox does not exist, or is being erased.
            GroupUnknown: no such group, or it is being deleted; nothing has changed.
        """
        self.require(name)
        before = self._registry.get(mailbox_id).group
        mailbox = self._registry.change(mailbox_id, lambda found: found.with_changes(group=stored_name(name)))
        try:
            self.require(name)
        except GroupUnknown:
            self._registry.change(mailbox_id, lambda found: _taken_back(found, stored_name(name), before))
            raise
        self._registry.record_audit(mailbox_id, actor, "set_group")
        return mailbox

    def require(self, name: str) -> None:
        """Raise GroupUnknown unless mailboxes can be put into this group."""
        if name == DEFAULT:
            return
        try:
            if is_name(name) and self._store.get(name).deleting_since is None:
                return
        except NotFound:
            pass
        raise GroupUnknown(f"there is no group with this name; make it first, or name {DEFAULT}")


def _taken_back(mailbox: Mailbox, group: str, before: str) -> Mailbox:
    """The mailbox in the group of before, unless somebody else has put it into a third one meanwhile."""
    return mailbox.with_changes(group=before) if mailbox.group == group else mailbox
