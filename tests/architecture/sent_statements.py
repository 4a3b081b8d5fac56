"""Where a text reaches a driver, and whether that text is the guard's, a constant or quoted.

The check follows names: through the assignments of a function, and from a parameter to what every
caller gives. What it cannot follow counts as unsafe.

Trees are never changed here, so what a walk finds in one is kept: the same few are asked for again
and again.

This file is long because following one name through assignments, calls and callers is one
recursion, and its parts mean nothing apart.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

UNMISTAKABLE = {
    *("execute", "executemany", "executescript", "execute_async", "execute_string"),
    *("execute_stream", "execute_arrow", "execute_query", "execute_schema", "execute_update"),
    *("execute_partitions", "exec_driver_sql", "raw_sql", "set_sql_query", "sql_query"),
    *("read_sql", "read_sql_query", "read_sql_table", "read_database", "read_database_uri"),
    *("add_query", "add_begin_query", "add_select_query", "run_sql_for_tests", "query_df"),
    *("adbc_execute_schema", "adbc_execute_partitions", "adbc_ingest", "adbc_prepare"),
    *("copy_expert", "copy_from", "copy_to", "callproc", "from_query", "get_partition_metadata"),
    *("from_csv_auto", "from_parquet", "from_substrait", "table_function", "query_arrow"),
}
"""Methods that send a text, whatever they are called on."""
AMBIGUOUS = {"sql", "query", "head", "copy", "stream", "describe", "describe_async", "submit"}
"""Methods that send a text where they are called on a driver's object. `head` is that of
`AdapterProcess`, which hands its statement to the process of the dbt adapter."""
GUARDS = {"read_only", "parse_select"}
QUOTING = {"_quoted", "_literal"}
CLEANING = {"_tag"}
"""Leave only word characters and a little punctuation of a text."""
WRAPPING = {"cell_sql", "arrow_sql"}
"""Put `SELECT ... FROM (<their first argument>)` around it, with the columns' names in quotes."""


@dataclass(frozen=True)
class Module:
    """A file of the library."""

    name: str
    tree: ast.Module

    def functions(self) -> Iterator[ast.FunctionDef]:
        return (node for node in walked(self.tree) if isinstance(node, ast.FunctionDef))


@dataclass(frozen=True)
class Place:
    """A function of a module."""

    module: Module
    function: ast.FunctionDef


@dataclass
class Package:
    """The modules whose functions call each other."""

    modules: Sequence[Module]
    _asked: set[tuple[str, str, str]] = field(default_factory=lambda: set[tuple[str, str, str]]())

    def unsafe(self, module: Module) -> list[str]:
        """Calls that send what did not come from the guard: `line: code`."""
        found: list[str] = []
        for function in _outermost(module.tree):
            place = Place(module, function)
            found += [
                f"{call.lineno}: {ast.unparse(call)[:80]}"
                for call in calls(function)
                if self._sends(call, module) and not self._safe(_statement_of(call), place)
            ]
        inside = {id(call) for f in _outermost(module.tree) for call in calls(f)}
        loose = [c for c in calls(module.tree) if id(c) not in inside and self._sends(c, module)]
        found += [f"{call.lineno}: outside of a function" for call in loose]
        return found + [f"{line}: {name} is handed on" for line, name in _handed_on(module.tree)]

    def _sends(self, call: ast.Call, module: Module) -> bool:
        if not isinstance(call.func, ast.Attribute):
            return False
        name, owner = call.func.attr, call.func.value
        if name in UNMISTAKABLE:
            return True
        return name in AMBIGUOUS and not _is_ours(name, owner, module)

    def _safe(self, node: ast.expr | None, place: Place) -> bool:
        match node:
            case ast.Constant(value=str() | int() | float()):
                return True
            case ast.JoinedStr(values=parts):
                return all(self._safe(part, place) for part in parts)
            case ast.FormattedValue(value=value):
                return self._safe(value, place)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return _is_quoting(node) or (self._safe(left, place) and self._safe(right, place))
            case ast.Call():
                return self._safe_call(node, place)
            case ast.Name(id=name):
                return self._safe_name(name, place)
            case _:
                return False

    def _safe_call(self, call: ast.Call, place: Place) -> bool:
        name = called(call)
        if name in GUARDS | QUOTING | CLEANING:
            return True
        if name in WRAPPING:
            return self._safe(call.args[0] if call.args else None, place)
        if not isinstance(call.func, ast.Name):
            return False
        made = [f for f in place.module.functions() if f.name == name]
        return bool(made) and all(
            self._safe(node.value, Place(place.module, function))
            for function in made
            for node in ast.walk(function)
            if isinstance(node, ast.Return)
        )

    def _safe_name(self, name: str, place: Place) -> bool:
        function = place.function
        values = list(_bound(name, function))
        parameter = next((a for a in _arguments(function) if a.arg == name), None)
        if parameter is None and not values:
            constants = _constants(place.module.tree)
            return name in constants and _is_fixed(constants[name])
        if not all(self._safe_value(value, place) for value in values):
            return False
        return parameter is None or _is_number(parameter) or self._safe_parameter(name, place)

    def _safe_value(self, value: ast.expr | None, place: Place) -> bool:
        """Also what a loop draws from a constant of the module."""
        if isinstance(value, ast.Starred):  # of a `for`: what it runs over
            drawn = value.value
            if isinstance(drawn, ast.Call) and isinstance(drawn.func, ast.Attribute):
                drawn = drawn.func.value if drawn.func.attr == "get" else drawn
            constants = _constants(place.module.tree)
            return (
                isinstance(drawn, ast.Name)
                and drawn.id in constants
                and _is_fixed(constants[drawn.id])
            )
        return self._safe(value, place)

    def _safe_parameter(self, name: str, place: Place) -> bool:
        """Whether every caller gives what is safe; functions that nobody calls are not."""
        key = (place.module.name, place.function.name, name)
        if key in self._asked:
            return False
        self._asked.add(key)
        try:
            given = list(self._given(name, place))
            return bool(given) and all(self._safe(value, caller) for value, caller in given)
        finally:
            self._asked.discard(key)

    def _given(self, name: str, place: Place) -> Iterator[tuple[ast.expr | None, Place]]:
        function = place.function
        near = function.name.startswith("_")
        names = [a.arg for a in function.args.args]
        for module in [place.module] if near else self.modules:
            for caller in _outermost(module.tree):
                for call in calls(caller):
                    if called(call) == function.name:
                        method = isinstance(call.func, ast.Attribute) and names[:1] == ["self"]
                        yield (
                            _argument(call, name, names[1:] if method else names),
                            Place(module, caller),
                        )


def module_of(path: Path, root: Path) -> Module:
    return Module(path.relative_to(root).as_posix(), ast.parse(path.read_text()))


@cache
def walked(node: ast.AST) -> tuple[ast.AST, ...]:
    """The node and everything in it, in the order of `ast.walk`."""
    return tuple(ast.walk(node))


@cache
def calls(node: ast.AST) -> tuple[ast.Call, ...]:
    return tuple(child for child in walked(node) if isinstance(child, ast.Call))


def called(call: ast.Call) -> str:
    function = call.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


@cache
def _outermost(tree: ast.AST) -> tuple[ast.FunctionDef, ...]:
    """Functions and methods; those inside others belong to them."""
    return tuple(_outermost_of(tree))


def _outermost_of(tree: ast.AST) -> Iterator[ast.FunctionDef]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef):
            yield node
        else:
            yield from _outermost_of(node)


def _is_ours(name: str, owner: ast.expr, module: Module) -> bool:
    """Whether it is a method of this module's classes, or SQL written by sqlglot."""
    defining = {
        node.name
        for node in walked(module.tree)
        if isinstance(node, ast.ClassDef)
        and any(isinstance(f, ast.FunctionDef) and f.name == name for f in node.body)
    }
    if isinstance(owner, ast.Name) and owner.id == "self":
        return bool(defining)
    if isinstance(owner, ast.Name):  # `reader = _Stream(...)`
        made = [v for f in module.functions() for v in _bound(owner.id, f)]
        return bool(made) and all(isinstance(v, ast.Call) and called(v) in defining for v in made)
    if isinstance(owner, ast.Call):
        return called(owner) in defining or ast.unparse(owner.func).startswith("exp.")
    return False


def _handed_on(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Methods that send, taken without being called: who calls them is not followed."""
    direct = {id(call.func) for call in calls(tree)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in UNMISTAKABLE and id(node) not in direct:
            yield node.lineno, node.attr
    for call in calls(tree):
        if called(call) in {"getattr", "methodcaller"}:
            for word in call.args:
                if isinstance(word, ast.Constant) and word.value in UNMISTAKABLE | AMBIGUOUS:
                    yield call.lineno, str(word.value)


def _statement_of(call: ast.Call) -> ast.expr | None:
    named = {"sql", "query", "statement", "operation", "command"}
    return (
        call.args[0]
        if call.args
        else next((k.value for k in call.keywords if k.arg in named), None)
    )


def _arguments(function: ast.FunctionDef | ast.Lambda) -> list[ast.arg]:
    return [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]


def _argument(call: ast.Call, name: str, names: Sequence[str]) -> ast.expr | None:
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value
    if name in names and names.index(name) < len(call.args):
        return call.args[names.index(name)]
    return None


def _bound(name: str, function: ast.FunctionDef) -> Iterator[ast.expr | None]:
    """Everything that the name is bound to; None for what is not followed."""
    for node in walked(function):
        for target, value in _bindings(node):
            if isinstance(target, ast.Name) and target.id == name:
                yield value
            elif _mentions(target, name):
                yield None
        if isinstance(node, ast.Lambda | ast.FunctionDef) and node is not function:
            yield from (None for argument in _arguments(node) if argument.arg == name)


def _bindings(node: ast.AST) -> Iterator[tuple[ast.expr, ast.expr | None]]:
    """Targets with their values; of a loop, what it runs over, starred."""
    match node:
        case ast.Assign(targets=targets, value=value):
            yield from ((target, value) for target in targets)
        case ast.AnnAssign() | ast.NamedExpr() | ast.AugAssign():
            yield node.target, node.value
        case ast.For() | ast.comprehension():
            yield node.target, ast.Starred(value=node.iter)
        case ast.withitem(optional_vars=ast.expr() as target, context_expr=value):
            yield target, value
        case _:
            return


def _mentions(target: ast.expr, name: str) -> bool:
    return any(
        isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Store)
        for node in ast.walk(target)
    )


@cache
def _constants(tree: ast.Module) -> dict[str, ast.expr]:
    found: dict[str, ast.expr] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign):
            found |= {t.id: node.value for t in node.targets if isinstance(t, ast.Name)}
    return found


def _is_fixed(node: ast.expr) -> bool:
    """Text, or a tuple, set or mapping of nothing but such."""
    if isinstance(node, ast.Dict):
        return all(map(_is_fixed, node.values))
    if isinstance(node, ast.Tuple | ast.List | ast.Set):
        return all(map(_is_fixed, node.elts))
    return isinstance(node, ast.Constant)


def _is_number(parameter: ast.arg) -> bool:
    return isinstance(parameter.annotation, ast.Name) and parameter.annotation.id in {
        "int",
        "float",
    }


def _is_quoting(node: ast.BinOp) -> bool:
    """`q + x.replace(q, qq) + q`."""
    match node:
        case ast.BinOp(
            left=ast.BinOp(
                left=ast.Constant(value=str(before)),
                right=ast.Call(
                    func=ast.Attribute(attr="replace"),
                    args=[ast.Constant(value=str(one)), ast.Constant(value=str(two))],
                ),
            ),
            right=ast.Constant(value=str(after)),
        ):
            return before == after == one and two == one * 2 and one in {'"', "'"}
        case _:
            return False
