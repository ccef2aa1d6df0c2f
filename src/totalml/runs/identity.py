"""What names a run, what tells its attempts apart, and whether there is a finished one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from totalml.recipe import Recipe
    from totalml.runs import RunFolders
    from totalml.runs.attempt import Attempt


@dataclass(frozen=True)
class RunIdentity:
    """What names a run and what tells its attempts apart."""

    recipe: Recipe
    data_hash: str
    runs: RunFolders

    @cached_property
    def config_hash(self) -> str:
        from totalml.identity import config_hash
        from totalml.recipe import what

        return config_hash(what(self.recipe))

    @property
    def run_id(self) -> str:
        from totalml.identity import run_id

        return run_id(self.config_hash, self.data_hash)

    @property
    def folder(self) -> Path:
        return self.runs.root / self.recipe.name / self.run_id

    @cached_property
    def made_with(self) -> dict[str, Any]:
        return made_with(self.recipe)

    def facts(self) -> dict[str, Any]:
        """What a new attempt's `run.json` starts with."""
        from totalml import fingerprint

        names = {"name": self.recipe.name, "run_id": self.run_id}
        hashes = {"config_hash": self.config_hash, "data_hash": self.data_hash}
        return {**names, **hashes, **self.made_with, "git": fingerprint.git()}


def made_with(recipe: Recipe) -> dict[str, Any]:
    """Code, files, environment and execution, each with a digest."""
    from totalml import fingerprint

    return {
        "code": fingerprint.code(recipe),
        "files": fingerprint.files(recipe),
        "environment": fingerprint.environment(),
        "execution": fingerprint.execution(recipe.runtime),
    }


def finished_attempt(identity: RunIdentity) -> Attempt | None:
    """The attempt to report instead of running again; None if there is none or the recipe asks to run again.

    Nothing is locked, imported or written for it, so it is quick: a finished attempt is never written to again.
    """
    from totalml.runs.attempt import attempts_of

    recipe, runs = identity.recipe, identity.runs
    if recipe.runtime.rerun:
        return None
    runs.fetch(recipe.name, identity.run_id)
    alike = [attempt for attempt in attempts_of(identity.folder)[0] if attempt.made_like(identity.made_with)]
    if not alike or alike[-1].status != "finished":
        return None
    runs.complete(alike[-1])
    return None if alike[-1].lost() else alike[-1]
