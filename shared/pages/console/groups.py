"""Computes the values of the operator's pages of groups, and reads the form of a group."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.mailboxes.directory.counting import MatchCount
from shared.mailboxes.groups.model import (
    LONGEST_DESCRIPTION,
    LONGEST_NAME,
    SETTING_NAMES,
    Group,
    GroupSettings,
    ScopeSettings,
)
from shared.sources.model import ContentLevel

LISTS = ("folders_in", "folders_out", "exclude")
"""The settings that are lists: a box says whether the group has its own, because an empty list is a setting too."""
NUMBERS = ("mail_days", "largest_item_mb", "retention_days")
OWN = "-own"
"""The suffix of that box's name."""
_FLAGS = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class GroupForm:
    """A posted form. `wrong` names the first field that cannot be read; `fields` are as they were typed."""

    description: str
    settings: GroupSettings = field(default_factory=GroupSettings)
    wrong: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)


def group_form(fields: Mapping[str, str]) -> GroupForm:
    """Read the form of a group. What is left empty is as the deployment's."""
    values: dict[str, Any] = {}
    try:
        for name in SETTING_NAMES:
            values[name] = _value(name, fields)
    except ValueError:
        return GroupForm(fields.get("description", ""), wrong=name, fields=fields)
    return GroupForm(fields.get("description", "").strip(), GroupSettings(**values), fields=fields)


def _value(name: str, fields: Mapping[str, str]) -> Any:
    """A setting as the form has it. Raises ValueError."""
    text = fields.get(name, "").strip()
    if name in LISTS:
        lines = tuple(line.strip() for line in text.splitlines() if line.strip())
        if not fields.get(name + OWN):
            return _unused(lines)
        return lines
    if not text:
        return None
    if name in NUMBERS:
        return int(text)
    if name == "private_items":
        return _flag(text)
    return ContentLevel(text)


def _unused(lines: tuple[str, ...]) -> None:
    """A list without its box is the deployment's. Raises ValueError: it has lines, which would be passed over."""
    if lines:
        raise ValueError("a list without its box")


def _flag(text: str) -> bool:
    if text not in _FLAGS:
        raise ValueError("neither true nor false")
    return _FLAGS[text]


def form_of(group: Group) -> dict[str, str]:
    """The fields of the form that show a group."""
    fields = {"description": group.description}
    for name, value in group.settings.own().items():
        if isinstance(value, tuple):
            fields |= {name: "\n".join(value), name + OWN: "on"}
        else:
            fields[name] = shown_value(value)
    return fields


def shown_value(value: object) -> str:
    """A setting's value as text: a list with commas, and true or false as the settings are written."""
    if isinstance(value, tuple):
        return ", ".join(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def own_settings(group: Group) -> list[tuple[str, str]]:
    """The settings that a group has of its own: the name of the deployment's setting, and the value."""
    return [(SETTING_NAMES[name], shown_value(value)) for name, value in group.settings.own().items()]


def groups_values(groups: Iterable[Group], *, wrong: str = "", name: str = "", description: str = "") -> dict[str, Any]:
    """Return the values of the template `console/groups`. `wrong` is a key under [console.groups.notices]."""
    return {
        "rows": [(group, own_settings(group)) for group in groups],
        "wrong": wrong,
        "name": name,
        "description": description,
        "longest_name": LONGEST_NAME,
        "longest_description": LONGEST_DESCRIPTION,
    }


def group_values(
    group: Group, deployment: ScopeSettings, count: MatchCount, *, form: GroupForm | None = None, done: bool = False
) -> dict[str, Any]:
    """Return the values of the template `console/group`. `form` is what was posted and refused."""
    return {
        "group": group,
        "deployment": {name: shown_value(getattr(deployment, name)) for name in SETTING_NAMES},
        "settings": [(name, SETTING_NAMES[name], _kind(name)) for name in SETTING_NAMES],
        "levels": [level.value for level in ContentLevel],
        "fields": form.fields if form else form_of(group),
        "wrong": form.wrong if form else "",
        "is_unticked": form is not None and form.wrong in LISTS and not form.fields.get(form.wrong + OWN),
        "count": count,
        "done": done,
        "longest_description": LONGEST_DESCRIPTION,
    }


def _kind(name: str) -> str:
    """Which input a setting has."""
    if name in LISTS:
        return "list"
    return "number" if name in NUMBERS else name
