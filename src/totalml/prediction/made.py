"""Columns of shared features of a whole table; a row of which they cannot be made is told, and the others are kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from totalml.errors import FeatureError
from totalml.features.shared.past import TIMESTAMP
from totalml.prediction.columns import Errors

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from totalml.features.shared.frozen import Maker


def made_of(rows: pa.Table, makers: Sequence[Maker]) -> tuple[pa.Table, Errors]:
    """The columns, (N,) each, null where they cannot be made; and of rows why not.

    Raises: FeatureError: of each feature that cannot be made at all.
    """
    columns, wrong = {}, []
    errors: Errors = defaultdict(list)
    for maker in makers:
        usable = _named(rows, maker, errors)
        some = rows.filter(pa.array(usable))
        try:
            made, early = maker.columns(some), maker.early(some)
        except FeatureError as error:
            wrong.append(str(error))
            continue
        for place in np.flatnonzero(usable)[early]:
            errors[place] += [maker.too_early] if maker.too_early not in errors[place] else []
        for name, values in made.items():
            whole = np.full(len(rows), np.nan, np.float32)
            whole[usable] = values
            columns[name] = pa.array(whole, from_pandas=True)
    if wrong:
        raise FeatureError("\n".join(wrong))
    return pa.table(columns), errors


def _named(rows: pa.Table, maker: Maker, errors: Errors) -> NDArray[np.bool_]:
    """(N,) which rows have a time and an entity; of the others it is told."""
    usable = np.ones(len(rows), np.bool_)
    for name in (TIMESTAMP, *maker.frozen.entity):
        there = rows[name].is_valid().to_numpy()
        for place in np.flatnonzero(~there):
            told = f"column {name!r} is empty, and shared features are made of it"
            errors[place] += [told] if told not in errors[place] else []
        usable &= there
    return usable
