"""The arguments that a class or function of an installed package takes, from its source text."""

import ast
from dataclasses import dataclass, replace

from totalml.definitions import Definition, bases_of, find


@dataclass(frozen=True)
class Signature:
    """Args:
    names: parameters that may be given by keyword, without self.
    required: those of them without a default.
    open_ended: further keywords are taken (`**kwargs`).
    """

    names: tuple[str, ...]
    required: tuple[str, ...]
    open_ended: bool
    is_class: bool = True


def signature_of(path: str) -> Signature | None:
    """The signature of the class or function at a dotted path; None if there is none there."""
    found = find(path.split("."))
    return _signature(*found) if found else None


def _signature(node: Definition, module: list[str]) -> Signature | None:
    if isinstance(node, ast.FunctionDef):
        return replace(_of_function(node, skip=0), is_class=False)
    for statement in node.body:
        if isinstance(statement, ast.FunctionDef) and statement.name == "__init__":
            return _of_function(statement, skip=1)
    for base in bases_of(node):
        if found := find([*module, *base]):
            return _signature(*found)
    return Signature((), (), open_ended=True)


def _of_function(node: ast.FunctionDef, skip: int) -> Signature:
    positional = [arg.arg for arg in node.args.posonlyargs + node.args.args][skip:]
    without_default = positional[: len(positional) - len(node.args.defaults)]
    keyword = zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
    without_default += [arg.arg for arg, default in keyword if default is None]
    names = positional + [arg.arg for arg in node.args.kwonlyargs]
    return Signature(tuple(names), tuple(without_default), open_ended=node.args.kwarg is not None)
