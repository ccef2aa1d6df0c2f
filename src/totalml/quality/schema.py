"""Does the table hold what the recipe says it holds?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, model_validator

from totalml.component import Items, Section
from totalml.kinds import Check
from totalml.quality.report import Finding
from totalml.target import closest

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from totalml.data.snapshot import Snapshot
    from totalml.data.splits import Splits

Kind = Literal["text", "whole number", "number", "true/false", "time"]


class ColumnSchema(Section):
    """What one column of the metadata must be."""

    name: Annotated[str, Field(min_length=1)]
    kind: Kind | None = None  # a whole number is a number too
    required: bool = True  # the column must be there
    complete: bool = False  # and every sample must have a value
    minimum: float | None = None
    maximum: float | None = None
    values: Items[str | int | float | bool] = ()  # that may occur; empty: any

    @model_validator(mode="after")
    def _has_a_range(self) -> Self:
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError(f"minimum {self.minimum:g} is more than maximum {self.maximum:g}")
        return self


class Schema(Check):
    """Compares the snapshot's metadata with what the recipe says of its columns."""

    columns: Annotated[Items[ColumnSchema], Field(min_length=1)]
    only: bool = False  # no other columns may be there
    level: Literal["warn", "stop"] = "stop"

    def findings(self, snapshot: Snapshot, splits: Splits) -> Iterator[Finding]:
        there = snapshot.metadata.column_names
        for wanted in self.columns:
            if wanted.name in there:
                yield from self._look_at(wanted, snapshot)
            elif wanted.required:
                close = closest(wanted.name, there)
                mend = f"did you mean {close!r}?" if close else f"the columns are {sorted(there)}."
                yield self._finding(f"the snapshot has no column {wanted.name!r}; {mend}")
        unknown = [name for name in there if name not in {wanted.name for wanted in self.columns}]
        if self.only and unknown:
            yield self._finding(f"columns that the schema does not name: {unknown}. Add them, or set only: false.")

    def _look_at(self, wanted: ColumnSchema, snapshot: Snapshot) -> Iterator[Finding]:
        import numpy as np

        from totalml.quality.columns import is_missing, shown_ids
        from totalml.values.shown import some_of

        column = snapshot.metadata[wanted.name]
        if misfit := _misfit(wanted, _kind(column.type)):
            yield self._finding(f"column {wanted.name!r} {misfit}.")
            return
        missing = is_missing(column)
        faults = {fault: found & ~missing for fault, found in _wrong_values(wanted, column).items()}
        if wanted.complete:
            faults["have no value"] = missing
        for fault, found in faults.items():
            rows = np.flatnonzero(found)
            if len(rows):
                value = column[int(rows[0])].as_py()
                example = "" if missing[rows[0]] else f", such as {value!r}"
                message = f"column {wanted.name!r}: {some_of(len(rows), len(column), 'samples', fault)}{example}."
                yield Finding("Schema", self.level, message, shown_ids(snapshot.samples, rows))

    def _finding(self, message: str) -> Finding:
        return Finding("Schema", self.level, message)


def _misfit(wanted: ColumnSchema, kind: str) -> str:
    """Why no value of the column can be right; empty if some can."""
    if wanted.kind not in (None, kind) and (wanted.kind, kind) != ("number", "whole number"):
        return f"holds {kind}, where {wanted.kind} was expected"
    bounded = wanted.minimum is not None or wanted.maximum is not None
    return f"holds {kind}, which has no minimum or maximum" if bounded and "number" not in kind else ""


def _wrong_values(wanted: ColumnSchema, column: pa.ChunkedArray) -> dict[str, NDArray[np.bool_]]:
    """What is wrong -> (N,) where; a missing value counts as it comes."""
    import numpy as np
    import pyarrow.compute as pc

    from totalml.quality.columns import codes

    faults: dict[str, NDArray[np.bool_]] = {}
    if wanted.minimum is not None:
        faults[f"are below the minimum {wanted.minimum:g}"] = _true(pc.less(column, wanted.minimum))
    if wanted.maximum is not None:
        faults[f"are above the maximum {wanted.maximum:g}"] = _true(pc.greater(column, wanted.maximum))
    if wanted.values:
        allowed = set(wanted.values)
        wrong = [value not in allowed for value in pc.unique(column.drop_null()).to_pylist()]
        shown = ", ".join(map(repr, wanted.values))
        faults[f"have a value other than {shown}"] = np.array([*wrong, False])[codes(column)]
    return faults


def _true(answers: pa.ChunkedArray) -> NDArray[np.bool_]:
    yes: NDArray[np.bool_] = answers.fill_null(False).to_numpy()
    return yes


def _kind(kind: pa.DataType) -> str:
    import pyarrow.types as types

    known = {
        "text": types.is_string,
        "whole number": types.is_integer,
        "number": types.is_floating,
        "true/false": types.is_boolean,
        "time": types.is_timestamp,
    }
    return next((name for name, fits in known.items() if fits(kind)), str(kind))
