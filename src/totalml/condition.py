"""A small expression over named values, such as `type == 'mono' and year >= 2020`.

Python's parser reads it and this file alone evaluates it: nothing is called, and nothing but columns is looked up.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

LONGEST = 1000
# A text is taken whole, so that backticks in it stay its own.
_QUOTED = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`([^`]+)`""")
_COMPARED: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda value, among: value in among,
    ast.NotIn: lambda value, among: value not in among,
}
WORDS = {"true": True, "false": False, "null": None}
GRAMMAR = (
    "use columns, numbers, 'text', true, false, null, lists, == != < <= > >= in, not in, is null, and, or, not; "
    "a column whose name is no word stands in backticks"
)

Row = Mapping[str, Any]
Value = Callable[[Row], Any]


@dataclass(frozen=True)
class Condition:
    """Args:
    columns: that it asks for.
    holds: whether a row meets it. A comparison with a missing value never holds; ask with `is null`.
    """

    text: str
    columns: tuple[str, ...]
    holds: Callable[[Row], bool]


def condition(text: str) -> Condition:
    """Raises: ValueError: it is no such expression; says where and what may stand there."""
    names: dict[str, str] = {}

    def placeholder(match: re.Match[str]) -> str:
        if match[1] is None:
            return match[0]
        names[word := f"__column_{len(names)}"] = match[1]
        return word

    if len(text) > LONGEST:
        raise ValueError(f"expected an expression of at most {LONGEST} characters, got {len(text)}")
    try:
        tree = ast.parse(_QUOTED.sub(placeholder, text.strip()), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ValueError(f"cannot read {text!r}: {getattr(error, 'msg', error)}; {GRAMMAR}") from error
    found = _Reader(text, names)
    holds = found.truth(tree)
    return Condition(text, tuple(dict.fromkeys(found.columns)), holds)


class _Reader:
    """Turns a tree into functions of a row; anything that is not listed here is refused."""

    def __init__(self, text: str, quoted: dict[str, str]) -> None:
        self.columns: list[str] = []
        self._text, self._quoted = text, quoted

    def truth(self, node: ast.expr) -> Callable[[Row], bool]:
        if isinstance(node, ast.BoolOp):
            parts = [self.truth(part) for part in node.values]
            every = all if isinstance(node.op, ast.And) else any
            return lambda row: every(part(row) for part in parts)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            part = self.truth(node.operand)
            return lambda row: not part(row)
        if isinstance(node, ast.Compare):
            return self._comparison(node)
        value = self._value(node)
        return lambda row: value(row) is True

    def _comparison(self, node: ast.Compare) -> Callable[[Row], bool]:
        for op, side in zip(node.ops, node.comparators, strict=True):
            self._fits(op, side)
        sides = [self._value(side) for side in (node.left, *node.comparators)]
        steps = [self._step(op, left, right) for op, left, right in zip(node.ops, sides, sides[1:], strict=False)]
        return lambda row: all(step(row) for step in steps)

    def _fits(self, op: ast.cmpop, side: ast.expr) -> None:
        """Python would ask whether one text is a part of the other, or whether two are one object in memory."""
        if isinstance(op, ast.In | ast.NotIn) and not isinstance(side, ast.List | ast.Tuple):
            raise ValueError(f"{ast.unparse(side)!r} may not stand after 'in'; write a list such as ['a', 'b']")
        if isinstance(op, ast.Is | ast.IsNot) and not (isinstance(side, ast.Name) and side.id in WORDS):
            raise ValueError(f"{ast.unparse(side)!r} may not stand after 'is'; write == or !=")

    def _step(self, op: ast.cmpop, left: Value, right: Value) -> Callable[[Row], bool]:
        if isinstance(op, ast.Is | ast.IsNot):
            wanted = isinstance(op, ast.Is)
            return lambda row: (left(row) is right(row)) is wanted
        compare = _COMPARED[type(op)]

        def step(row: Row) -> bool:
            one, other = left(row), right(row)
            if one is None or other is None:
                return False
            one, other = _as_time(one, other), _as_time(other, one)
            _refuse_kinds_apart(one, other)
            return bool(compare(one, other))

        return step

    def _value(self, node: ast.expr) -> Value:
        if isinstance(node, ast.Constant) and isinstance(node.value, str | int | float | bool | None):
            constant = node.value
            return lambda row: constant
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant):
            number = node.operand.value
            if type(number) in (int, float):
                return self._value(ast.Constant(-number))  # type: ignore[operator]
        if isinstance(node, ast.List | ast.Tuple):
            items = [self._value(item) for item in node.elts]
            return lambda row: [item(row) for item in items]
        if isinstance(node, ast.Name):
            return self._name(node.id)
        shown = ast.get_source_segment(self._text, node) or type(node).__name__
        raise ValueError(f"{shown!r} may not stand in an expression; {GRAMMAR}")

    def _name(self, name: str) -> Value:
        if name in WORDS:
            word = WORDS[name]
            return lambda row: word
        if name in self._quoted:
            name = self._quoted[name]
        self.columns.append(name)
        return lambda row: row.get(name)


def _refuse_kinds_apart(one: Any, other: Any) -> None:
    """Text is never equal to a number: such a condition would hold of every row or of none, without a word."""
    among = other if isinstance(other, list) else [other]
    if among and all(isinstance(one, str) != isinstance(each, str) for each in among):
        raise TypeError(f"{one!r} is held against {other!r}; quote what is text, and nothing else")


def _as_time(value: Any, other: Any) -> Any:
    """Text beside a time means a time; without a zone, UTC."""
    if not (isinstance(value, str) and isinstance(other, datetime)):
        return value
    try:
        time = datetime.fromisoformat(value)
    except ValueError as error:
        raise TypeError(f"{value!r} is no time such as 2024-03-17") from error
    return time if time.tzinfo else time.replace(tzinfo=UTC)
