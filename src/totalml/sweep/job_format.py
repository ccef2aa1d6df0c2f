"""Overrides and jobs, as a person types and reads them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping

from totalml.report.number_format import MISSING

_CLASS = re.compile(r"_target_: ?(?:\w+\.)+(\w+)")


def typed(override: str) -> str:
    """`training.epochs=3` for `++training.epochs=3`: the command line puts the `++` before it again."""
    return override.removeprefix("++")


def command(overrides: Iterable[str]) -> str:
    """The command line that makes this one run, ready for a shell."""
    return shlex.join(["python", "run.py", *map(typed, overrides)])


def shown(parameters: Mapping[str, str]) -> str:
    """`model=mlp seed=3`."""
    return " ".join(f"{key}={value}" for key, value in parameters.items()) or "no parameters"


def figure(value: float | None) -> str:
    """A metric, as precise as it is worth comparing."""
    return MISSING if value is None else f"{value:.4g}"


def brief(value: str) -> str:
    """A value for a table or an axis: `[{Flip}]` for `[{_target_:totalml.training.Flip}]`."""
    return _CLASS.sub(r"\1", value)
