"""Markdown that strangers' words cannot leave: labels and group names are escaped, long values stand in code."""

import re
from collections.abc import Sequence

from totalml.values.shown import visible

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~!&$@])")
_LINK = re.compile(r"(?<=\w):(?=//)|(?<=www)\.", re.IGNORECASE)  # what becomes a link by itself
_START = re.compile(r"^(\d+)([.)])(?=\s|$)|^()([-+=:])")  # what would begin a list or a heading
_TICKS = re.compile(r"`+")


def text(value: str) -> str:
    """Any text as itself, on one line."""
    escaped = _SPECIAL.sub(r"\\\1", visible(" ".join(value.split())))
    return _START.sub(r"\1\3\\\2\4", _LINK.sub(lambda found: f"\\{found.group()}", escaped))


def code(value: str) -> str:
    """A code span, on one line."""
    shown = visible(" ".join(value.split()))
    ticks = "`" * (max((len(run) for run in _TICKS.findall(shown)), default=0) + 1)
    space = " " if "`" in shown or not shown.strip() else ""
    return f"{ticks}{space}{shown or ' '}{space}{ticks}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Args: rows: cells that are markdown already; none may hold a line break."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def listed(items: Sequence[str]) -> str:
    return "\n".join(f"- {item}" for item in items)
