"""Mutants of a module: its syntax tree with one small fault in it.

Annotations, decorators, the texts and conditions of errors' ``raise`` statements, imports and strings are left alone.
So is ``strict=`` of ``zip``, a check that cannot change a result. What is changed stands in ``variations``.
"""

from __future__ import annotations

import ast
import copy
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

# Each operator and what it is changed into.
BINARY: dict[type[ast.operator], tuple[type[ast.operator], ...]] = {
    ast.Add: (ast.Sub, ast.Mult),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Div, ast.Add),
    ast.Div: (ast.Mult,),
    ast.FloorDiv: (ast.Mult, ast.Div),
    ast.Mod: (ast.FloorDiv,),
    ast.Pow: (ast.Mult,),
    ast.LShift: (ast.RShift,),
    ast.RShift: (ast.LShift,),
    ast.BitOr: (ast.BitAnd,),
    ast.BitAnd: (ast.BitOr,),
}
COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_PAIRS = (
    ("min", "max"),
    ("minimum", "maximum"),
    ("any", "all"),
    ("mean", "total"),
    ("exp", "expm1"),
    ("isnan", "isfinite"),
    ("working", "storage"),
    ("clip_by_norm", "clip_by_global_norm"),
)
SWAPPED = {one: other for pair in _PAIRS for one, other in (pair, pair[::-1])}
# Functions of one number whose argument takes their place, and those whose last argument has a default.
UNWRAPPED = ("absolute", "abs", "sqrt", "zeros_like", "ceil", "negative", "fl", "store", "hold")
LAST_OPTIONAL = ("mean", "total")
SYMBOLS = {
    **{ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%", ast.Pow: "**"},
    **{ast.LShift: "<<", ast.RShift: ">>", ast.BitOr: "|", ast.BitAnd: "&"},
    **{ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!="},
    **{ast.Is: "is", ast.IsNot: "is not", ast.In: "in", ast.NotIn: "not in", ast.And: "and", ast.Or: "or"},
}
Variation = tuple[str, ast.AST]


class Site(NamedTuple):
    """A node that may be changed, the function that it is in (``<module>``, or a qualified name) and its statement."""

    node: ast.AST
    function: str
    statement: ast.stmt
    at_import: bool


@dataclass(frozen=True)
class Mutant:
    """One fault.

    Attributes:
        id: module, function, text of the source line, change, and its number among equal ones after the first:
            stable while that line of that function is as it is.
        module: name of the module within the reference.
        function: qualified name, or ``<module>``.
        lines: who runs none of them, the first to the last, cannot notice the fault; None if it acts on import.
        site: number of the changed node among the sites of the module.
        variation: number of the change among those of the node.
    """

    id: str
    module: str
    function: str
    lines: tuple[int, int] | None
    site: int
    variation: int


# No fault: what notices it is wrong itself. It takes the place of the module on which all others depend.
CONTROL = Mutant("the unchanged reference", "exact", "<module>", None, 0, 0)


def _with(node: ast.AST, **fields: object) -> ast.AST:
    changed = copy.copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed


def _called(node: ast.Call) -> str:
    match node.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def _constants(value: object) -> dict[str, object]:
    """Return what a constant is changed into, by its text."""
    match value:
        case bool():
            found: list[object] = [not value]
        case int():
            found = [value + 1, 0] if value else [1]
        case float():
            found = [2 * value] if value else [1.0]
        case _:
            return {}
    slightly = {f"{value!r} * (1 + 2**-20)": value * (1 + 2**-20)} if isinstance(value, float) and value else {}
    return {**slightly, **{repr(other): other for other in found}}


def _is_none(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _operators(node: ast.AST) -> Iterator[Variation]:
    match node:
        case ast.BinOp(left=left, op=op, right=right) if not (_is_none(left) or _is_none(right)):
            for other in BINARY.get(type(op), ()):
                yield f"{SYMBOLS[type(op)]} -> {SYMBOLS[other]}", _with(node, op=other())
        case ast.AugAssign(op=op):
            for other in BINARY.get(type(op), ()):
                yield f"{SYMBOLS[type(op)]}= -> {SYMBOLS[other]}=", _with(node, op=other())
        case ast.Compare(ops=[op]):
            for changed in COMPARISONS[type(op)]:
                yield f"{SYMBOLS[type(op)]} -> {SYMBOLS[changed]}", _with(node, ops=[changed()])
        case ast.BoolOp(op=op):
            swapped = ast.Or() if isinstance(op, ast.And) else ast.And()
            yield f"{SYMBOLS[type(op)]} -> {SYMBOLS[type(swapped)]}", _with(node, op=swapped)
            for i, value in enumerate(node.values):
                rest = node.values[:i] + node.values[i + 1 :]
                yield f"dropped: {ast.unparse(value)}", _with(node, values=rest) if len(rest) > 1 else rest[0]
        case ast.UnaryOp(op=ast.Not() | ast.USub() | ast.Invert(), operand=operand):
            yield f"{ast.unparse(node)} -> {ast.unparse(operand)}", operand


def _calls(node: ast.Call) -> Iterator[Variation]:
    name, args = _called(node), node.args
    if name in SWAPPED:
        other = SWAPPED[name]
        function = _with(node.func, **{"id" if isinstance(node.func, ast.Name) else "attr": other})
        yield f"{name} -> {other}", _with(node, func=function)
    if name in UNWRAPPED and len(args) == 1:
        yield f"{ast.unparse(node)} -> {ast.unparse(args[0])}", args[0]
    if name in LAST_OPTIONAL and len(args) == 2:
        yield f"argument dropped: {ast.unparse(args[1])}", _with(node, args=args[:1])
    if name == "where" and len(args) == 3:
        yield "where's branches swapped", _with(node, args=[args[0], args[2], args[1]])
    for i, keyword in enumerate(node.keywords):
        # A boolean that is dropped is, as its default is the other one, a boolean that is changed.
        if keyword.arg not in (None, "strict") and not isinstance(keyword.value, ast.Constant):
            kept = node.keywords[:i] + node.keywords[i + 1 :]
            yield f"argument dropped: {ast.unparse(keyword)}", _with(node, keywords=kept)


def _negated(test: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    # A comparison, a conjunction or a negation is changed as an operator.
    if not isinstance(test, ast.Compare | ast.BoolOp | ast.UnaryOp):
        yield f"{ast.unparse(test)} -> not {ast.unparse(test)}", ast.UnaryOp(ast.Not(), test)


def variations(node: ast.AST, function: str) -> Iterator[Variation]:
    """Yield the changes of a node: what they do, in words, and the node that takes its place."""
    yield from _operators(node)
    match node:
        case ast.Constant(value=value):
            for text, other in _constants(value).items():
                yield f"{value!r} -> {text}", ast.Constant(other)
        case ast.Call():
            yield from _calls(node)
        case ast.If(test=test) | ast.IfExp(test=test) | ast.While(test=test):
            for change, negated in _negated(test):
                yield change, _with(node, test=negated)
        case ast.comprehension(ifs=ifs):
            for i, test in enumerate(ifs):
                yield f"condition dropped: {ast.unparse(test)}", _with(node, ifs=ifs[:i] + ifs[i + 1 :])
                for change, negated in _negated(test):
                    yield change, _with(node, ifs=[*ifs[:i], negated, *ifs[i + 1 :]])
        case ast.Return(value=ast.BinOp(left=left, right=right)):
            yield f"returned: {ast.unparse(left)}", _with(node, value=left)
            yield f"returned: {ast.unparse(right)}", _with(node, value=right)
        case ast.AugAssign(target=ast.Name(id=name)):
            yield f"dropped: {name} {SYMBOLS[type(node.op)]}= ...", ast.Pass()
        case ast.Tuple(elts=elements) | ast.List(elts=elements) if function == "<module>" and len(elements) > 1:
            for i, element in enumerate(elements):
                yield f"element dropped: {ast.unparse(element)}", _with(node, elts=elements[:i] + elements[i + 1 :])
        case ast.Dict(keys=keys, values=values) if function == "<module>":
            for i, key in enumerate(keys):
                text = ast.unparse(key) if key else f"**{ast.unparse(values[i])}"
                kept = {"keys": keys[:i] + keys[i + 1 :], "values": values[:i] + values[i + 1 :]}
                yield f"entry dropped: {text}", _with(node, **kept)


def _left_alone(node: ast.AST, *, at_import: bool) -> bool:
    match node:
        case ast.Subscript():
            # A type: ``dict[str, Output]``.
            return at_import
        case ast.Raise() | ast.Import() | ast.ImportFrom() | ast.keyword(arg="strict"):
            return True
        case ast.Assign(targets=[ast.Name(id="__all__")]):
            return True
    return False


# Fields that hold types or decorators.
NOT_CODE = ("annotation", "returns", "decorator_list", "bases")


def sites(
    node: ast.AST, function: str = "<module>", statement: ast.stmt | None = None, *, at_import: bool = True
) -> Iterator[Site]:
    """Yield what may be changed in a tree, always in the same order."""
    if _left_alone(node, at_import=at_import):
        return
    if isinstance(node, ast.stmt):
        statement = node
    if statement is not None:
        yield Site(node, function, statement, at_import)
    inner = function
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        inner = node.name if function == "<module>" else f"{function}.{node.name}"
        at_import = at_import and isinstance(node, ast.ClassDef)
    for name, value in ast.iter_fields(node):
        if name not in NOT_CODE:
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    yield from sites(child, inner, statement, at_import=at_import)


def _lines(site: Site) -> tuple[int, int] | None:
    """Return the lines of a statement, of the head of a compound one, or of the function whose default it is."""
    first, last = site.statement.lineno, site.statement.end_lineno or site.statement.lineno
    if site.at_import or isinstance(site.statement, ast.FunctionDef):
        return None if site.at_import else (first, last)
    body = getattr(site.statement, "body", None)
    return (first, max(first, body[0].lineno - 1)) if body else (first, last)


def mutants(module: str, source: str) -> list[Mutant]:
    """Return every mutant of a module's source, in the order of the source.

    Args:
        module: its name within the reference.
        source: its text.
    """
    lines, seen, found = source.splitlines(), Counter[str](), []
    for number, site in enumerate(sites(ast.parse(source))):
        for variation, (change, _) in enumerate(variations(site.node, site.function)):
            line = lines[getattr(site.node, "lineno", site.statement.lineno) - 1].strip()
            name = f"{module}.{site.function} | {line} | {change}"
            seen[name] += 1
            unique = name if seen[name] == 1 else f"{name} | {seen[name]}"
            found.append(Mutant(unique, module, site.function, _lines(site), number, variation))
    return found


class _Replace(ast.NodeTransformer):
    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self.old, self.new = old, new

    def visit(self, node: ast.AST) -> ast.AST:
        return self.new if node is self.old else self.generic_visit(node)


def mutated(source: str, mutant: Mutant) -> ast.Module:
    """Return the tree of a module's source with the fault in it."""
    tree = ast.parse(source)
    if mutant == CONTROL:
        return tree
    site = list(sites(tree))[mutant.site]
    _, changed = list(variations(site.node, site.function))[mutant.variation]
    ast.copy_location(changed, site.node)
    return ast.fix_missing_locations(_Replace(site.node, changed).visit(tree))
