"""Look at the slices that a recipe names and at those that a search finds, and say which of them are worse.

The error rate of the recipe is that of everything said here: with both families each has half of it, and within
each Holm's correction counts all slices that were looked at.
"""

from collections.abc import Sequence

import numpy as np

from totalml.evaluation.arrays import Floats
from totalml.evaluation.columns import Column, SampleContext
from totalml.evaluation.interval import Interval
from totalml.evaluation.shares import chance_of_as_many, gap_bounds, holm, wilson, z_of
from totalml.evaluation.slices.record import Slice, Slices
from totalml.evaluation.slices.search import Bools, Candidates, combined, groups
from totalml.recipe import EvaluationRecipe, SlicesRecipe

MOST_FOUND = 8
CLOSEST = 3  # shown where the search calls nothing worse
MOST_VALUES = 50  # with enough samples; more make a list of people or places, not of kinds
MOST_COLUMNS = 24


def measure_slices(evaluation: EvaluationRecipe, recipe: SlicesRecipe, context: SampleContext, wrong: Bools) -> Slices:
    """Args:
    wrong: (N,) whether the model errs, in the order of `context.rows`.
    """
    declared = [context.column(name) for name in recipe.columns]
    searched, left_out = searched_columns(recipe, context)
    families = max(1, bool(declared) + bool(searched))
    judge = _Judge(recipe, evaluation.confidence, wrong, families)
    named = groups(declared, wrong, recipe.min_support)
    tried = combined(searched, wrong, recipe.min_support)
    return Slices(
        declared=judge.all(named, declared),
        found=judge.worst(tried, searched),
        searched=len(tried),
        too_small=_too_small(declared, recipe.min_support),
        left_out=left_out,
        error_rate=recipe.error_rate,
        min_support=recipe.min_support,
        confidence=evaluation.confidence,
    )


class _Judge:
    """Tells slices that are worse from those that may be so by chance."""

    def __init__(self, recipe: SlicesRecipe, confidence: float, wrong: Bools, families: int) -> None:
        self._recipe, self._confidence, self._wrong, self._families = recipe, confidence, wrong, families

    def all(self, candidates: Candidates, columns: Sequence[Column]) -> tuple[Slice, ...]:
        """Every slice, widest gap first."""
        described = self._described(candidates, columns, self._corrected(candidates), range(len(candidates)))
        return tuple(sorted(described, key=lambda one: one.gap.value or 0.0))

    def worst(self, candidates: Candidates, columns: Sequence[Column]) -> tuple[Slice, ...]:
        """The worse ones by score, each only if it is worse without the samples of those before it."""
        corrected = self._corrected(candidates)
        scores = candidates.scores(self._wrong)
        worse = np.flatnonzero(self._worse(candidates, corrected))
        told: list[int] = []
        seen = np.zeros(len(self._wrong), np.bool_)
        for place in worse[np.argsort(-scores[worse], kind="stable")].tolist():
            inside = candidates.rows(place, columns)
            if len(told) < MOST_FOUND and self._adds(inside, ~seen, len(worse)):
                told.append(place)
                seen |= inside
        if not told:
            told = np.argsort(candidates.chance, kind="stable")[:CLOSEST].tolist()
        return self._described(candidates, columns, corrected, told)

    def _corrected(self, candidates: Candidates) -> Floats:
        return (holm(candidates.chance) * self._families).clip(max=1.0)

    def _worse(self, candidates: Candidates, corrected: Floats) -> Bools:
        gap = _accuracies(candidates, self._wrong)
        return (corrected <= self._recipe.error_rate) & (-gap >= self._recipe.min_gap)

    def _adds(self, inside: Bools, unseen: Bools, tried: int) -> bool:
        """Whether the slice is worse than the rest among samples that no slice before it explains."""
        new = inside & unseen
        counts = [(self._wrong & new).sum(), new.sum(), (self._wrong & unseen).sum(), unseen.sum()]
        [chance] = chance_of_as_many(*(np.array([count], np.int64) for count in counts))
        return bool(chance * tried <= self._recipe.error_rate)

    def _described(
        self, candidates: Candidates, columns: Sequence[Column], corrected: Floats, places: Sequence[int]
    ) -> tuple[Slice, ...]:
        z = z_of(self._confidence, len(candidates))
        right, count = candidates.count - candidates.errors, candidates.count
        others = len(self._wrong) - count
        others_right = (~self._wrong).sum() - right
        low, high = wilson(right, count, z)
        gap_low, gap_high = gap_bounds(right, count, others_right, others, z)
        gap, worse = _accuracies(candidates, self._wrong), self._worse(candidates, corrected)
        return tuple(
            Slice(
                name=" and ".join(column.words[code] for column, code in _groups(candidates, place, columns)),
                where={column.name: column.values[code] for column, code in _groups(candidates, place, columns)},
                count=int(count[place]),
                accuracy=Interval(float(right[place] / count[place]), float(low[place]), float(high[place])),
                gap=Interval(float(gap[place]), float(gap_low[place]), float(gap_high[place])),
                p=float(corrected[place]),
                worse=bool(worse[place]),
            )
            for place in places
        )


def _accuracies(candidates: Candidates, wrong: Bools) -> Floats:
    """(S,) accuracy minus that of all other samples."""
    others = len(wrong) - candidates.count
    gap: Floats = (wrong.sum() - candidates.errors) / others - candidates.errors / candidates.count
    return gap


def _groups(candidates: Candidates, place: int, columns: Sequence[Column]) -> list[tuple[Column, int]]:
    """The columns of a slice, each with the code of its group."""
    parts = zip(candidates.columns[place].tolist(), candidates.codes[place].tolist(), strict=True)
    return [(columns[column], code) for column, code in parts if column >= 0]


def searched_columns(recipe: SlicesRecipe, context: SampleContext) -> tuple[list[Column], dict[str, str]]:
    """The columns to combine, and why others are left out."""
    names = context.names() if recipe.search is None else recipe.search
    columns: list[Column] = []
    left_out: dict[str, str] = {}
    for name in names:
        column = context.column(name).with_support(recipe.min_support)
        usable = len(column.values)
        if name in context.hidden:
            left_out[name] = "it holds the answer or the split"
        elif usable > MOST_VALUES:
            left_out[name] = f"{usable} values; at most {MOST_VALUES} are combined"
        elif usable == 0:
            left_out[name] = f"no value has {recipe.min_support} samples"
        elif len(columns) == MOST_COLUMNS:
            left_out[name] = f"{MOST_COLUMNS} columns are combined; choose with evaluation.slices.search"
        else:
            columns.append(column)
    return columns, left_out


def _too_small(columns: Sequence[Column], min_support: int) -> tuple[str, ...]:
    small = [(column, np.flatnonzero((support := column.support()) * (support < min_support))) for column in columns]
    return tuple(column.words[code] for column, codes in small for code in codes.tolist())
