"""Which setting leaves items of a mailbox out of its copy, and whose setting it is."""

from collections.abc import Iterable
from dataclasses import dataclass

from shared.mailboxes.groups.model import SETTING_NAMES, Group, GroupSettings, ScopeSettings
from shared.mailboxes.model import Mailbox
from shared.mailboxes.not_copied import not_copied


@dataclass(frozen=True, slots=True)
class SettingOrigin:
    """`setting` leaves items out for `reason`, a part of NotCopied. `group` has it; if empty, the deployment has."""

    reason: str
    setting: str
    group: str = ""


def named(name: str, groups: Iterable[Group]) -> Group | None:
    """The group with this name; None for the deployment's settings, and if there is no such group."""
    return next((group for group in groups if group.name == name), None)


def origins_of(mailbox: Mailbox, group: Group | None, deployment: ScopeSettings) -> list[SettingOrigin]:
    """The settings that leave out items which the mailbox's figures name."""
    figures = not_copied(mailbox)
    if figures is None:
        return []
    own = group.settings if group else GroupSettings()
    settings = own.in_deployment(deployment)
    active = {"mail_days": settings.mail_days > 0, "exclude": bool(settings.exclude)}
    fields = [("private", "private_items")] if figures.private else []
    fields += [("by_settings", name) for name, is_active in active.items() if is_active and figures.by_settings]
    return [
        SettingOrigin(reason, SETTING_NAMES[name], group.name if group and name in own.own() else "")
        for reason, name in fields
    ]
