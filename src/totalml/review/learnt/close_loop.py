"""From verdicts to a run that is held against production, on the same samples; noise is not called a gain."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from totalml.comparison.figures import paired_bounds, paired_in_words
from totalml.errors import DataError
from totalml.recipe.gates import PRODUCTION
from totalml.review.learnt.judged_samples import NEW

if TYPE_CHECKING:
    from totalml.data.snapshot import Snapshot
    from totalml.evaluation.paired import Paired
    from totalml.evaluation.record import Evaluation
    from totalml.progress import Progress
    from totalml.project import Place
    from totalml.recipe import Recipe
    from totalml.release.bundle import Bundle
    from totalml.review.learnt.reviewed_snapshot import ReviewedSnapshot
    from totalml.runs.attempt import Attempt
    from totalml.store import Store

CANDIDATE = "candidate"


@dataclass(frozen=True)
class Gain:
    """Of the new release over the old one, on the test split of the new snapshot.

    Args: of_review: on those of its samples that came by the review; None: there are none.
    """

    paired: Paired
    of_review: Paired | None

    def lines(self, made: ReviewedSnapshot) -> list[str]:
        new = sum(each.before is None for each in made.changes)
        rests = f"{made.votes:,} verdicts: {len(made.changes) - new:,} labels changed, {new:,} samples new"
        found = [f"{told(self.paired)}; it rests on {rests}"]
        if self.of_review is not None:
            found.append(f"  of them from the review: {told(self.of_review)}")
        return found


def told(paired: Paired) -> str:
    if not paired.gained and not paired.lost:
        return f"no gain can be told: {paired_in_words(paired)}"
    on = f"on {paired.count:,} test samples"
    if paired.clear:
        return f"{paired_in_words(paired)} {on}"
    return f"no gain can be told: {paired_bounds(paired)}{'' if paired.share else f' in {paired.figure}'} {on}"


def recipe_on(snapshot: str, bundle: Bundle, place: Place) -> Recipe:
    """That of a release, on data that stands in the store; what comes of it is a candidate and answers nobody.

    Raises: StoreError, RecipeError: its recipe cannot be read, or today's code no longer takes it.
    """
    from totalml.data import StoredSnapshot
    from totalml.project import placed
    from totalml.runs.stored import stored_recipe

    recipe = placed(stored_recipe(bundle.folder), place.project)
    chosen = {
        "source": StoredSnapshot(snapshot=snapshot),
        "snapshot": None,
        "where": None,
        "labels": recipe.data.classes,
    }
    store = place.store_url or str(place.store)
    where = recipe.runtime.model_copy(update={"store": store, "runs": str(place.runs)})
    registry = recipe.registry and recipe.registry.model_copy(update={"alias": CANDIDATE})
    data = recipe.data.model_copy(update=chosen)
    return recipe.model_copy(update={"data": data, "runtime": where, "registry": registry})


def gain_of(
    attempt: Attempt, bundle: Bundle, recipe: Recipe, snapshot: Snapshot, store: Store, progress: Progress
) -> Gain:
    """Score the test split of the snapshot by the release, too.

    Raises: DataError: both do not answer the same question. ModelError: the release cannot run.
    """
    import pyarrow.compute as pc

    from totalml.evaluation.record import Evaluation

    ours = Evaluation.load(attempt.folder)
    theirs = _scored(ours, bundle, recipe, snapshot, store, progress)
    reviewed = pc.starts_with(ours.predictions["id"], NEW)
    count = pc.sum(reviewed).as_py() or 0
    was, now = (replace(each, predictions=each.predictions.filter(reviewed), count=count) for each in (theirs, ours))
    return Gain(_paired(theirs, ours, bundle), _paired(was, now, bundle) if count else None)


def _scored(
    ours: Evaluation, bundle: Bundle, recipe: Recipe, snapshot: Snapshot, store: Store, progress: Progress
) -> Evaluation:
    """As ours, with what the release says."""
    import numpy as np
    import pyarrow.compute as pc

    from totalml.features import build_features
    from totalml.release.scorer import Scorer

    progress.say(f"scoring {ours.count:,} test samples by {bundle.name}@{PRODUCTION}")
    features = build_features(recipe.features, recipe.data, recipe.task, snapshot, store, progress, recipe.runtime)
    ids = snapshot.samples["id"].combine_chunks()
    rows = np.asarray(pc.index_in(ours.predictions["id"], value_set=ids)).astype(np.int64)
    answers = Scorer.load(bundle).score_rows(features, rows).answers
    said = ours.predictions
    if missing := [name for name in answers.column_names if name not in said.column_names]:
        raise DataError(f"the new run answers no {', '.join(missing)}, so it cannot be held against {PRODUCTION}")
    for name in answers.column_names:
        said = said.set_column(said.column_names.index(name), name, answers[name])
    return replace(ours, predictions=said)


def _paired(old: Evaluation, new: Evaluation, bundle: Bundle) -> Paired:
    from totalml.evaluation.paired import paired

    found = paired(old, new)
    if found is None:
        raise DataError(f"the new run and release {bundle.hash} do not answer the same question")
    return found
