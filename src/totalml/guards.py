"""What a class of another package would refuse, from the guards that its source text holds.

`__init__` of an optimizer says `if not 0.0 <= lr: raise ValueError(...)`: such conditions on plain arguments are
followed here, step by step as Python would, so that a value is refused without importing torch. What depends on more
than plain arguments is left to the class itself; nothing of the text is ever executed.
"""

import ast
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from totalml.definitions import bases_of, bound_at, find

MAX_CALLS = 4  # of methods by each other
TYPES: dict[str, type | tuple[()]] = {
    **{kind.__name__: kind for kind in (int, float, str, bool, list, tuple, dict)},
    **dict.fromkeys(("Tensor", "torch.Tensor"), ()),  # no plain value is one
}
OPERATORS: dict[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge,
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Is: operator.is_, ast.IsNot: operator.is_not,
    ast.In: lambda value, options: value in options, ast.NotIn: lambda value, options: value not in options,
    ast.Add: operator.add, ast.Sub: operator.sub,
}  # fmt: skip
# What an operation on plain values of the wrong kind raises, here as in the class.
FAULTS = (TypeError, ValueError, LookupError, ArithmeticError)


class _Unknown(Exception):
    """A value depends on more than plain arguments."""


@dataclass(frozen=True)
class Refusal:
    """Args:
    argument: that a guard asks about; None: none that was given.
    reason: in the words of the class.
    """

    argument: str | None
    reason: str


def refusals(path: str, arguments: Mapping[str, Any], base: str) -> list[Refusal]:
    """What the class at a dotted path would raise for plain arguments; of each argument the first.

    Args:
        base: a class that it descends from, whose own guards ask for more than arguments and are not read.
    """
    reading = _Reading(arguments, base)
    reading.call(path.split("."), "__init__", [], arguments, 0)
    return list({refusal.argument: refusal for refusal in reversed(reading.found)}.values())[::-1]


class _Reading:
    def __init__(self, arguments: Mapping[str, Any], base: str) -> None:
        self._given, self._base = arguments, base
        self.found: list[Refusal] = []

    def call(
        self, cls: list[str], method: str, positional: Sequence[Any], named: Mapping[str, Any], calls: int
    ) -> None:
        """Follow a method of a class, or of the nearest class above it that has it. Unknown values are left out."""
        node, module = find(cls) or (None, [])
        if not isinstance(node, ast.ClassDef) or calls > MAX_CALLS:
            return
        for statement in node.body:
            if isinstance(statement, ast.FunctionDef) and statement.name == method:
                names = _parameters(statement, positional, named)
                self._follow(statement.body, names, [*module, node.name], calls, ())
                return
        for above in self._above(node, module):
            self.call(above, method, positional, named, calls + 1)

    def _above(self, node: ast.ClassDef, module: list[str]) -> Iterator[list[str]]:
        """The classes that it descends from, short of the base."""
        for name in bases_of(node):
            bound = bound_at([*module, *name])
            place = bound[0] if isinstance(bound, list) and bound else [*module, *name]
            if ".".join(place) != self._base:
                yield place

    def _follow(
        self,
        body: Sequence[ast.stmt],
        names: dict[str, Any],
        cls: list[str],
        calls: int,
        asked: tuple[ast.expr, ...],
    ) -> bool:
        """Whether what stands after `body` is surely reached, were it not for refusals.

        Args:
            asked: the conditions that led here.
        """
        for statement in body:
            if isinstance(statement, ast.Raise):
                self._refuse(asked, _message(statement, names))
                return True
            if isinstance(statement, ast.If):
                branch = self._branch(statement, names, asked)
                if branch is not None:
                    if not self._follow(branch, names, cls, calls, (statement.test, *asked)):
                        return False
                    continue
            elif isinstance(statement, ast.Assign | ast.AnnAssign):
                _assign(statement, names)
                continue
            elif isinstance(statement, ast.Expr):
                self._call(statement.value, names, cls, calls)
                continue
            _forget(statement, names)
            if any(isinstance(inner, ast.Return | ast.Break | ast.Continue) for inner in ast.walk(statement)):
                return False
        return True

    def _branch(
        self, statement: ast.If, names: dict[str, Any], asked: tuple[ast.expr, ...]
    ) -> Sequence[ast.stmt] | None:
        """What an `if` goes on with; None if that cannot be told."""
        try:
            return statement.body if _value(statement.test, names) else statement.orelse
        except _Unknown:
            return None
        except FAULTS as error:
            self._refuse((statement.test, *asked), str(error))
            return None

    def _refuse(self, asked: tuple[ast.expr, ...], reason: str) -> None:
        names = [node.id for test in asked for node in ast.walk(test) if isinstance(node, ast.Name)]
        self.found.append(Refusal(next((name for name in names if name in self._given), None), reason))

    def _call(self, call: ast.expr, names: dict[str, Any], cls: list[str], calls: int) -> None:
        """Follow `self.method(...)` and `super().__init__(...)`."""
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
            return
        positional = [_known(argument, names) for argument in call.args]
        named = {each.arg: _known(each.value, names) for each in call.keywords if each.arg}
        holder = ast.unparse(call.func.value)
        if holder == "self":
            self.call(cls, call.func.attr, positional, named, calls + 1)
        elif holder == "super()" and (found := find(cls)) and isinstance(found[0], ast.ClassDef):
            for above in self._above(found[0], found[1]):
                self.call(above, call.func.attr, positional, named, calls + 1)


def _parameters(function: ast.FunctionDef, positional: Sequence[Any], named: Mapping[str, Any]) -> dict[str, Any]:
    """Name -> value of those that are known, defaults included."""
    plain = [argument.arg for argument in function.args.posonlyargs + function.args.args]
    defaults = dict(zip(reversed(plain), reversed(function.args.defaults), strict=False))
    only = zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True)
    defaults |= {argument.arg: default for argument, default in only if default is not None}
    values = {name: _known(default, {}) for name, default in defaults.items()}
    values |= dict(zip(plain[1:], positional, strict=False)) | dict(named)
    return {name: value for name, value in values.items() if value is not _Unknown}


def _known(node: ast.expr, names: Mapping[str, Any]) -> Any:
    """A value; the class `_Unknown` in place of one that is not known."""
    try:
        return _value(node, names)
    except (_Unknown, *FAULTS):
        return _Unknown


def _assign(statement: ast.Assign | ast.AnnAssign, names: dict[str, Any]) -> None:
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    value = _known(statement.value, names) if statement.value else _Unknown
    _forget(statement, names)
    for target in targets:
        if isinstance(target, ast.Name) and value is not _Unknown:
            names[target.id] = value


def _forget(statement: ast.stmt, names: dict[str, Any]) -> None:
    """What is bound anywhere in a statement is not known any more."""
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store | ast.Del):
            names.pop(node.id, None)


def _message(statement: ast.Raise, names: Mapping[str, Any]) -> str:
    if not isinstance(statement.exc, ast.Call) or not statement.exc.args:
        return ast.unparse(statement)
    try:
        return str(_value(statement.exc.args[0], names))
    except _Unknown:
        return ast.unparse(statement.exc.args[0])
    except FAULTS as error:
        return str(error)


def _value(node: ast.expr, names: Mapping[str, Any]) -> Any:
    """Raises: _Unknown; FAULTS, as the expression itself would."""
    match node:
        case ast.Constant(value):
            return value
        case ast.Name(name) if name in names:
            return names[name]
        case ast.Tuple(items):
            return tuple(_value(item, names) for item in items)
        case ast.List(items) | ast.Set(items):
            return [_value(item, names) for item in items]
        case ast.UnaryOp(ast.Not(), operand):
            return not _value(operand, names)
        case ast.UnaryOp(ast.USub(), operand):
            return -_value(operand, names)
        case ast.BoolOp(joint, operands):
            return _joined(isinstance(joint, ast.And), operands, names)
        case ast.Compare(left, joints, others):
            return _compared(left, joints, others, names)
        case ast.BinOp(left, joint, right) if type(joint) in OPERATORS:
            return OPERATORS[type(joint)](_value(left, names), _value(right, names))
        case ast.Subscript(value, index):
            return _value(value, names)[_value(index, names)]
        case ast.Call(ast.Name("isinstance"), [value, kinds]):
            return isinstance(_value(value, names), _types(kinds))
        case ast.Call(ast.Name("len"), [value]):
            return len(_value(value, names))
        case ast.JoinedStr(parts):
            return "".join(str(_value(part, names)) for part in parts)
        case ast.FormattedValue(value, -1, None):
            return _value(value, names)
    raise _Unknown


def _joined(every: bool, operands: Sequence[ast.expr], names: Mapping[str, Any]) -> Any:
    value: Any = every
    for operand in operands:
        value = _value(operand, names)
        if bool(value) != every:
            break
    return value


def _compared(
    left: ast.expr, joints: Sequence[ast.cmpop], others: Sequence[ast.expr], names: Mapping[str, Any]
) -> bool:
    value = _value(left, names)
    for joint, other in zip(joints, others, strict=True):
        following = _value(other, names)
        if not OPERATORS[type(joint)](value, following):
            return False
        value = following
    return True


def _types(node: ast.expr) -> tuple[Any, ...]:
    kinds = node.elts if isinstance(node, ast.Tuple) else [node]
    names = [ast.unparse(kind) for kind in kinds]
    if not TYPES.keys() >= {*names}:
        raise _Unknown
    return tuple(TYPES[name] for name in names)
