"""Columns of a table in the types that a model takes; a value that does not fit is told, and the others are kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow.csv import ConvertOptions

from totalml.data.csv_file import DECIMAL_COMMA
from totalml.errors import FeatureError

if TYPE_CHECKING:
    from numpy.typing import NDArray

MISSING = ConvertOptions().null_values  # NA, NaN, null ...: as where a CSV was read for training
BOOLEAN = {"true": 1.0, "false": 0.0}
MOST = float(np.finfo(np.float32).max)
SHOWN = 40  # characters of a value

Errors = defaultdict[int, list[str]]  # of rows, by their places; of most there are none


def as_text(column: pa.ChunkedArray) -> list[str | None]:
    words: list[str | None] = pc.cast(_plain(column), pa.string()).to_pylist()
    return words


def as_numbers(name: str, column: pa.ChunkedArray, decimal_comma: bool, errors: Errors) -> pa.Array:
    """float64, null where a value is missing or does not fit.

    Args: errors: what does not fit is added.
    Raises: FeatureError: the column's type holds no numbers.
    """
    plain = _plain(column)
    if pa.types.is_string(plain.type):
        plain = _parsed(name, plain, decimal_comma, errors)
    try:
        values = pc.cast(plain, pa.float64(), safe=False)
    except pa.ArrowException as error:
        raise FeatureError(f"column {name!r} holds {plain.type}; the model takes a number there") from error
    numbers: NDArray[np.float64] = values.fill_null(np.nan).to_numpy(zero_copy_only=False)
    for place in np.flatnonzero(np.abs(numbers) > MOST):
        errors[place].append(f"column {name!r} is infinite or beyond 3.4e38")
    return pa.array(numbers, mask=~(np.abs(numbers) <= MOST))


def as_moments(name: str, column: pa.ChunkedArray) -> pa.Array:
    """Times or days as the text that a request would hold; without a zone they are in UTC.

    Raises: FeatureError: the column's type holds no moments.
    """
    plain = _plain(column)
    try:
        moments = plain.cast(pa.timestamp("us", getattr(plain.type, "tz", None) or "UTC"))
    except pa.ArrowException as error:
        raise FeatureError(f"column {name!r} holds {plain.type}; the model takes a time or a day there") from error
    return pa.array([at.isoformat() if at else None for at in moments.to_pylist()], pa.string())


def as_words(name: str, column: pa.ChunkedArray, known: Sequence[str]) -> pa.Array:
    """Raises: FeatureError: the column's type holds no words."""
    plain = _plain(column)
    if pa.types.is_floating(plain.type) or pa.types.is_temporal(plain.type):
        raise FeatureError(f"column {name!r} holds {plain.type}; the model takes words there, or whole numbers")
    words = pc.cast(plain, pa.string())
    words = pc.if_else(pc.equal(words, ""), None, words)  # an empty cell of a CSV is a missing value
    # Where a CSV was read for training, `True` was guessed to be a boolean.
    return pc.utf8_lower(words) if known and {*known} <= BOOLEAN.keys() else words


def _plain(column: pa.ChunkedArray) -> pa.Array:
    plain = column.combine_chunks()
    if pa.types.is_dictionary(plain.type):
        plain = plain.dictionary_decode()
    return plain.cast(pa.string()) if pa.types.is_large_string(plain.type) else plain


def _parsed(name: str, column: pa.Array, decimal_comma: bool, errors: Errors) -> pa.Array:
    words = pc.utf8_trim_whitespace(column)
    words = pc.if_else(pc.is_in(words, pa.array(MISSING)), None, words)
    if decimal_comma:
        words = pc.if_else(pc.match_substring_regex(words, DECIMAL_COMMA), pc.replace_substring(words, ",", "."), words)
    try:
        return pc.cast(words, pa.float64())
    except pa.ArrowInvalid:  # then one by one
        return pa.array(
            [_number(name, word, errors, place) for place, word in enumerate(words.to_pylist())], pa.float64()
        )


def _number(name: str, word: str | None, errors: Errors, place: int) -> float | None:
    try:
        return BOOLEAN[word.lower()] if word and word.lower() in BOOLEAN else pa.scalar(word).cast(pa.float64()).as_py()
    except pa.ArrowInvalid:
        errors[place].append(f"column {name!r} holds {str(word)[:SHOWN]!r}, which is no number")
        return None
