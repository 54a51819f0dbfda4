"""Writes contacts and distribution lists as vCard 4.0 (RFC 6350)."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from shared.sources.ews.answer import moment
from shared.sources.ews.contentlines import component, escaped, line, text_line
from shared.sources.ews.ics import day_of

_PHONES = {
    "BusinessPhone": "work,voice",
    "BusinessPhone2": "work,voice",
    "BusinessFax": "work,fax",
    "CompanyMainPhone": "work,voice",
    "AssistantPhone": "work,voice",
    "HomePhone": "home,voice",
    "HomePhone2": "home,voice",
    "HomeFax": "home,fax",
    "MobilePhone": "cell",
    "CarPhone": "cell",
    "Pager": "pager",
    "OtherFax": "fax",
    "TtyTddPhone": "textphone",
}
_PLACES = {"Business": "work", "Home": "home"}
_PARTS = ("Street", "City", "State", "PostalCode", "CountryOrRegion")


def contact_card(values: Mapping[str, Any], identifier: str) -> bytes:
    """A contact's card."""
    body = values.get("body") or {}
    lines = [
        *_head(values, identifier, _full_name(values), "individual"),
        line("N", _name(values)),
        text_line("NICKNAME", values.get("nickname")),
        *(line("EMAIL", escaped(address)) for address in values.get("emails", ()) if "@" in address),
        *(line("TEL", escaped(number), _typed(_PHONES.get(key, "")) | {"VALUE": "text"})
          for key, number in values.get("phones", {}).items()),
        *(line("IMPP", _im(address)) for address in values.get("im", {}).values()),
        *(line("ADR", _address(parts), _typed(_PLACES.get(key, "")))
          for key, parts in values.get("addresses", {}).items()),
        *_organization(values),
        *_days(values),
        text_line("NOTE", body.get("text")),
    ]  # fmt: skip
    return component("VCARD", lines).encode()


def list_card(values: Mapping[str, Any], identifier: str) -> bytes:
    """A distribution list's card: a group with its members. A member without a mail address is told by name."""
    members = []
    for member in values.get("members", ()):
        address = "".join(mark for mark in member.get("address", "") if mark > " ")
        if "@" in address:
            members.append(line("MEMBER", f"mailto:{address}"))
        else:
            members.append(text_line("X-MEMBER-NAME", member.get("name")))
    head = _head(values, identifier, values.get("name") or values.get("subject") or "Group", "group")
    body = values.get("body") or {}
    return component("VCARD", [*head, *members, text_line("NOTE", body.get("text"))]).encode()


def _head(values: Mapping[str, Any], identifier: str, full_name: str, kind: str) -> Iterable[str]:
    yield "VERSION:4.0\r\n"
    yield line("KIND", kind)
    yield line("UID", f"urn:uuid:{uuid5(NAMESPACE_OID, str(values.get('search_key') or identifier))}")
    yield line("FN", escaped(full_name))
    revised = moment(values.get("modified"))
    if revised is not None:
        yield line("REV", revised.strftime("%Y%m%dT%H%M%SZ"))
    if values.get("categories"):
        yield line("CATEGORIES", ",".join(escaped(name) for name in values["categories"]))


def _full_name(values: Mapping[str, Any]) -> str:
    """What the card is called: a card must be called something."""
    parts = values.get("name_parts", {})
    written = " ".join(values[name] for name in ("given_name", "middle_name", "surname") if values.get(name))
    emails = values.get("emails") or [""]
    candidates = (values.get("name"), parts.get("FullName"), written, values.get("company"), values.get("file_as"))
    return str(next((name for name in candidates if name), emails[0] or "Unnamed"))


def _name(values: Mapping[str, Any]) -> str:
    parts = values.get("name_parts", {})
    told = (
        values.get("surname") or parts.get("LastName"),
        values.get("given_name") or parts.get("FirstName"),
        values.get("middle_name") or parts.get("MiddleName"),
        parts.get("Title"),
        values.get("generation") or parts.get("Suffix"),
    )
    return ";".join(escaped(part or "") for part in told)


def _typed(types: str) -> dict[str, str]:
    return {"TYPE": types} if types else {}


def _im(address: str) -> str:
    """An address with its scheme; a bare one gets one that claims nothing."""
    scheme, colon, _ = address.partition(":")
    bare = "".join(mark for mark in address if mark > " ")
    return bare if colon and scheme.isalnum() else f"x-im:{bare}"


def _address(parts: Mapping[str, str]) -> str:
    return ";;" + ";".join(escaped(parts.get(name, "")) for name in _PARTS)


def _organization(values: Mapping[str, Any]) -> Iterable[str]:
    units = [values.get("company"), values.get("department")]
    if any(units):
        yield line("ORG", ";".join(escaped(unit or "") for unit in units))
    yield text_line("TITLE", values.get("job_title"))
    yield text_line("ROLE", values.get("profession"))
    if values.get("home_page"):
        yield line("URL", "".join(mark for mark in values["home_page"] if mark > " "))
    for name, relation in (("spouse", "spouse"), ("manager", "co-worker"), ("assistant", "co-worker")):
        yield text_line("RELATED", values.get(name), {"TYPE": relation, "VALUE": "text"})
    for child in values.get("children", ()):
        yield text_line("RELATED", child, {"TYPE": "child", "VALUE": "text"})


def _days(values: Mapping[str, Any]) -> Iterable[str]:
    for name, property_name in (("birthday", "BDAY"), ("anniversary", "ANNIVERSARY")):
        day = day_of(values.get(name))
        if day is not None:
            yield line(property_name, day.isoformat().replace("-", ""))
