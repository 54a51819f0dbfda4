"""Says in a few words what a parameter or field may be, from its declared type, for the problem document."""

from msgspec import Struct, inspect

from shared.api.paging import EXPECTED_CURSOR


def expected_of(kind: type[Struct], path: str) -> str:
    """What the field at a dotted path must be: "a whole number from 1 to 1000". Empty if there is no such field."""
    found: inspect.Type = inspect.type_info(kind)
    for name in path.split("."):
        declared = next((each for each in _fields(found) if each.encode_name == name), None)
        if declared is None:
            return ""
        found = declared.type
    return EXPECTED_CURSOR if path == "cursor" else _words(found)


def _fields(found: inspect.Type) -> tuple[inspect.Field, ...]:
    """The fields of a struct, or of the first struct among the alternatives."""
    match found:
        case inspect.StructType():
            return found.fields
        case inspect.UnionType():
            return next((fields for each in found.types if (fields := _fields(each))), ())
        case inspect.Metadata():
            return _fields(found.type)
        case _:
            return ()


def _words(found: inspect.Type) -> str:
    if isinstance(found, inspect.Metadata):
        return _words(found.type)
    match found:
        case inspect.UnionType():
            return " or ".join(filter(None, (_words(each) for each in found.types)))
        case inspect.EnumType():
            values = [str(each.value) for each in found.cls]
            return f"one of {', '.join(filter(None, values))}{', or empty' if '' in values else ''}"
        case inspect.LiteralType():
            return f"{' or '.join(f'`{value}`' for value in found.values)}, or left out"
        case inspect.ListType():
            most = f"at most {found.max_length} " if found.max_length else ""
            return f"a list of {most}{_in_list(found.item_type)}"
        case _:
            return _plain_words(found)


def _plain_words(found: inspect.Type) -> str:
    """The words for a type that contains no other."""
    if isinstance(found, inspect.IntType):
        return _whole_number(found)
    if isinstance(found, inspect.StrType):
        return f"a text{_long(found.min_length, found.max_length)}{_matching(found.pattern)}"
    return _SIMPLE.get(type(found), "")


_SIMPLE: dict[type[inspect.Type], str] = {
    inspect.BoolType: "true or false",
    inspect.DateTimeType: "a time with its offset, such as 2026-11-23T12:00:00Z",
    inspect.StructType: "an object",
    inspect.DictType: "an object",
    inspect.NoneType: "",
}


def _in_list(found: inspect.Type) -> str:
    """The words for the entries of a list: "texts" rather than "a text"."""
    words = _words(found)
    if not words.startswith("a text"):
        return words
    return "texts" + words.removeprefix("a text").replace(" that matches ", " that match ")


def _long(least: int | None, most: int | None) -> str:
    """The words for the length of a text."""
    if least and most:
        return f" of {least} to {most} characters"
    return f" of at most {most} characters" if most else ""


def _matching(pattern: str | None) -> str:
    return f" that matches {pattern}" if pattern else ""


def _whole_number(found: inspect.IntType) -> str:
    if found.ge is not None and found.le is not None:
        return f"a whole number from {found.ge} to {found.le}"
    return f"a whole number of at least {found.ge}" if found.ge is not None else "a whole number"
