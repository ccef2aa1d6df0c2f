"""Look at the slices that a recipe names and at those that a search finds, and say which of them are worse.

The error rate of the recipe is that of everything said here: with both families each has half of it, and within
each Holm's correction counts all slices that were looked at.
"""

from collections.abc import Sequence

import numpy as np

from totalml.evaluation.arrays import Floats
from totalml.evaluation.columns import Column, SampleContext
from totalml.evaluation.shares import holm, z_of
from totalml.evaluation.slices.errors import Bools, Errors, WrongAnswers
from totalml.evaluation.slices.record import Slice, Slices
from totalml.evaluation.slices.search import Candidates, combined, groups
from totalml.recipe import EvaluationRecipe, SlicesRecipe

MOST_FOUND = 8
CLOSEST = 3  # shown where the search calls nothing worse
MOST_VALUES = 50  # with enough samples; more make a list of people or places, not of kinds
MOST_COLUMNS = 24


def measure_slices(evaluation: EvaluationRecipe, recipe: SlicesRecipe, context: SampleContext, wrong: Bools) -> Slices:
    """Args:
    wrong: (N,) whether the model errs, in the order of `context.rows`.
    """
    return slices_of(evaluation, recipe, context, WrongAnswers(wrong))


def slices_of(evaluation: EvaluationRecipe, recipe: SlicesRecipe, context: SampleContext, errors: Errors) -> Slices:
    """Args:
    errors: of the samples in the order of `context.rows`.
    """
    declared = [context.column(name) for name in recipe.columns]
    searched, left_out = searched_columns(recipe, context)
    families = max(1, bool(declared) + bool(searched))
    judge = _Judge(recipe, evaluation.confidence, errors, families)
    named = groups(declared, errors, recipe.min_support)
    tried = combined(searched, errors, recipe.min_support)
    return Slices(
        declared=judge.all(named, declared),
        found=judge.worst(tried, searched),
        searched=len(tried),
        too_small=_too_small(declared, recipe.min_support),
        left_out=left_out,
        error_rate=recipe.error_rate,
        min_support=recipe.min_support,
        confidence=evaluation.confidence,
        figure=errors.figure,
        lower_is_better=errors.lower_is_better,
    )


class _Judge:
    """Tells slices that are worse from those that may be so by chance."""

    def __init__(self, recipe: SlicesRecipe, confidence: float, errors: Errors, families: int) -> None:
        self._recipe, self._confidence, self._errors, self._families = recipe, confidence, errors, families

    def all(self, candidates: Candidates, columns: Sequence[Column]) -> tuple[Slice, ...]:
        """Every slice, widest gap first."""
        described = self._described(candidates, columns, self._corrected(candidates), range(len(candidates)))
        sign = -1 if self._errors.lower_is_better else 1
        return tuple(sorted(described, key=lambda one: sign * (one.gap.value or 0.0)))

    def worst(self, candidates: Candidates, columns: Sequence[Column]) -> tuple[Slice, ...]:
        """The worse ones by score, each only if it is worse without the samples of those before it."""
        corrected = self._corrected(candidates)
        scores = candidates.scores(self._errors.values)
        worse = np.flatnonzero(self._worse(candidates, corrected))
        told: list[int] = []
        seen = np.zeros(len(self._errors.values), np.bool_)
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
        least = self._recipe.min_gap * self._errors.unit
        worse: Bools = (corrected <= self._recipe.error_rate) & (_excess(candidates, self._errors) >= least)
        return worse

    def _adds(self, inside: Bools, unseen: Bools, tried: int) -> bool:
        """Whether the slice is worse than the rest among samples that no slice before it explains."""
        cells = np.where(inside[unseen], 0, -1)
        [chance] = self._errors.take(unseen).among_all().chance(cells, np.zeros(1, np.int64)) if unseen.any() else [1.0]
        return bool(chance * tried <= self._recipe.error_rate)

    def _described(
        self, candidates: Candidates, columns: Sequence[Column], corrected: Floats, places: Sequence[int]
    ) -> tuple[Slice, ...]:
        z = z_of(self._confidence, len(candidates))
        worse = self._worse(candidates, corrected)
        return tuple(
            Slice(
                name=" and ".join(column.words[code] for column, code in _groups(candidates, place, columns)),
                where={column.name: column.values[code] for column, code in _groups(candidates, place, columns)},
                count=int(candidates.count[place]),
                **self._errors.described(candidates.rows(place, columns), z)._asdict(),
                p=float(corrected[place]),
                worse=bool(worse[place]),
            )
            for place in places
        )


def _excess(candidates: Candidates, errors: Errors) -> Floats:
    """(S,) mean error minus that of all other samples."""
    others = len(errors.values) - candidates.count
    excess: Floats = candidates.errors / candidates.count - (errors.values.sum() - candidates.errors) / others
    return excess


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
