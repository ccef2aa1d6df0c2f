"""What a model said, how sure it was of it, and whether it was right where that is known; by whole columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from totalml.data.list_column import SEPARATOR
from totalml.errors import DataError
from totalml.labels.columns import PREFIX
from totalml.monitoring.observations import as_numbers
from totalml.release.log_rows import ANSWER
from totalml.target import did_you_mean

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

PREDICTED, CONFIDENCE, PROBABILITY = f"{ANSWER}predicted", f"{ANSWER}confidence", f"{ANSWER}p:"
LOWER, UPPER = f"{ANSWER}lower", f"{ANSWER}upper"
WRONG = "wrong"
# Of labels that came later, and of a release's reference.
TRUTHS = (f"{PREFIX}label", f"{PREFIX}labels", "label", "labels")


@dataclass(frozen=True)
class Answers:
    """Of one question, such as which class it is, or whether a label holds.

    Args:
        label: the one that is asked for; empty: which class.
        confidence: (N,) that the answer is right, 0..1; NaN where there is none.
        right: (N,) 1 or 0; NaN where nobody knows.
        said: (N,) the class; of a label whether it holds, `yes` or `no`; None where there is no answer.
    """

    label: str
    confidence: Numbers
    right: Numbers
    said: NDArray[np.object_]


def answers_of(table: pa.Table, truth: str | None = None) -> list[Answers]:
    """One of classes, one for each label of several; none of numbers.

    Args:
        table: as the log, or a release's reference, has its columns.
        truth: column of what is right: a class, a list of labels, or these as text joined by `;`. None: `wrong`, or the
            first of `label:label`, `label:labels`, `label`, `labels` that is there.
    Raises: DataError: there is no column `truth`.
    """
    if PREDICTED not in table.column_names:
        return []
    column = _truth(table, truth)
    said = table[PREDICTED]
    if pa.types.is_list(said.type) or pa.types.is_large_list(said.type):
        return _of_labels(table, said, column)
    right = confidence = np.full(len(table), np.nan)
    if CONFIDENCE in table.column_names:
        confidence = _chances(table[CONFIDENCE])
    if truth is None and WRONG in table.column_names:
        right = 1 - as_numbers(table[WRONG].cast(pa.int8()))
    elif column is not None:
        right = as_numbers(pc.equal(said.cast(pa.string()), column.cast(pa.string())).cast(pa.int8()))
    words = np.asarray(said.to_pylist(), object)
    return [Answers("", confidence, right, words)]


def widths_of(table: pa.Table) -> dict[str, Numbers]:
    """Target -> (N,) upper minus lower bound of each answer, in its unit; the target is empty where there is one."""
    ends = [name.removeprefix(LOWER) for name in table.column_names if name.startswith(LOWER)]
    return {
        end.removeprefix(":"): as_numbers(table[UPPER + end]) - as_numbers(table[LOWER + end])
        for end in ends
        if UPPER + end in table.column_names
    }


def without_truth(table: pa.Table) -> pa.Table:
    """Without what `answers_of` would take for the truth."""
    return table.drop_columns([name for name in (WRONG, *TRUTHS) if name in table.column_names])


def _labels(table: pa.Table) -> Sequence[str]:
    return [name.removeprefix(PROBABILITY) for name in table.column_names if name.startswith(PROBABILITY)]


def _truth(table: pa.Table, truth: str | None) -> pa.ChunkedArray | None:
    if truth is None:
        there = (table[name] for name in TRUTHS if name in table.column_names)
        return next((column for column in there if column.null_count < len(column)), None)
    if truth not in table.column_names:
        hint = did_you_mean(truth, table.column_names)
        raise DataError(f"there is no column {truth!r} of what is right{hint}; there are: {table.column_names}")
    return table[truth]


def _of_labels(table: pa.Table, said: pa.ChunkedArray, truth: pa.ChunkedArray | None) -> list[Answers]:
    found, there = [], said.is_valid().to_numpy()
    for label in _labels(table):
        chance, yes = _chances(table[PROBABILITY + label]), _holds(said, label)
        right = np.full(len(table), np.nan)
        if truth is not None:
            right = np.where(truth.is_valid().to_numpy() & there, _holds(truth, label) == yes, np.nan)
        words = np.where(yes, "yes", "no").astype(object)
        words[~there] = None
        found.append(Answers(label, np.where(there, np.where(yes, chance, 1 - chance), np.nan), right, words))
    return found


def _chances(column: pa.ChunkedArray) -> Numbers:
    """(N,) NaN where there is none, or what is none."""
    values = as_numbers(column)
    return np.where((values >= 0) & (values <= 1), values, np.nan)


def _holds(column: pa.ChunkedArray, label: str) -> NDArray[np.bool_]:
    """(N,) whether each list, or text, has the label."""
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        column = pc.split_pattern(column, SEPARATOR)
    rows = pc.list_parent_indices(column)
    has = pc.equal(pc.utf8_trim_whitespace(pc.list_flatten(column).cast(pa.string())), label).fill_null(False)
    found = np.zeros(len(column), np.bool_)
    found[np.asarray(rows)[np.asarray(has)]] = True
    return found
