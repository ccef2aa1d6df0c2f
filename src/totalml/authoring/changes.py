"""Which recipes differ in their composed form between a git revision and the files as they stand, and how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from totalml.authoring.golden import composed_file, metrics_file, read_metrics_text
from totalml.comparison.compared import attempt_metrics, attempt_paired
from totalml.comparison.composed import Composed, compose_all
from totalml.comparison.figures import paired_as_json
from totalml.comparison.metrics import MetricChange, metric_changes
from totalml.comparison.revision import Revision, commit_of, file_at, git, read_revision
from totalml.errors import RecipeError
from totalml.evaluation.paired import Paired
from totalml.runs.find import finished_run
from totalml.values.keys import KeyChange, key_changes

if TYPE_CHECKING:
    from totalml.compose.origins import Origins
    from totalml.project import Place
    from totalml.runs.attempt import Attempt

NOTHING = Composed()


@dataclass(frozen=True)
class RecipeChange:
    """Args:
    kind: added, removed, changed, broken (it has mistakes now) or mended (it had some).
    old, new: as composed; with their mistakes if they have some.
    keys: empty where one side has no composed form.
    metrics, measured: old against new, and where they come from; empty if there are none.
    accuracy: None unless both come from runs on the same samples.
    """

    name: str
    kind: str
    old: Composed
    new: Composed
    keys: tuple[KeyChange, ...] = ()
    metrics: tuple[MetricChange, ...] = ()
    measured: str = ""
    paired: Paired | None = None
    origins: Origins | None = None
    note: str = ""

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "kind": self.kind,
            "config_hash": {"old": self.old.config_hash, "new": self.new.config_hash},
            "keys": [change.as_json() for change in self.keys],
            "mistakes": list(self.new.mistakes),
            "metrics": [change.as_json() for change in self.metrics],
            "measured": self.measured,
            "accuracy": paired_as_json(self.paired) if self.paired else None,
            "note": self.note,
        }


def recipe_changes(base: str, place: Place) -> tuple[Revision, list[RecipeChange]]:
    """Against the commit where the branch left `base`, so that what others did there since is not shown.

    Raises: RecipeError: there is no such revision.
    """
    before = read_revision(place.project, _branch_point(base, place))
    after = compose_all(place.project)
    names = sorted({*before.recipes, *after})
    pairs = [(name, before.recipes.get(name, NOTHING), after.get(name, NOTHING)) for name in names]
    return before, [_described(*pair, before, place) for pair in pairs if pair[1] != pair[2]]


def _branch_point(base: str, place: Place) -> str:
    commit = commit_of(place.project, base)
    try:
        return git(place.project, "merge-base", commit, "HEAD").strip()
    except RecipeError:  # a shallow clone, or histories that never met
        return commit


def _described(name: str, old: Composed, new: Composed, before: Revision, place: Place) -> RecipeChange:
    kind = _kind(old, new)
    keys = key_changes(old.values, new.values, old.what, new.what) if old.values and new.values else []
    measured = _measured(name, old, new, before, place) if kind == "changed" else ((), "", None)
    origins, note = _origins(new, name, place), before.notes.get(name, "")
    return RecipeChange(name, kind, old, new, tuple(keys), *measured, origins, note)


def _kind(old: Composed, new: Composed) -> str:
    if old == NOTHING:
        return "added"
    if new == NOTHING:
        return "removed"
    if new.values is None:
        return "broken"
    return "mended" if old.values is None else "changed"


def _measured(
    name: str, old: Composed, new: Composed, before: Revision, place: Place
) -> tuple[tuple[MetricChange, ...], str, Paired | None]:
    runs = [_run(recipe, place) for recipe in (old, new)]
    if runs[0] and runs[1] and (changes := attempt_metrics(runs[0], runs[1])):
        which = [f"{run.facts['run_id']} attempt {run.number}" for run in runs if run]
        return tuple(changes), f"runs {' and '.join(which)}", attempt_paired(runs[0], runs[1])
    file = metrics_file(name)
    golden = place.project / file
    committed = read_metrics_text(file_at(place.project, before.commit, str(file)))
    now = read_metrics_text(golden.read_text(encoding="utf-8", errors="replace") if golden.is_file() else None)
    if committed and now and _renewed(name, new, place):
        return tuple(metric_changes(committed, now)), f"the golden file {file}", None
    return (), "", None


def _renewed(name: str, recipe: Composed, place: Place) -> bool:
    """Whether the golden files are those of the recipe as it stands: metrics of another one say nothing about it."""
    file = place.project / composed_file(name)
    try:
        golden = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        return False
    return isinstance(golden, dict) and golden.get("config_hash") == recipe.config_hash


def _run(recipe: Composed, place: Place) -> Attempt | None:
    values: Mapping[str, Any] = recipe.values or {}
    return finished_run(str(values.get("name")), recipe.config_hash, place.runs) if recipe.config_hash else None


def _origins(new: Composed, name: str, place: Place) -> Origins | None:
    from totalml.comparison.side import origins_of

    return origins_of(place.project, name, new.values) if new.values else None
