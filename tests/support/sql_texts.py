"""All SQL of the store, found in its modules: constants as they are, and what stands inside functions.

A statement is whatever evaluates, in its module's own names, to a text that begins like one, to a
``Sql`` or to a ``Bulk``.
"""

import ast
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import malleposte.store
from malleposte.store.dialect import Bulk, Dialect, Sql

_BEGINS = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH|PRAGMA)\s").match
_BUILDERS = {"both", "in_ranges", "insert", "update", "Sql", "Bulk"}
_HOLE = re.compile(r"\{(ranges|ids|emails|uids|threads|parameter)\}").search

Found = tuple[str, Sql | Bulk | str]


def modules() -> list[ModuleType]:
    """Every module of the store."""
    names = [
        info.name for info in pkgutil.walk_packages(malleposte.store.__path__, "malleposte.store.")
    ]
    return [malleposte.store, *(importlib.import_module(name) for name in names)]


def constants() -> Iterator[Found]:
    """Statements among the modules' global values, also inside their tuples and dicts."""
    for module in modules():
        for name, value in vars(module).items():
            for one in _flat(value):
                if _is_statement(one):
                    yield f"{module.__name__}.{name}", one


def _flat(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for one in value.values():
            yield from _flat(one)
    elif isinstance(value, tuple | list):
        for one in value:
            yield from _flat(one)
    else:
        yield value


def _is_statement(value: Any) -> bool:
    if isinstance(value, str):
        return bool(_BEGINS(value)) and not _HOLE(value)
    if isinstance(value, Sql):
        return bool(_BEGINS(value.sqlite))
    return isinstance(value, Bulk)


def inline() -> tuple[list[Found], list[str]]:
    """Statements inside functions; and where one is put together from local names."""
    found: list[Found] = []
    unknown: list[str] = []
    for module in modules():
        tree = ast.parse(inspect.getsource(module))
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                _search(module, function, found, unknown)
    return found, unknown


def _search(module: ModuleType, function: ast.AST, found: list[Found], unknown: list[str]) -> None:
    waiting = list(ast.iter_child_nodes(function))
    while waiting:
        node = waiting.pop()
        where = f"{module.__name__}:{getattr(node, 'lineno', 0)}"
        if _builds(node) or isinstance(node, ast.JoinedStr | ast.Constant):
            begins = isinstance(node, ast.Call) or _text_begins(node)
            if begins:
                try:
                    value = eval(compile(ast.Expression(node), where, "eval"), vars(module))  # type: ignore[arg-type]
                except NameError:
                    unknown.append(where)
                else:
                    if _is_statement(value):
                        found.append((where, value))
                continue
        waiting.extend(ast.iter_child_nodes(node))


def _builds(node: ast.AST) -> bool:
    """``both(…)``, ``dialect.insert(…)`` and the like."""
    called = node.func if isinstance(node, ast.Call) else None
    if isinstance(called, ast.Attribute):
        module = called.value
        return isinstance(module, ast.Name) and module.id == "dialect" and called.attr in _BUILDERS
    return isinstance(called, ast.Name) and called.id in _BUILDERS


def _text_begins(node: ast.AST) -> bool:
    if isinstance(node, ast.JoinedStr):
        first = node.values[0]
        return isinstance(first, ast.Constant) and bool(_BEGINS(str(first.value)))
    return (
        isinstance(node, ast.Constant) and isinstance(node.value, str) and _is_statement(node.value)
    )


def texts(statement: Sql | Bulk | str, dialect: Dialect) -> str:
    """The text for a dialect."""
    return statement if isinstance(statement, str) else str(getattr(statement, dialect))
