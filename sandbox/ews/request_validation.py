"""Validates requests against the schema as strictly as Exchange does: order, names, attributes, plain values.

The notation of request_schema.py is compiled to a regular expression over the names of an element's children, and a
type for each child.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache

from lxml import etree

from sandbox.ews.properties import FOLDER_URIS, PREFIXES, words
from sandbox.ews.request_schema import REQUESTS, TYPES, item_types
from sandbox.ews.wire import MESSAGES
from sandbox.mailboxes.fragments import TYPES as TYPES_NAMESPACE
from sandbox.mailboxes.fragments import children, local

DISTINGUISHED = frozenset(
    words(
        """
    calendar contacts deleteditems drafts inbox journal notes outbox sentitems tasks msgfolderroot publicfoldersroot
    root junkemail searchfolders voicemail recoverableitemsroot recoverableitemsdeletions recoverableitemsversions
    recoverableitemspurges recoverableitemsdiscoveryholds archiveroot archivemsgfolderroot archivedeleteditems
    archiveinbox archiverecoverableitemsroot archiverecoverableitemsdeletions archiverecoverableitemsversions
    archiverecoverableitemspurges archiverecoverableitemsdiscoveryholds syncissues conflicts localfailures
    serverfailures recipientcache quickcontacts conversationhistory adminauditlogs todosearch mycontacts directory
    imcontactlist peopleconnect favorites mecontact personmetadata teamspaceactivity teamspacemessaging
    teamspaceworkitems scheduled orionnotes tagitems alltaggeditems allcategorizeditems externalcontacts teamchat
    teamchathistory yammerdata yammerroot yammerinbound yammeroutbound yammerfeeds kaizaladata messageingestion
    onedriveroot onedriverecyclebin onedrivesystem onedrivevolume important starred archive companycontacts
    shortnotes usercuratedcontacts relevantcontacts onenotepagepreviews recoverableitemssubstrateholds inference
    quarantinedemail quarantinedemaildefaultcategory qedcdefaultretention qedcmediumretention qedcshortretention
    qedclongretention temporarysaves peoplecentricconversationbuddies dlppolicyevaluation sharepointnotifications
    fromfavoritesenders allcontacts allitems allpersonmetadata
    """
    )
)


class Invalid(ValueError):
    """The request violates the schema; the message says where and how."""


@dataclass(slots=True)
class Type:
    """A complex type: its children in order with their types, and its attributes; or text."""

    name: str
    content: re.Pattern[str] = field(default_factory=lambda: re.compile(""))
    expected: tuple[str, ...] = ()
    child_types: dict[str, str] = field(default_factory=dict)
    attributes: dict[str, tuple[str, bool]] = field(default_factory=dict)
    text: str = ""
    words: frozenset[str] = frozenset()


_BY_REFERENCE = {"GetUserAvailabilityRequest": {"TimeZone", "FreeBusyViewOptions", "SuggestionsViewOptions"}}
"""The children of requests that the schema takes from the namespace of types, by request."""

_TOKEN = re.compile(r"@?[A-Za-z]\w*(?::\w+)?\??|[()|]|[?*+]")


def _read(notation: str) -> dict[str, Type]:
    """Every type of a notation by name."""
    types: dict[str, Type] = {}
    for definition in re.split(r"\n(?=\w)", notation.strip()):
        name, _, contents = definition.partition(" = ")
        types[name] = _words(name, contents) if contents.startswith("enum ") else _type(name, contents)
    return types


def _words(name: str, contents: str) -> Type:
    return Type(name, words=frozenset(contents.split()[1:]))


def _type(name: str, contents: str) -> Type:
    made = Type(name)
    pattern = []
    for token in _TOKEN.findall(contents):
        if token.startswith("@"):
            attribute, _, kind = token[1:].rstrip("?").partition(":")
            made.attributes[attribute] = (kind or "string", not token.endswith("?"))
        elif token.startswith("text:"):
            made.text = token[5:]
        elif token[0].isalpha():
            child, _, kind = token.rstrip("?").partition(":")
            made.child_types[child] = kind or "string"
            pattern.append(f"(?:{child} )" + ("?" if token.endswith("?") else ""))
        else:
            pattern.append(token.replace("(", "(?:"))
    made.content = re.compile("".join(pattern))
    made.expected = tuple(made.child_types)
    return made


@cache
def _types() -> dict[str, Type]:
    return _read(TYPES) | _read(item_types())


@cache
def requests() -> dict[str, Type]:
    """The supported requests, by the name of their element."""
    return _read(REQUESTS)


def check(request: etree._Element) -> None:
    """Validate one request. Raises Invalid."""
    name = local(request)
    kind = requests().get(name)
    if kind is None or not str(request.tag).startswith(f"{{{MESSAGES}}}"):
        raise Invalid(f"The element '{name}' is not a request of this service.")
    _complex(request, kind, MESSAGES)


def check_item(element: etree._Element) -> None:
    """Validate one item as CreateItem would. Raises Invalid."""
    kind = _types().get(f"{local(element)}Item")
    if kind is None:
        raise Invalid(f"The element '{local(element)}' is not an item.")
    _complex(element, kind, TYPES_NAMESPACE)


def _complex(element: etree._Element, kind: Type, namespace: str) -> None:
    """Check an element's attributes and contents; its children are in `namespace`."""
    _attributes(element, kind)
    if kind.text:
        _simple(element, kind.text, element.text or "")
        return
    below = children(element)
    for child in below:
        wanted = (
            TYPES_NAMESPACE if kind.name in _BY_REFERENCE and local(child) in _BY_REFERENCE[kind.name] else namespace
        )
        if not str(child.tag).startswith(f"{{{wanted}}}"):
            raise Invalid(f"The element '{local(element)}' has invalid child element '{child.tag}'.")
    names = "".join(f"{local(child)} " for child in below)
    if not kind.content.fullmatch(names):
        raise Invalid(_complaint(element, kind, names))
    for child in below:
        _check(child, kind.child_types[local(child)])


def _complaint(element: etree._Element, kind: Type, names: str) -> str:
    """The error message for the first child that does not match."""
    for name in names.split():
        if name not in kind.child_types:
            return f"The element '{local(element)}' has invalid child element '{name}'."
    expected = ", ".join(kind.expected[:20])
    return (
        f"The element '{local(element)}' has incomplete or misordered content ({names.strip()}). Expected: {expected}."
    )


def _attributes(element: etree._Element, kind: Type) -> None:
    for key, value in element.items():
        name = str(key)
        if name.startswith("{"):
            continue
        if name not in kind.attributes:
            raise Invalid(f"The '{name}' attribute is not declared on '{local(element)}'.")
        _simple(element, kind.attributes[name][0], str(value))
    for name, (_, needed) in kind.attributes.items():
        if needed and element.get(name) is None:
            raise Invalid(f"The required attribute '{name}' is missing on '{local(element)}'.")


def _check(element: etree._Element, kind: str) -> None:
    if kind == "any":
        return
    declared = _types().get(kind)
    if declared is not None and not declared.words:
        _complex(element, declared, TYPES_NAMESPACE)
        return
    if children(element):
        raise Invalid(f"The element '{local(element)}' cannot contain child elements.")
    _simple(element, kind, element.text or "")


def _simple(element: etree._Element, kind: str, value: str) -> None:
    declared = _types().get(kind)
    fits = value in declared.words if declared else _PLAIN[kind](value)
    if not fits:
        raise Invalid(f"The value of '{local(element)}' is invalid according to its datatype '{kind}'.")


def _is_time(value: str) -> bool:
    try:
        datetime.fromisoformat(value.strip())
    except ValueError:
        return False
    return True


def _is_field_uri(value: str) -> bool:
    prefix, _, name = value.partition(":")
    return name in (FOLDER_URIS if prefix == "folder" else PREFIXES.get(prefix, ()))


_INTEGER = re.compile(r"\s*[-+]?\d+\s*")
_BASE64 = re.compile(r"[A-Za-z0-9+/=\s]*")

_PLAIN: dict[str, Callable[[str], bool]] = {
    "string": lambda value: True,
    "int": lambda value: _INTEGER.fullmatch(value) is not None,
    "number": lambda value: re.fullmatch(r"\s*[-+]?\d+(\.\d*)?\s*", value) is not None,
    "boolean": lambda value: value.strip() in ("true", "false", "0", "1"),
    "dateTime": _is_time,
    "base64": lambda value: _BASE64.fullmatch(value) is not None,
    "distinguished": lambda value: value in DISTINGUISHED,
    "fieldURI": _is_field_uri,
    "MaxChanges": lambda value: _INTEGER.fullmatch(value) is not None and 1 <= int(value) <= 512,
}
