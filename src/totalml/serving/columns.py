"""Columns of what a caller gave, as the table that a scorer reads; a type that the model did not learn is refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from totalml.evaluation.truth import shown_names
from totalml.release.signature import NUMBER
from totalml.serving.body import RefusedError

if TYPE_CHECKING:
    from totalml.release.signature import Signature

SHOWN = 80  # characters of a value in a reason


def table_of(columns: Mapping[str, Sequence[Any]], count: int, signature: Signature) -> pa.Table:
    """Args:
        columns: a value for each of `count` samples; None: it is missing, as is a column that is not there. Those of
            shared features that are not there become none: they are made.

    Raises: RefusedError: names the columns that are unknown or of another type than the model learnt.
    """
    wrong: list[str] = []
    kinds = {name: _NUMBER if kind == NUMBER else _WORD for name, kind in signature.takes.items()}
    left_out = signature.left_out(columns)
    if unknown := sorted({*columns} - kinds.keys()):
        kept = f", and {', '.join(signature.context)} are kept" if signature.context else ""
        made_of = ", ".join(dict.fromkeys(name for each in signature.shared for name in each.needs))
        shared = f", or {made_of} to make those of shared features" if made_of else ""
        takes = f"the model takes {', '.join(signature.columns) or 'none'}{shared}{kept}"
        wrong.append(f"unknown columns {shown_names(unknown)}; {takes}")
    made = {}
    for name, read in ((name, read) for name, read in kinds.items() if name not in left_out):
        values = columns.get(name, [None] * count)
        if bad := [value for value in values if value is not None and not read.fits(value)]:
            wrong.append(f"column {name!r} wants {read.what}; got {_shown(bad[0])}")
            continue
        made[name] = pa.array([None if value is None else read.made(value) for value in values], read.kind)
    if wrong:
        raise RefusedError(422, "; ".join(wrong))
    return pa.table(made) if made else pa.table({"": pa.nulls(count)})


@dataclass(frozen=True)
class _Column:
    """What a column takes of JSON."""

    kind: pa.DataType
    what: str
    fits: Callable[[Any], bool]
    made: Callable[[Any], Any]


def _worded(value: Any) -> str:
    """As Arrow writes the values of a column that is cast to text."""
    return value if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)


def _shown(value: Any) -> str:
    return json.dumps(value)[:SHOWN]


_NUMBER = _Column(pa.float64(), "a number", lambda value: isinstance(value, int | float) and abs(value) < 3.4e38, float)
_WORD = _Column(pa.string(), "a text", lambda value: isinstance(value, str | int), _worded)
