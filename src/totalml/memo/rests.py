"""All that the report of a finished run rests on, as files and folders whose state can be looked at."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from totalml.component import components, plain
from totalml.data.memory import hash_in, memory_path
from totalml.data.snapshot import snapshot_folder
from totalml.features.shared.sources import source_of
from totalml.gates import current_verdict
from totalml.own_code import HOME, RECIPES, own_sources
from totalml.registry import Aliases
from totalml.release.register import is_due as registration_is_due
from totalml.runs.attempt import DRILL_FILE, WANDB_FOLDER, attempts_of
from totalml.store import open_store
from totalml.tracking.record import is_due
from totalml.url import is_url

if TYPE_CHECKING:
    from totalml.memo.recall import Memo
    from totalml.recipe import Recipe

COMPILED = "__pycache__"
# Hydra's clock, also by a name that is interpolated itself; and its way to files elsewhere.
UNSEEN = re.compile(r"\$\{\s*(?:now\s*:|\$\{)|searchpath")


@dataclass(frozen=True)
class Rests:
    """Args:
    files: or folders, of which only the names in them count; there or not.
    trees: folders, and the name below them that does not count.
    """

    files: list[str]
    trees: list[tuple[str, str | None]]


def rests_on(recipe: Recipe, folder: Path, memo: Memo) -> Rests | None:
    """None: something that no state of a file shows may move the answer.

    Args: folder: of the finished attempt.
    Raises: TotalmlError: the data or the store cannot be looked at. OSError: a file cannot be read.
    """
    runtime, shared = recipe.runtime, [each for each in recipe.features.shared if each.feature.source]
    data = [recipe.data, *map(source_of, shared)]
    watched = [each.source.watched() for each in data]
    elsewhere = is_url(runtime.store) or is_url(runtime.runs) or runtime.nodes > 1
    if elsewhere or None in watched or is_due(recipe.tracking.mode, folder) or _looks_elsewhere(memo):
        return None
    store = open_store(runtime.store, runtime.cache)
    memories = [memory_path(each, store) for each in data]
    hashes = [hash_in(each, store) for each in memories]
    attempt = next(attempt for attempt in attempts_of(folder.parent)[0] if attempt.folder.name == folder.name)
    if None in memories or None in hashes:
        return None
    verdict, judged_again = current_verdict(attempt, store)
    if judged_again:
        return None
    drill_is_due = recipe.drill is not None and not (folder / DRILL_FILE).exists()
    if verdict.releasable and (drill_is_due or registration_is_due(recipe, attempt, store)):
        return None
    snapshots = [snapshot_folder(each, store) / "manifest.json" for each in hashes if each]
    files = [*_files(recipe, memo), *(each for each in memories if each), *snapshots]
    roots = [root for each in watched for root in each or ()]
    trees = [*_code(recipe, memo), *((root, None) for root in roots), (folder.parent, WANDB_FOLDER)]
    files += Aliases(store, recipe.name).files
    return Rests([str(Path(file)) for file in files], [(str(root), without) for root, without in trees])


def _files(recipe: Recipe, memo: Memo) -> Iterator[str | Path]:
    yield Path(memo.project, "run.py")
    yield from (place or "." for place in memo.packages)
    for component in components(recipe):
        yield from component.files()


def _code(recipe: Recipe, memo: Memo) -> Iterator[tuple[Path, str | None]]:
    """What composes and what runs: totalml, conf/, recipes/ and what these import from the project."""
    own = {name.split(".")[0] for name in own_sources(plain(recipe, where=True))} - {RECIPES}
    for place in (HOME, *(Path(memo.project, name) for name in sorted({"conf", RECIPES, *own}))):
        yield place, COMPILED


def _looks_elsewhere(memo: Memo) -> bool:
    """Whether what is composed may depend on the time, or on files outside the project, as flags of Hydra can ask."""
    if any(argument.startswith("-") for argument in memo.arguments):
        return True
    texts = [*memo.arguments]
    for part in ("conf", RECIPES):
        texts += [file.read_text(encoding="utf-8") for file in Path(memo.project, part).rglob("*.yaml")]
    return any(UNSEEN.search(text) for text in texts)
