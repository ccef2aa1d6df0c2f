"""Which groups each test sample is in, beside its prediction: two runs can then be compared group by group."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from totalml.evaluation.columns import Column, SampleContext
from totalml.evaluation.slices.measure import searched_columns
from totalml.recipe import SlicesRecipe

PREFIX = "group:"


def membership(recipe: SlicesRecipe, context: SampleContext) -> dict[str, pa.Array]:
    """`group:<column>` -> the value of each sample, null in a group too small to be looked at.

    Of every column that the recipe declares or that the search combines.
    """
    declared = [context.column(name).with_support(recipe.min_support) for name in recipe.columns]
    searched, _ = searched_columns(recipe, context)
    return {f"{PREFIX}{column.name}": _values(column) for column in (*searched, *declared)}


def groups_of(predictions: pa.Table) -> Mapping[str, pa.Array]:
    """Column -> the value of each sample, as `membership` wrote it; empty if nothing was."""
    names = [name for name in predictions.column_names if name.startswith(PREFIX)]
    return {name.removeprefix(PREFIX): predictions[name].cast(pa.string()).combine_chunks() for name in names}


def _values(column: Column) -> pa.Array:
    codes = pa.array(column.codes.astype(np.int32), mask=column.codes < 0)
    return pa.DictionaryArray.from_arrays(codes, pa.array(column.values, pa.string()))
