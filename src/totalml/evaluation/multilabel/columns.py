"""How labels and their probabilities stand in a table of predictions."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from totalml.evaluation.multilabel.scores import Flags


def said_column(names: Sequence[str], said: Flags) -> dict[str, pa.Array]:
    return {"predicted": lists(said, names)}


def probability_columns(names: Sequence[str], probabilities: NDArray[np.floating[Any]]) -> dict[str, pa.Array]:
    return {f"p:{name}": pa.array(probabilities[:, k].astype(np.float64)) for k, name in enumerate(names)}


def lists(flags: Flags, names: Sequence[str]) -> pa.ListArray:
    """The names of each row's labels, in their order."""
    ends = np.concatenate([[0], flags.sum(axis=1).cumsum()])
    words = np.array(names, object)[np.nonzero(flags)[1]]
    return pa.ListArray.from_arrays(pa.array(ends, pa.int32()), pa.array(words, pa.string()))


def flags(given: pa.ChunkedArray, names: Sequence[str]) -> Flags:
    """(N, L) whether each list holds each name; what `lists` is made of. A list that is missing holds none."""
    found = np.zeros((len(given), len(names)), np.bool_)
    places = pc.index_in(pc.list_flatten(given), pa.array(names, pa.string()))
    known = np.asarray(places.is_valid())
    rows = np.asarray(pc.list_parent_indices(given))[known]
    found[rows, np.asarray(places.drop_null())] = True
    return found
