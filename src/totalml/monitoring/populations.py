"""Which population each row comes from: an uploader, an age group, a device; numbers are cut at given edges."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from totalml.errors import DataError
from totalml.monitoring.observations import Categories, Observations
from totalml.release.log_rows import METADATA
from totalml.target import did_you_mean

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Edges = Mapping[str, Sequence[float]]

MOST = 50  # populations of a column, the largest; of more each would be too rare to be seen after correction
QUARTERS = (0.25, 0.5, 0.75)


@dataclass(frozen=True)
class Population:
    """Args: rows: (N,) whether each is of it."""

    column: str
    value: str
    rows: NDArray[np.bool_]

    @property
    def words(self) -> str:
        return f"{self.column.removeprefix(METADATA)} {self.value}"


class Populations:
    """Args:
    columns: of which each value, or bin of numbers, is a population.
    edges: of bins, by column.
    """

    def __init__(self, columns: Sequence[str], edges: Edges) -> None:
        self.columns, self._edges = tuple(columns), dict(edges)

    @classmethod
    def fit(cls, reference: Observations, by: Sequence[str], edges: Edges | None = None) -> Populations:
        """Args:
            by: with or without the beginning of the name that the log gives it.
            edges: of numbers; quarters of the reference where there are none.
        Raises: DataError: columns that are not there, all of them.
        """
        known = {**reference.numbers, **reference.categories}
        short = {name.removeprefix(METADATA): name for name in known} | {name: name for name in known}
        if unknown := [name for name in by if name not in short]:
            lines = [f"there is no column {name!r} of populations{did_you_mean(name, short)}" for name in unknown]
            raise DataError("\n".join([*lines, f"The columns are: {', '.join(sorted(known)) or 'none'}."]))
        given = {short[name]: tuple(values) for name, values in (edges or {}).items() if name in short}
        columns = list(dict.fromkeys(short[name] for name in by))
        numbers = reference.numbers
        cut = {name: given.get(name) or _quarters(numbers[name]) for name in columns if name in numbers}
        return cls(columns, cut)

    def of(self, seen: Observations, least: int) -> Iterator[Population]:
        """Those of at least that many rows, the largest first; a row without a value is of none."""
        for name in self.columns:
            each = self._categories(name, seen)
            if each is None:
                continue
            counts = np.bincount(each.codes[each.codes >= 0], minlength=len(each.names))
            for code in np.argsort(-counts, kind="stable")[:MOST]:
                if counts[code] >= max(1, least):
                    yield Population(name, each.names[code], each.codes == code)

    def _categories(self, name: str, seen: Observations) -> Categories | None:
        if name not in self._edges:
            return seen.categories.get(name)
        if (values := seen.numbers.get(name)) is None:
            return None
        edges = self._edges[name]
        codes = np.where(np.isnan(values), -1, np.searchsorted(edges, values, side="right"))
        bounds = [*(f"{edge:g}" for edge in edges)]
        inner = [f"{low} to {high}" for low, high in pairwise(bounds)]
        names = [f"below {bounds[0]}", *inner, f"{bounds[-1]} or more"] if bounds else ["any"]
        return Categories(codes.astype(np.int32), tuple(names))


def _quarters(values: NDArray[np.float64]) -> tuple[float, ...]:
    finite = values[np.isfinite(values)]
    return tuple(np.unique(np.quantile(finite, QUARTERS)).tolist()) if len(finite) else ()
