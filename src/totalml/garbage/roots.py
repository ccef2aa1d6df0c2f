"""What is needed: names in the store that something outside of it refers to, each with what that is.

A new kind of thing that refers to the store is one more function in ROOTS.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from totalml.errors import StoreError
from totalml.identity import DIGEST, PREFIX, short
from totalml.registry import Aliases, models
from totalml.runs.attempt import attempts_of
from totalml.stages.stage_cache import KEY_LENGTH
from totalml.store import Store

Names = Iterator[tuple[str, str]]


@dataclass(frozen=True)
class Surroundings:
    """Args:
    project: holds the recipes.
    runs: folders of `<recipe>/<run id>/<attempt>/`.
    """

    store: Path
    project: Path
    runs: tuple[Path, ...]


def reached(around: Surroundings) -> dict[str, str]:
    """Name in the store -> who needs it.

    Raises: StoreError: something that may refer to the store cannot be read; then nothing may be removed.
    """
    return {name: why for root in reversed(ROOTS) for name, why in root(around)}


def _of_runs(around: Surroundings) -> Names:
    """Unfinished ones too: they go on."""
    damaged: list[Path] = []
    for run in (run for runs in around.runs for run in sorted(runs.glob("*/*")) if run.is_dir()):
        attempts, unreadable = attempts_of(run)
        damaged += unreadable
        for attempt in attempts:
            yield from ((name, "runs") for name in _names_of(attempt.facts))
    if damaged:
        listed = "\n".join(f"  {file}" for file in damaged)
        raise StoreError(f"nothing is removed, because these runs cannot be read; mend or delete them:\n{listed}")


def _names_of(facts: Mapping[str, Any]) -> Iterator[str]:
    if data := facts.get("data_hash"):
        yield f"snapshots/{data.removeprefix(PREFIX)}"
    # Among these stand the data hashes of the sources that shared features have.
    for found in filter(None, facts.get("files", {}).get("files", {}).values()):
        yield f"snapshots/{found.removeprefix(PREFIX)}"
    yield f"code/{facts['code']['digest'].removeprefix(PREFIX)}.zip"
    for stage, told in facts.get("stages", {}).items():
        yield f"stages/{stage}/{short(told['key'], KEY_LENGTH)}"


def _of_pins(around: Surroundings) -> Names:
    """Every digest in a recipe or in conf/, whatever key it stands at."""
    for file in (file for part in ("recipes", "conf") for file in sorted((around.project / part).rglob("*.yaml"))):
        for digest in DIGEST.findall(file.read_text(encoding="utf-8", errors="replace")):
            yield f"snapshots/{digest}", "pins"


def _of_registry(around: Surroundings) -> Names:
    """The data of whatever an alias points at or pointed at, for it may come back; its run may be gone from here."""
    store = Store(around.store)
    for model in sorted(models(store)):
        for promotion in Aliases(store, model).history():
            start = promotion.run_id.rpartition("-")[2]
            found = (around.store / "snapshots").glob(f"{start}*") if start.isalnum() else ()
            yield from ((f"snapshots/{folder.name}", "the registry") for folder in found)


ROOTS: tuple[Callable[[Surroundings], Names], ...] = (_of_runs, _of_pins, _of_registry)
