"""What an operator does about moves between sources: ask for one, for many, survey only, hold back."""

from collections.abc import Callable, Iterable

from shared.errors import BeingErased, MailboxSyncError, NotFound
from shared.mailboxes.model import Mailbox
from shared.mailboxes.moves import asked_to_move, without_move
from shared.mailboxes.port import MailboxRegistry
from shared.sources.model import SourceName


class SourceNotUsable(MailboxSyncError):
    """No mailbox of this deployment can be read over that source: Exchange Server has no Graph."""


class MoveCommands:
    """Asks for moves; the passes make them. `can_use` says over which sources mailboxes can be read here."""

    def __init__(self, registry: MailboxRegistry, can_use: Callable[[SourceName], bool]) -> None:
        self._registry = registry
        self._can_use = can_use

    def usable(self) -> list[SourceName]:
        """The sources over which mailboxes of this deployment can be read."""
        return [source for source in SourceName if self._can_use(source)]

    def is_usable(self, source: SourceName) -> bool:
        """Whether any mailbox can be read over a source here."""
        return self._can_use(source)

    def ask(
        self,
        mailbox_ids: Iterable[str],
        target: SourceName,
        actor: str,
        *,
        dry_run: bool = False,
        force: bool = False,
    ) -> list[Mailbox]:
        """Have these mailboxes moved, or surveyed only, by their next passes; gives them.

        Raises: SourceNotUsable; NotFound: one of them is not known, and none was changed.
        """
        if not self._can_use(target):
            raise SourceNotUsable(target.value)

        def asked(mailbox: Mailbox) -> Mailbox:
            return asked_to_move(mailbox, target, actor, dry=dry_run, forced=force)

        return self._all_changed(mailbox_ids, actor, "survey" if dry_run else "move", asked)

    def cancel(self, mailbox_ids: Iterable[str], actor: str) -> list[Mailbox]:
        """Take back what was asked for and not made yet. Raises: NotFound: one is not known, and none was changed."""
        return self._all_changed(mailbox_ids, actor, "cancel_move", without_move)

    def chosen(self, tenant_id: str = "") -> list[str]:
        """The ids of a tenant's mailboxes, or of all, without those that are being erased."""
        mailboxes = (each for each in self._registry.all() if each.erasing_since is None)
        return [each.id for each in mailboxes if tenant_id in ("", each.tenant_id)]

    def _all_changed(
        self, mailbox_ids: Iterable[str], actor: str, act: str, change: Callable[[Mailbox], Mailbox]
    ) -> list[Mailbox]:
        known = [self._registry.get(each) for each in mailbox_ids]
        if any(each.erasing_since is not None for each in known):
            raise BeingErased("a mailbox is being erased")
        changed = (self._changed(each.id, actor, act, change) for each in known)
        return [each for each in changed if each is not None]

    def _changed(self, mailbox_id: str, actor: str, act: str, change: Callable[[Mailbox], Mailbox]) -> Mailbox | None:
        """Change a mailbox; None if it was erased in the meantime, which must not keep the others from it."""
        try:
            mailbox = self._registry.change(mailbox_id, change)
        except NotFound:
            return None
        self._registry.record_audit(mailbox_id, actor, act)
        return mailbox
