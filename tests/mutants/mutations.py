"""The mutants of a module: each leaves out or turns around one decision of it.

What is mutated is what protections are made of: conditions, comparisons, raised errors, truth values. Arithmetic, texts
and log lines are not.
"""

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

_FLIPPED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.GtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.LtE,
    ast.GtE: ast.Gt,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of one module: where, what, and the module as it is then."""

    line: int
    what: str
    tree: ast.Module

    def __str__(self) -> str:
        return f"{self.line} {self.what}"


def mutants_of(source: str) -> Iterator[Mutant]:
    """Every mutant of a module's source, in the order of its lines."""
    tree = ast.parse(source)
    nodes = [node for node in ast.walk(tree) if hasattr(node, "lineno")]
    for number, node in sorted(enumerate(nodes), key=lambda one: one[1].lineno):
        for what, change in _changes(node):
            changed = copy.deepcopy(tree)
            twin = [one for one in ast.walk(changed) if hasattr(one, "lineno")][number]
            change(twin)
            yield Mutant(node.lineno, what, ast.fix_missing_locations(changed))


def _changes(node: ast.AST) -> Iterator[tuple[str, Callable[[ast.AST], None]]]:
    """What can be changed of a node in place, with its description."""
    if isinstance(node, ast.If) and not _is_type_checking(node.test):
        yield f"never: if {_shown(node.test)}", lambda twin: setattr(twin, "test", ast.Constant(False))
        yield f"always: if {_shown(node.test)}", lambda twin: setattr(twin, "test", ast.Constant(True))
    if isinstance(node, ast.FunctionDef | ast.If | ast.For | ast.With | ast.Try | ast.ExceptHandler):
        for index, statement in enumerate(node.body):
            if isinstance(statement, ast.Raise):
                yield f"not raised: {_shown(statement)}", partial(_put, index=index, statement=ast.Pass())
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in _FLIPPED:
        flipped = _FLIPPED[type(node.ops[0])]
        yield f"{flipped.__name__}: {_shown(node)}", lambda twin: setattr(twin, "ops", [flipped()])
    if isinstance(node, ast.BoolOp):
        other = ast.And if isinstance(node.op, ast.Or) else ast.Or
        yield f"{other.__name__}: {_shown(node)}", lambda twin: setattr(twin, "op", other())
        for index, value in enumerate(node.values):
            yield f"without {_shown(value)}: {_shown(node)}", partial(_drop, index=index)
    if isinstance(node, ast.Return) and isinstance(node.value, ast.Call | ast.Compare | ast.BoolOp):
        yield f"True: {_shown(node)}", lambda twin: setattr(twin, "value", ast.Constant(True))
    if isinstance(node, ast.keyword) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, bool):
        turned = not node.value.value
        yield f"{node.arg}={turned}", lambda twin: setattr(twin, "value", ast.Constant(turned))


def _put(node: ast.AST, index: int, statement: ast.stmt) -> None:
    node.body[index] = statement  # type: ignore[attr-defined]


def _drop(node: ast.AST, index: int) -> None:
    del node.values[index]  # type: ignore[attr-defined]


def _is_type_checking(test: ast.expr) -> bool:
    return isinstance(test, ast.Name) and test.id == "TYPE_CHECKING"


def _shown(node: ast.AST) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 90 else f"{text[:87]}..."
