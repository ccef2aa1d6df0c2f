"""Metadata columns -> numbers: numeric columns as they are, categorical columns as codes of a sorted vocabulary."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Self, TypeVar

import numpy as np

from totalml.data.arrays import nan_where_null, one_array
from totalml.errors import FeatureError
from totalml.recipe import TableFeatures
from totalml.target import did_you_mean
from totalml.values.shown import counted

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

T = TypeVar("T")

MAX_CATEGORIES = 1000  # a column with more is an identifier, and its one-hot columns would swamp the model


@dataclass(frozen=True)
class TableColumns:
    """Args:
    numeric: (N, Dn) float32, NaN where missing.
    categorical: (N, Dc) int64, 0 where missing, else 1 + place in the vocabulary.
    vocabularies: the values of each categorical column, sorted.
    made: names of the last numeric columns: of shared features, then of the recipe's own code.
    """

    numeric: NDArray[np.float32]
    categorical: NDArray[np.int64]
    vocabularies: tuple[tuple[str, ...], ...]
    made: tuple[str, ...] = ()

    def with_made(self, made: Mapping[str, NDArray[np.float32]]) -> Self:
        """Args: made: further numeric columns, (N,) each."""
        if not made:
            return self
        numeric = np.concatenate([self.numeric, np.stack([*made.values()], axis=1)], axis=1)
        return replace(self, numeric=numeric, made=(*self.made, *made))


def read_columns(
    table: TableFeatures, metadata: pa.Table, vocabularies: Sequence[tuple[str, ...]] | None = None
) -> TableColumns:
    """The columns that a recipe names.

    Args: vocabularies: those that a model was trained with; None: the values that are there.
    Raises: FeatureError: a column does not exist or is of a type that does not fit; all of them at once.
    """
    wrong: list[str] = []
    numeric = [*_each(table.numeric, metadata, _numeric, wrong)]
    known = dict(zip(table.categorical, vocabularies or (), strict=vocabularies is not None))
    coded = [*_each(table.categorical, metadata, partial(_categorical, known), wrong)]
    if wrong:
        raise FeatureError("\n".join(wrong))
    rows = len(metadata)
    return TableColumns(
        numeric=np.concatenate([np.zeros((rows, 0), np.float32), *(values[:, None] for values in numeric)], axis=1),
        categorical=np.concatenate([np.zeros((rows, 0), np.int64), *(codes[:, None] for codes, _ in coded)], axis=1),
        vocabularies=tuple(vocabulary for _, vocabulary in coded),
    )


def _each(
    names: Sequence[str], metadata: pa.Table, read: Callable[[str, pa.Array], T], wrong: list[str]
) -> Iterator[T]:
    """Read columns; what is wrong with one is noted and the next is read."""
    for name in names:
        try:
            yield read(name, _column(name, metadata))
        except FeatureError as error:
            wrong.append(str(error))


def _column(name: str, metadata: pa.Table) -> pa.Array:
    if metadata.schema.get_field_index(name) < 0 and name not in (known := metadata.column_names):
        raise FeatureError(
            f"features.table names the column {name!r}, which the metadata does not have"
            f"{did_you_mean(name, known) or '.'} It has: {', '.join(known) or 'none'}."
        )
    return one_array(metadata[name])


def _numeric(name: str, column: pa.Array) -> NDArray[np.float32]:
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = column.type
    if pa.types.is_temporal(kind):
        raise FeatureError(
            f"numeric column {name!r} holds {kind} values; a model needs a number. "
            "Add a column such as the hour or the age in days to the source."
        )
    if not _is_number(kind):
        examples = ", ".join(repr(value) for value in pc.unique(column.drop_null())[:3].to_pylist())
        raise FeatureError(
            f"numeric column {name!r} holds {kind} values such as {examples}; name it under features.table.categorical."
        )
    values = nan_where_null(column)
    if (huge := np.abs(values) > np.finfo(np.float32).max).any():
        raise FeatureError(
            f"numeric column {name!r} is infinite or beyond 3.4e38 in {counted(huge.sum(), 'sample')}; "
            "leave the value out where it is unknown."
        )
    single: NDArray[np.float32] = values.astype(np.float32)
    return single


def _is_number(kind: pa.DataType) -> bool:
    import pyarrow as pa

    types = pa.types
    return bool(types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind) or types.is_null(kind))


def _categorical(
    known: Mapping[str, tuple[str, ...]], name: str, column: pa.Array
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_floating(column.type) or pa.types.is_temporal(column.type):
        raise FeatureError(
            f"categorical column {name!r} holds {column.type} values; name it under features.table.numeric, "
            "or give the source a column of words."
        )
    words = pc.cast(column, pa.string())
    vocabulary = known[name] if name in known else tuple(sorted(pc.unique(words.drop_null()).to_pylist()))
    if len(vocabulary) > MAX_CATEGORIES:
        raise FeatureError(
            f"categorical column {name!r} has {len(vocabulary)} different values, more than {MAX_CATEGORIES}; "
            "an identifier tells a model nothing about new samples. Leave it out or group its values."
        )
    found = pc.index_in(words, pa.array(vocabulary, pa.string()), skip_nulls=True)
    return pc.fill_null(found, -1).to_numpy(zero_copy_only=False).astype(np.int64) + 1, vocabulary
