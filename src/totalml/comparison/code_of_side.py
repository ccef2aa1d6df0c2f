"""The code behind a side of a comparison: kept with the run, as it lies on disk, or as git has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from totalml.comparison.revision import code_at
from totalml.comparison.sources import Sources, current_code, digest_of, load_code
from totalml.own_code import OURS, recipe_packages
from totalml.validate import validate

if TYPE_CHECKING:
    from totalml.comparison.side import Side
    from totalml.project import Place
    from totalml.runs.attempt import Attempt
    from totalml.store import Store


def code_of_side(side: Side, place: Place, store: Store, told: list[str]) -> Sources | None:
    """The packages that a side's recipe uses, file by file; None if they are nowhere.

    Args:
        told: gets what a reader must know.
    """
    if side.is_run and side.attempt:
        return _sources_of_run(side.attempt, place, store, told)
    if side.commit is None:
        return current_code(validate(side.recipe.values or {}))
    if (found := code_at(place.project, side.commit, recipe_packages(side.recipe.values))) and OURS in found:
        return found
    told.append(f"the sources of {side.name} are not in git")
    return None


def _sources_of_run(attempt: Attempt, place: Place, store: Store, told: list[str]) -> Sources | None:
    code = attempt.facts["code"]
    if found := load_code(code["digest"], store):
        return found
    git, name = attempt.facts.get("git"), f"{attempt.facts['run_id']} attempt {attempt.number}"
    committed = code_at(place.project, git["commit"], code["sources"]) if git else None
    if not git or not committed:
        told.append(f"the sources of {name} are neither in the store nor in git")
        return None
    sources = {package: files for package, files in committed.items() if package in code["sources"]}
    if digest_of(sources) != code["digest"]:
        told.append(f"{name} had changes that were not committed; shown is its commit {git['commit'][:12]}")
    return sources
