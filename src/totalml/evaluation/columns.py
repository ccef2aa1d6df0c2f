"""Columns of metadata as groups of samples, each group with a name in words.

Numbers are cut where the whole snapshot's quarters begin, so that a bin has one name whatever the split.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from totalml.evaluation.arrays import Floats, Ints

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

LIGHT = "light"  # a column of our own, from the pictures
LIGHTS = ("dim", "medium", "bright")
QUARTERS = (0.25, 0.5, 0.75)
MISSING = "missing"
MOST_DIGITS = 17  # tell any two numbers of 64 bits apart


@dataclass(frozen=True)
class Column:
    """Args:
    values: of each group, as a table would hold them: `41-60`, `5 to 8`, `missing`.
    words: of each group, as a sentence would: `age group 41-60`.
    codes: (N,) which group a sample is in; -1: none that is looked at.
    """

    name: str
    values: tuple[str, ...]
    words: tuple[str, ...]
    codes: Ints

    def support(self) -> Ints:
        """(G,) samples of each group."""
        return np.bincount(self.codes[self.codes >= 0], minlength=len(self.values))

    def with_support(self, least: int) -> Column:
        """Its groups of at least so many samples; a table of pairs has then no more cells than it needs."""
        kept = np.flatnonzero(self.support() >= least)
        place = np.full(len(self.values), -1)
        place[kept] = np.arange(len(kept))
        values, words = (tuple(names[code] for code in kept.tolist()) for names in (self.values, self.words))
        return Column(self.name, values, words, place[self.codes])


@dataclass(frozen=True)
class SampleContext:
    """What stands beside the predictions.

    Args:
        metadata: of all samples of the snapshot.
        rows: (N,) rows of it, those that were predicted.
        brightness: (N,) mean brightness of each picture in [0, 1]; None without pictures.
        edges: where the bins of a column of numbers begin.
        hidden: columns that no search may use, because they hold the answer.
    """

    metadata: pa.Table
    rows: Ints
    brightness: Floats | None = None
    edges: Mapping[str, Sequence[float]] = field(default_factory=dict)
    hidden: Sequence[str | None] = ()

    def column(self, name: str) -> Column:
        """The groups of one column; those without a sample among the predicted ones stay, empty."""
        import pyarrow.types as types

        if name == LIGHT and name not in self.metadata.column_names:
            return _light(np.zeros(0) if self.brightness is None else self.brightness)
        kind = self.metadata[name].type
        if types.is_integer(kind) or types.is_floating(kind):
            return _numbers(name, self.metadata[name].to_numpy().astype(np.float64), self.rows, self.edges.get(name))
        return _texts(name, self.metadata[name], self.rows)

    def names(self) -> list[str]:
        """Every column that can be cut into groups."""
        light = [LIGHT] if self.brightness is not None else []
        return list(dict.fromkeys([*(name for name in self.metadata.column_names if self._can_cut(name)), *light]))

    def _can_cut(self, name: str) -> bool:
        import pyarrow.types as types

        return not types.is_timestamp(self.metadata[name].type)


def in_words(name: str, value: str) -> str:
    """A group as a sentence would name it: `age group 41-60`, `dim light`."""
    if name == LIGHT and value in LIGHTS:
        return f"{value} {LIGHT}"
    return f"{name.replace('_', ' ').strip() or name} {value}"


def in_bin(numbers: Floats, value: str) -> NDArray[np.bool_]:
    """(N,) which numbers are in the bin of that name, as a column of them has it; or are that number."""
    for words, holds in _BINS:
        if found := words.fullmatch(value):
            return holds(numbers, *map(float, found.groups()))
    return np.isnan(numbers) if value == MISSING else np.zeros(len(numbers), np.bool_)


def _light(brightness: Floats) -> Column:
    """A third of the pictures each."""
    edges = np.quantile(brightness, (1 / 3, 2 / 3)) if len(brightness) else np.zeros(2)
    words = tuple(in_words(LIGHT, value) for value in LIGHTS)
    return Column(LIGHT, LIGHTS, words, np.searchsorted(edges, brightness, side="right").astype(np.int64))


def _numbers(name: str, numbers: Floats, rows: Ints, edges: Sequence[float] | None) -> Column:
    known = np.unique(numbers[~np.isnan(numbers)])
    if edges is None and len(known) <= len(QUARTERS) + 1:
        values = _told_apart(known)
        codes = np.searchsorted(known, numbers[rows])
    else:
        cuts = np.array(edges, np.float64) if edges is not None else _quarters(numbers)
        values = _bins(cuts)
        codes = np.searchsorted(cuts, numbers[rows], side="right")
    return _column(name, values, np.where(np.isnan(numbers[rows]), len(values), codes).astype(np.int64))


def _quarters(numbers: Floats) -> Floats:
    """Rounded to three digits, which a reader can take in; equal ones once."""
    cuts = np.quantile(numbers[~np.isnan(numbers)], QUARTERS)
    return np.unique([float(f"{cut:.3g}") for cut in cuts])


def _bins(cuts: Floats) -> list[str]:
    shown = _told_apart(cuts)
    between = [f"{low} to {high}" for low, high in pairwise(shown)]
    return [f"below {shown[0]}", *between, f"{shown[-1]} and more"]


_NUMBER = r"(-?[\d.]+(?:e[+-]?\d+)?|-?inf)"
_BINS: tuple[tuple[re.Pattern[str], Callable[..., NDArray[np.bool_]]], ...] = (
    (re.compile(f"below {_NUMBER}"), lambda numbers, high: numbers < high),
    (re.compile(f"{_NUMBER} to {_NUMBER}"), lambda numbers, low, high: (numbers >= low) & (numbers < high)),
    (re.compile(f"{_NUMBER} (?:and|or) more"), lambda numbers, low: numbers >= low),
    (re.compile(_NUMBER), lambda numbers, one: numbers == one),
)


def _told_apart(numbers: Floats) -> list[str]:
    """In six digits, or as many as no two of them share: 2000001 and 2000002 are two groups."""
    for digits in range(6, MOST_DIGITS):
        shown = [f"{number:.{digits}g}" for number in numbers]
        if len(set(shown)) == len(numbers):
            return shown
    return [f"{number:.{MOST_DIGITS}g}" for number in numbers]


def _texts(name: str, column: pa.ChunkedArray, rows: Ints) -> Column:
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.types as types

    if types.is_boolean(column.type):
        column = pc.if_else(column, "yes", "no")
    values = sorted(pc.unique(column.drop_null()).to_pylist())
    codes = pc.fill_null(pc.index_in(column, pa.array(values, pa.string())), len(values)).to_numpy()
    return _column(name, values, codes[rows].astype(np.int64))


def _column(name: str, values: list[str], codes: Ints) -> Column:
    every = (*values, MISSING)
    return Column(name, every, tuple(in_words(name, value) for value in every), codes)
