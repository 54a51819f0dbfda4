"""Maps the properties that events, contacts and tasks share to typed values."""

from collections.abc import Mapping
from typing import Any

from shared.formats.values.common import Body, Importance, Person, Sensitivity

_SENSITIVITIES = {
    "Personal": Sensitivity.PERSONAL,
    "Private": Sensitivity.PRIVATE,
    "Confidential": Sensitivity.CONFIDENTIAL,
}
_IMPORTANCES = {"High": Importance.HIGH, "Low": Importance.LOW}


def sensitivity(values: Mapping[str, Any]) -> Sensitivity:
    """The sensitivity of an item."""
    return _SENSITIVITIES.get(values.get("sensitivity", ""), Sensitivity.NORMAL)


def importance(values: Mapping[str, Any]) -> Importance:
    """The importance of an item."""
    return _IMPORTANCES.get(values.get("importance", ""), Importance.NORMAL)


def person(values: Mapping[str, str]) -> Person:
    """A person with a name and an address."""
    return Person(values.get("name", ""), values.get("address", ""))


def body(values: Mapping[str, Any]) -> Body:
    """The body in the format that Exchange returned."""
    read = values.get("body") or {}
    text = read.get("text", "")
    return Body(html=text) if read.get("type") == "html" else Body(text=text)
