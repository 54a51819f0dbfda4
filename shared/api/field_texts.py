"""The descriptions of structs' fields: the docstring below each field, which only the source has."""

import ast
import inspect
from collections.abc import Iterable
from itertools import pairwise

from msgspec import Struct
from msgspec import inspect as types


def structs_of(kinds: Iterable[type[Struct]]) -> dict[str, type[Struct]]:
    """The structs among these types, and in their fields, by name."""
    found: dict[str, type[Struct]] = {}
    pending: list[types.Type] = list(types.multi_type_info(kinds))
    while pending:
        match pending.pop():
            case types.StructType(cls=kind, fields=fields) if kind.__name__ not in found:
                found[kind.__name__] = kind
                pending += [each.type for each in fields]
            case types.UnionType(types=alternatives):
                pending += alternatives
            case types.ListType(item_type=inner) | types.Metadata(type=inner) | types.DictType(value_type=inner):
                pending.append(inner)
    return found


def field_texts(kind: type[Struct]) -> dict[str, str]:
    """The docstrings below the fields of a struct, by the names that the fields have in JSON."""
    encoded = dict(zip(kind.__struct_fields__, kind.__struct_encode_fields__, strict=True))
    found: dict[str, str] = {}
    for declared, below in pairwise(_statements(kind)):
        if (text := _text(below)) and isinstance(declared, ast.AnnAssign) and isinstance(declared.target, ast.Name):
            found[encoded[declared.target.id]] = text
    return found


def _statements(kind: type[Struct]) -> list[ast.stmt]:
    """The statements of a class."""
    match ast.parse(inspect.getsource(kind)).body:
        case [ast.ClassDef(body=body)]:
            return body
    return []


def _text(statement: ast.stmt) -> str:
    """The text of a statement that is only a string, as one line."""
    match statement:
        case ast.Expr(ast.Constant(str(text))):
            return " ".join(text.split())
    return ""
